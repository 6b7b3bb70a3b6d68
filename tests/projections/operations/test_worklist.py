"""The open work of an instant: what is due is held against the date where the patient lives."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from ledger.book import load_book
from projections.operations.worklist import Worklist, worklist
from projections.read_model.catch_up import catch_up
from projections.read_model.views import passing_views
from tests.harness import typed
from tests.stores import open_ledger
from tests.stories import Course

FILE_BY = "2026-09-01"
"""180 days after 5 March 2026."""


def at(folder: Path, now: str, zone: str = "America/Chicago") -> Worklist:
    """The open work at an instant, with one billable day of 5 March that is on no claim."""
    course = Course("prairie-blue").days("2026-03-05")
    course.told[0]["fact"]["zone"] = zone
    book = load_book()
    with open_ledger(folder / "ledger.db", create=True) as ledger, closing(passing_views()) as views:
        ledger.append(typed(course.told), [("P-1", "EP-1")])
        catch_up(ledger, views, book)
        return worklist(ledger, views, book, datetime.fromisoformat(now))


def test_a_day_on_no_claim_is_due_until_its_filing_limit_has_passed(tmp_path: Path) -> None:
    (row,) = at(tmp_path, "2026-08-20T12:00Z").unbilled
    assert (row.episode, row.days, row.file_by, row.is_late) == ("EP-1", 1, FILE_BY, False)


@pytest.mark.parametrize(
    ("now", "zone", "is_late"),
    [
        ("2026-09-02T04:59Z", "America/Chicago", False),
        ("2026-09-02T05:01Z", "America/Chicago", True),
        ("2026-09-01T14:59Z", "Asia/Tokyo", False),
        ("2026-09-01T15:01Z", "Asia/Tokyo", True),
    ],
)
def test_the_limit_passes_at_midnight_where_the_patient_lives(
    tmp_path: Path, now: str, zone: str, is_late: bool
) -> None:
    (row,) = at(tmp_path, now, zone).unbilled
    assert row.is_late == is_late


@pytest.mark.parametrize("now", ["2026-08-02T04:00Z", "2026-09-16T06:00Z"])
def test_a_limit_that_is_far_or_long_past_is_no_open_work(tmp_path: Path, now: str) -> None:
    assert at(tmp_path, now).unbilled == []


def test_holds_come_with_what_to_do(tmp_path: Path) -> None:
    course = Course("prairie-blue").days("2026-03-05")
    course.told = [entry for entry in course.told if entry["id"] != "plan"]
    book = load_book()
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger, closing(passing_views()) as views:
        ledger.append(typed(course.told), [("P-1", "EP-1")])
        catch_up(ledger, views, book)
        (hold, *_) = worklist(ledger, views, book, datetime.fromisoformat("2026-03-10T12:00Z")).holds
    assert (hold.reason, hold.days, hold.because) == ("plan_missing", 1, "no plan of treatment")
    assert hold.cure == "get a signed plan of treatment for these dates and record it"
