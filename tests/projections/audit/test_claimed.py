"""Claimed, known when claimed, known now: what to refund, what is left unbilled, and by when."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book import Book, load_book
from ledger.facts.entry import Entry
from ledger.judge.claims import claimed_lines
from ledger.judge.patients import by_episode, gather
from ledger.judge.regions import JudgedDay, judged_days
from ledger.judge.steps import judge
from ledger.store import EpisodeLedger
from projections.audit.claimed import claimed_days, claimed_of
from projections.audit.claimed_rows import ClaimedDay
from projections.audit.claimed_shares import spread
from projections.audit.text import Exposure, render_claimed
from projections.reading.around import episodes_around
from projections.reading.as_known import AsKnown, book_known
from tests.harness import book_of, judge_entries, typed
from tests.histories import history
from tests.stores import open_ledger
from tests.stories import (
    FIELDS,
    Course,
    march,
    summer,
)
from tests.tiers import many

ZONE = {"provider": "1234567893", "zone": "America/Chicago"}


def picked(row: ClaimedDay, fields: str) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in fields.split())


def test_the_fields_are_as_agreed() -> None:
    assert " ".join(field.encode_name for field in msgspec.structs.fields(ClaimedDay)) == FIELDS


def test_what_is_billable_as_claimed_is_told_only_when_asked() -> None:
    assert march().rows() == []
    rows = march().rows(every=True)
    assert [(row.date, row.kind, row.claimed_cents) for row in rows] == [
        ("2026-03-02", "as_claimed", 7203),
        ("2026-03-03", "as_claimed", 7203),
        ("2026-03-04", "as_claimed", 7202),
        ("2026-03-05", "as_claimed", 7202),
    ]
    assert {picked(row, "exposure_cents revealed_by revealed_at repay_by file_by") for row in rows} == {
        (0, (), None, None, None)
    }


def test_coverage_lost_after_the_claim_is_overclaimed_and_due_back_in_60_days() -> None:
    course = march().at("2026-05-11T23:30-05:00")  # 12 May in UTC, and 11 May where the patient lives
    course.tell("cov-end", "CoverageEnded", payer="cascade-medicaid", last_date="2026-03-04")
    (row,) = course.rows()
    assert msgspec.to_builtins(row) == {
        "patient": "P-1", "episode": "EP-1", "date": "2026-03-05", "kind": "overclaimed", "claim": "C-1",
        "payer": "cascade-medicaid", "claimed_code": "S9325", "claimed_cents": 7202,
        "known_when_claimed": "billable S9325", "known_now": "not_billable not_covered", "now_payer": None,
        "now_code": None, "now_cents": 0, "exposure_cents": 7202, "revealed_by": ("chart:cov-end",),
        "revealed_at": "2026-05-12T04:30:00Z", "repay_by": "2026-07-10", "file_by": None, "paid_cents": None,
    }  # fmt: skip


def test_a_claim_replaced_twice_owes_nothing_twice() -> None:
    course = march().claim("2026-03-02", "2026-03-04", 21600, "C-2", frequency="7", replaces="C-1")
    course.claim("2026-03-02", "2026-03-05", 28800, "C-3", frequency="7", replaces="C-1")
    assert {(row.kind, row.claim, row.exposure_cents) for row in course.rows(every=True)} == {("as_claimed", "C-3", 0)}


def test_a_day_revealed_where_it_is_tomorrow_already_is_due_by_the_date_in_utc() -> None:
    course = march()
    course.told[0]["fact"]["zone"] = "Asia/Tokyo"
    course.at("2026-05-11T20:00Z").tell("cov-end", "CoverageEnded", payer="cascade-medicaid", last_date="2026-03-04")
    (row,) = course.rows()
    assert (row.date, row.repay_by) == ("2026-03-05", "2026-07-10")


def test_only_medicaid_sets_a_date_to_give_back() -> None:
    course = Course("example-health").days("2026-03-02").at("2026-04-02T15:00Z").claim("2026-03-02", "2026-03-02", 9000)
    course.tell("cov-end", "CoverageEnded", payer="example-health", last_date="2026-03-01")
    (row,) = course.rows()
    assert (row.kind, row.exposure_cents, row.repay_by) == ("overclaimed", 9000, None)


def test_a_discharge_told_late_makes_the_days_after_it_overclaimed() -> None:
    rows = march().at("2026-04-20T10:00Z").tell("home", "Discharged", date="2026-03-03").rows()
    assert [picked(row, "date kind known_now exposure_cents revealed_by repay_by") for row in rows] == [
        ("2026-03-04", "overclaimed", "not_billable after_discharge", 7202, ("chart:home",), "2026-06-19"),
        ("2026-03-05", "overclaimed", "not_billable after_discharge", 7202, ("chart:home",), "2026-06-19"),
    ]


def test_a_day_that_is_no_day_any_more_is_overclaimed() -> None:
    course = march().at("2026-04-20T10:00Z")
    course.tell("oops", "FactRetracted", target_source="chart", target_id="day-05", reason="another's")
    (row,) = course.rows()
    assert picked(row, "date kind known_when_claimed known_now") == (
        "2026-03-05",
        "overclaimed",
        "billable S9325",
        None,
    )


def test_newly_published_terms_change_the_code_by_the_mode() -> None:
    rows = summer().rows()
    assert {picked(row, "kind known_when_claimed known_now now_payer now_code now_cents") for row in rows} == {
        ("changed", "billable S9325", "billable S9326", "prairie-blue", "S9326", 9800)
    }
    assert {picked(row, "exposure_cents revealed_by revealed_at repay_by file_by") for row in rows} == {
        (0, (), "2026-08-20T00:00:00Z", None, None)
    }
    assert summer().rows("2026-08-19T23:59Z") == []


def test_a_cheaper_code_leaves_the_difference_to_give_back() -> None:
    course = summer().at("2026-09-01T10:00Z")
    fact = {"type": "TherapyOrdered", "order": "RX", "mode": "intermittent", "from": "2026-07-01",
            "prescriber": "1245319599", "signed_on": "2026-07-01"}  # fmt: skip
    course.tell("mode", "FactCorrected", target_source="chart", target_id="rx", reason="misread", fact=fact)
    assert [picked(row, "kind now_code now_cents exposure_cents revealed_at") for row in course.rows()] == [
        ("changed", "S9327", 8100, 900, "2026-08-20T00:00:00Z")
    ] * 2


def test_a_code_changed_by_the_mode_names_the_correction() -> None:
    course = Course("prairie-blue", "2026-09").days("2026-09-02").at("2026-10-01T10:00Z")
    course.claim("2026-09-02", "2026-09-02", 9800, code="S9326").at("2026-10-05T10:00Z")
    fact = {"type": "TherapyOrdered", "order": "RX", "mode": "implanted_pump", "from": "2026-09-01",
            "prescriber": "1245319599", "signed_on": "2026-07-01"}  # fmt: skip
    course.tell("mode", "FactCorrected", target_source="chart", target_id="rx", reason="misread", fact=fact)
    (row,) = course.rows()
    assert picked(row, "kind claimed_code now_code exposure_cents revealed_by revealed_at") == (
        "changed", "S9326", "S9328", 2200, ("chart:mode",), "2026-10-05T10:00:00Z",
    )  # fmt: skip


def test_an_authorization_granted_late_leaves_days_unbilled() -> None:
    course = Course(units=2).days("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05").at("2026-04-02T15:00Z")
    course.claim("2026-03-02", "2026-03-03", 14400)
    assert course.rows() == []
    course.at("2026-05-04T15:00Z").authorized(5, "late")
    assert [msgspec.to_builtins(row) for row in course.rows()] == [
        {
            "patient": "P-1", "episode": "EP-1", "date": day, "kind": "unbilled", "claim": None,
            "payer": "cascade-medicaid", "claimed_code": None, "claimed_cents": 0, "known_when_claimed": None,
            "known_now": "billable S9325", "now_payer": "cascade-medicaid", "now_code": "S9325", "now_cents": 7200,
            "exposure_cents": 0, "revealed_by": (), "revealed_at": None, "repay_by": None, "file_by": file_by,
            "paid_cents": None,
        }
        for day, file_by in (("2026-03-04", "2027-03-04"), ("2026-03-05", "2027-03-05"))
    ]  # fmt: skip


def test_never_claimed_and_voided_days_are_unbilled() -> None:
    course = Course().days("2026-03-02")
    assert [row.kind for row in course.rows()] == ["unbilled"]
    course.at("2026-04-02T15:00Z").claim("2026-03-02", "2026-03-02", 7200)
    assert course.rows() == []
    course.claim("2026-03-02", "2026-03-02", 7200, claim="C-2", frequency="8", replaces="C-1")
    assert [row.kind for row in course.rows()] == ["unbilled"]


def test_a_replacement_stands_for_the_claim_it_replaces() -> None:
    course = summer().at("2026-09-01T10:00Z")
    course.claim("2026-07-02", "2026-07-03", 19600, claim="C-2", code="S9326", frequency="7", replaces="C-1")
    assert course.rows() == []
    assert {row.claim for row in course.rows(every=True)} == {"C-2"}


def test_what_was_wrong_when_it_was_claimed_names_the_causes_of_then() -> None:
    course = Course(units=1).days("2026-03-02", "2026-03-03").at("2026-04-02T15:00Z")
    (row,) = course.claim("2026-03-02", "2026-03-03", 14400).rows()
    assert picked(row, "date kind known_when_claimed known_now revealed_by revealed_at repay_by") == (
        "2026-03-03", "overclaimed", "hold auth_exhausted", "hold auth_exhausted", ("chart:auth",),
        "2026-04-02T15:00:00Z", "2026-06-01",
    )  # fmt: skip


def test_what_was_missing_when_it_was_claimed_has_no_causes() -> None:
    course = Course(units=0).days("2026-03-02").at("2026-04-02T15:00Z").claim("2026-03-02", "2026-03-02", 7200)
    course.at("2026-05-02T15:00Z").tell("died", "PatientDied", date="2026-03-01")
    (row,) = course.rows()
    assert picked(row, "known_when_claimed known_now revealed_by revealed_at") == (
        "hold auth_missing", "not_billable after_death", (), "2026-04-02T15:00:00Z",
    )  # fmt: skip
    assert " ".join(map(str.strip, render_claimed([row]))).endswith(
        "claimed and not answered by 2026-06-01; revealed on 2026-04-02"
    )
    assert " ".join(map(str.strip, render_claimed(summer().rows()))).endswith(
        "; revealed by terms newly published on 2026-08-20"
    )


def test_what_came_right_and_wrong_again_counts_from_the_last_time() -> None:
    course = march().at("2026-04-10T10:00Z").tell("died", "PatientDied", date="2026-03-04")
    course.tell("alive", "FactRetracted", target_source="chart", target_id="died", reason="another's")
    assert course.rows() == []
    course.at("2026-06-01T10:00Z").tell("home", "Discharged", date="2026-03-04")
    (row,) = course.rows()
    assert (row.revealed_by, row.revealed_at) == (("chart:home",), "2026-06-01T10:00:00Z")


def test_what_came_and_went_at_one_instant_was_never_known() -> None:
    course = march().at("2026-04-10T10:00Z").tell("died", "PatientDied", date="2026-03-04")
    course.at("2026-04-20T10:00Z").tell("a", "FactRetracted", target_source="chart", target_id="died", reason="no")
    course.at("2026-04-20T10:00Z").tell("home", "Discharged", date="2026-03-04")
    (row,) = course.rows()
    assert (row.revealed_by, row.revealed_at) == (("chart:died",), "2026-04-10T10:00:00Z")


def test_each_claim_has_its_own_moment() -> None:
    course = march().at("2026-04-10T10:00Z").tell("home", "Discharged", date="2026-03-04")
    course.at("2026-05-01T10:00Z").claim("2026-03-05", "2026-03-05", 7200, claim="C-2")
    assert [
        picked(row, "claim known_when_claimed exposure_cents revealed_by revealed_at") for row in course.rows()
    ] == [
        ("C-1", "billable S9325", 7202, ("chart:home",), "2026-04-10T10:00:00Z"),
        ("C-2", "not_billable after_discharge", 7200, ("chart:home",), "2026-05-01T10:00:00Z"),
    ]


def test_no_money_back_means_no_date_to_give_it_back() -> None:
    course = Course().days("2026-03-02").at("2026-04-02T15:00Z")
    (row,) = course.claim("2026-03-02", "2026-03-02", 7000, code="S9326").rows()
    assert picked(row, "kind exposure_cents repay_by revealed_by") == ("changed", 0, None, ("chart:day-02",))


def test_a_day_claimed_twice_can_keep_its_money_once() -> None:
    course = march().at("2026-04-09T10:00Z").claim("2026-03-02", "2026-03-02", 7200, claim="C-2")
    (row,) = course.rows()
    assert picked(row, "kind claim exposure_cents known_now revealed_by revealed_at repay_by") == (
        "overclaimed", "C-2", 7200, "billable S9325", ("chart:claim-C-1",), "2026-04-09T10:00:00Z", "2026-06-08",
    )  # fmt: skip


def test_another_payer_means_all_the_money_back_and_a_new_date_to_file() -> None:
    course = march().at("2026-05-11T10:00Z")
    course.tell("first", "CoverageVerified", payer="example-health", member="M-9", from_="2026-03-05", rank=1)
    course.tell("second", "FactCorrected", target_source="chart", target_id="cov", reason="it is secondary",
                fact={"type": "CoverageVerified", "payer": "cascade-medicaid", "member": "M-1", "from": "2026-01-01",
                      "rank": 2})  # fmt: skip
    (row,) = course.rows()
    assert picked(row, "date kind payer now_payer now_cents exposure_cents repay_by file_by") == (
        "2026-03-05", "changed", "cascade-medicaid", "example-health", 9000, 7202, "2026-07-10", "2026-09-01",
    )  # fmt: skip
    course.claim("2026-03-05", "2026-03-05", 8800, claim="C-2", payer="example-health", code="S9326")
    assert [picked(row, "kind claim exposure_cents file_by") for row in course.rows()] == [
        ("changed", "C-1", 7202, None),
        ("changed", "C-2", 0, None),
    ]
    course.claim("2026-03-05", "2026-03-05", 9000, claim="C-3", payer="example-health")
    assert [picked(row, "kind claim exposure_cents file_by") for row in course.rows(every=True)[-3:]] == [
        ("changed", "C-1", 7202, None),
        ("changed", "C-2", 8800, None),
        ("as_claimed", "C-3", 0, None),
    ]


def test_lines_of_other_codes_are_no_matter() -> None:
    assert march().claim("2026-03-09", "2026-03-09", 5000, claim="C-2", code="S5501").rows() == []


# Rows of a whole ledger


def stored(folder: Path, *told: list[dict[str, Any]]) -> EpisodeLedger:
    ledger = open_ledger(folder / "ledger.db", create=True)
    for number, story in enumerate(told, 1):
        entries = [entry | {"episode": f"EP-{number}"} for entry in story]
        entries[0]["fact"] = entries[0]["fact"] | {"patient": f"P-{number}"}
        ledger.append(typed(entries), [(f"P-{number}", f"EP-{number}")])
    return ledger


def test_a_ledger_is_told_patient_by_patient(tmp_path: Path) -> None:
    lost = march().at("2026-05-11T10:00Z").tell("home", "Discharged", date="2026-03-04")
    with stored(tmp_path, lost.told, march().told, summer().told, Course().days("2026-03-02").told) as ledger:
        rows = list(claimed_days(ledger, load_book()))
        kinds = [(row.patient, row.kind) for row in rows]
        assert kinds == [("P-1", "overclaimed"), ("P-3", "changed"), ("P-3", "changed"), ("P-4", "unbilled")]
        assert list(claimed_days(ledger, load_book(), ["P-3"])) == rows[1:3]
        assert list(claimed_days(ledger, load_book(), payer="cascade-medicaid")) == [rows[0], rows[3]]
        assert list(claimed_days(ledger, load_book(), ["P-1"], episode="EP-9")) == []
        book = load_book()
        assert AsKnown(ledger, book).owner("EP-3") == "P-3"
        assert AsKnown(ledger, book).owner("EP-9") is None
        early = datetime(2026, 1, 1, tzinfo=UTC)
        assert AsKnown(ledger, book, early).owner("EP-3") is None
        assert list(claimed_days(ledger, load_book(), known_at=early)) == []


def test_the_payer_chosen_is_the_one_claimed_and_the_one_to_bill_now(tmp_path: Path) -> None:
    course = march().at("2026-05-11T10:00Z")
    course.tell("first", "CoverageVerified", payer="example-health", member="M-9", from_="2026-03-05", to="2026-03-05")
    course.tell("second", "FactCorrected", target_source="chart", target_id="cov", reason="it is secondary",
                fact={"type": "CoverageVerified", "payer": "cascade-medicaid", "member": "M-1", "from": "2026-01-01",
                      "rank": 2})  # fmt: skip
    with stored(tmp_path, course.told) as ledger:
        for payer, rows in (("cascade-medicaid", 1), ("example-health", 1), ("prairie-blue", 0)):
            assert len(list(claimed_days(ledger, load_book(), payer=payer))) == rows


def test_what_was_known_under_another_patient_counts_as_well(tmp_path: Path) -> None:
    """EP-2 was thought to be P-1's, and clashed with EP-1, when it was claimed."""
    one, two = Course().days("2026-03-02"), Course().days("2026-03-02").at("2026-04-02T15:00Z")
    two.claim("2026-03-02", "2026-03-02", 7200).at("2026-05-02T15:00Z")
    two.tell("moved", "FactCorrected", target_source="chart", target_id="open", reason="another's",
             fact={"type": "EpisodeOpened", "patient": "P-2", **ZONE})  # fmt: skip
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        for name, course in (("EP-1", one), ("EP-2", two)):
            pairs = [("P-1", name), ("P-2", name)] if name == "EP-2" else [("P-1", name)]
            ledger.append(typed([entry | {"episode": name} for entry in course.told]), pairs)
        assert episodes_around(ledger, ["EP-2"]) == episodes_around(ledger, ["EP-1"]) == ["EP-1", "EP-2"]
        (row,) = claimed_days(ledger, load_book(), ["P-2"], every=True)
    assert picked(row, "kind patient known_when_claimed known_now") == (
        "as_claimed", "P-2", "conflict duplicate_per_diem", "billable S9325",
    )  # fmt: skip


def test_the_episodes_around_one_are_found_over_several_patients(tmp_path: Path) -> None:
    pairs = [("P-1", "EP-1"), ("P-1", "EP-2"), ("P-2", "EP-2"), ("P-2", "EP-3"), ("P-3", "EP-3"), ("P-9", "EP-9")]
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        names = sorted({name for _, name in pairs})
        ledger.append(typed([Course().told[0] | {"episode": name} for name in names]), pairs)
        assert episodes_around(ledger, ["EP-1"]) == ["EP-1", "EP-2", "EP-3"]
        assert episodes_around(ledger, ["EP-9"]) == ["EP-9"]
        assert episodes_around(ledger, ["EP-8"]) == ["EP-8"]


# For a person


def test_claimed_and_known_stand_side_by_side() -> None:
    course = march().at("2026-05-11T10:00Z").tell("home", "Discharged", date="2026-03-03")
    assert list(render_claimed(course.rows())) == [
        "EP-1 of P-1",
        "  dates                     claimed             known when claimed          known now",
        "  2026-03-04 to 2026-03-05  S9325 144.04        billable S9325              not_billable after_discharge",
        "      not billable: 2 days of C-1 to cascade-medicaid, 144.04 dollars claimed and not answered by",
        "        2026-07-10; revealed by chart:home on 2026-05-11",
    ]


def test_dates_apart_are_runs_apart() -> None:
    shown = list(render_claimed(Course("prairie-blue").days("2026-03-02", "2026-03-03", "2026-03-06").rows()))
    assert [line.split("  ")[1] for line in shown[2::2]] == ["2026-03-02 to 2026-03-03", "2026-03-06"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "Every claimed day is billable as claimed."),
        (
            march().at("2026-05-11T10:00Z").tell("home", "Discharged", date="2026-03-03"),
            "2 days not billable, 144.04 dollars claimed and not answered, the first by 2026-07-10.",
        ),
        (summer(), "2 days billable with another code or payer, 0.00 dollars to refund."),
        (Course().days("2026-03-02"), "1 day unbilled, the first must be filed by 2027-03-02."),
    ],
    ids=["nothing", "overclaimed", "changed", "unbilled"],
)
def test_it_adds_up_in_one_sentence(rows: Any, told: str) -> None:
    exposure = Exposure()
    assert len(list(exposure.counting(rows.rows() if rows else []))) == sum(exposure.days.values())
    assert exposure.told() == told


# Laws


@given(st.integers(0, 10**9), st.integers(1, 400))
def test_a_line_is_spread_to_the_cent(cents: int, days: int) -> None:
    shares = spread(cents, days)
    assert (len(shares), sum(shares)) == (days, cents)
    assert max(shares) - min(shares) <= 1
    assert shares == sorted(shares, reverse=True)


Key = tuple[str, str]


class Straight:
    """A history judged straight at any instant, one after another."""

    def __init__(self, entries: list[Entry], book: Book, known_at: datetime | None) -> None:
        self.entries, self.book, self.known_at = entries, book, known_at
        self.days = cache(self._days)

    def _days(self, at: datetime | None) -> dict[Key, JudgedDay]:
        return {
            (case.episode.name, date.fromordinal(day.date).isoformat()): day
            for patient in gather(by_episode(self.entries), at)
            for case in judge(patient, book_known(self.book, at))
            for day in judged_days(case)
        }

    def billable(self, row: ClaimedDay, at: datetime | None) -> bool:
        """Whether the row's day is billable as claimed."""
        day = self.days(at).get((row.episode, row.date))
        return bool(day and day.is_billable and (day.code, day.payer) == (row.claimed_code, row.payer))

    def moments_after(self, claimed_at: datetime) -> list[datetime]:
        told = {datetime.combine(t.published, time(), UTC) for p in self.book.payers.values() for t in p.terms}
        found = told | {entry.recorded_at for entry in self.entries}
        return sorted(at for at in found if at > claimed_at and (self.known_at is None or at <= self.known_at))

    def revealed_at(self, row: ClaimedDay, claimed_at: datetime) -> datetime:
        """When the day ceased to be billable as claimed for the last time; when claimed, if it never was since."""
        found, before = claimed_at, self.billable(row, claimed_at)
        for at in self.moments_after(claimed_at):
            after = self.billable(row, at)
            found = at if before and not after else found
            before = after
        return found


def billed_history(rng: Random) -> tuple[list[Entry], Book]:
    """A random history in which, once or twice, what was billable by then was claimed."""
    told, tables = history(rng)
    book = book_of(tables)
    for number in range(rng.choice((1, 2))):
        cut = rng.randint(len(told) // 3, len(told))
        at = told[cut - 1]["recorded_at"]
        lines: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for line in judge_entries(typed(told[:cut]), book, datetime.fromisoformat(at)).lines:
            kept = {name: line[name] for name in ("code", "from", "to", "units", "charge_cents")}
            lines[line["episode"], line["payer"]].append(
                kept | {"charge_cents": line["charge_cents"] + rng.randint(0, 5)}
            )
        told[cut:cut] = [
            {"episode": episode, "source": "billing", "id": f"{number}-{payer}", "by": "biller", "recorded_at": at,
             "fact": {"type": "ClaimSubmitted", "claim": f"B{number}-{payer}", "payer": payer, "frequency": "1",
                      "lines": some}}
            for (episode, payer), some in lines.items()
        ]  # fmt: skip
    return typed(told), book


def words(day: JudgedDay | None) -> str | None:
    return f"{day.verdict.status} {day.verdict.reason or day.code}" if day else None


@settings(deadline=None, max_examples=many(10, 100))
@given(st.integers(0, 2**64 - 1).map(Random), st.booleans())
def test_claimed_days_are_what_judging_straight_gives(rng: Random, halfway: bool) -> None:
    entries, book = billed_history(rng)
    known_at = entries[len(entries) * 2 // 3].recorded_at if halfway else None
    straight = Straight(entries, book, known_at)
    rows = {
        patient.name: claimed_of(by_episode(entries), patient.name, book, known_at, every=True)
        for patient in gather(by_episode(entries), known_at)
    }
    check_shares(entries, known_at, [row for some in rows.values() for row in some])
    check_findings(entries, book, known_at, [row for some in rows.values() for row in some])
    claims = {
        (episode.name, claim): entry.recorded_at
        for patient in gather(by_episode(entries), known_at)
        for episode in patient.episodes
        for claim, (entry, _, _) in episode.claims.items()
    }
    for name, some in rows.items():
        assert some == sorted(some, key=lambda row: (row.episode, row.date))
        for row in some:
            assert row.patient == name
            check(row, straight, claims.get((row.episode, row.claim or "")))


def check(row: ClaimedDay, straight: Straight, claimed_at: datetime | None) -> None:
    """Each column says what judging straight at its instant gives."""
    now = straight.days(straight.known_at).get((row.episode, row.date))
    assert (row.known_now, row.now_cents) == (words(now), (now.rate_cents or 0) if now else 0)
    assert 0 <= row.exposure_cents <= row.claimed_cents
    if claimed_at is None:
        assert now is not None
        assert now.is_billable
        assert row.kind == "unbilled"
        return
    assert row.known_when_claimed == words(straight.days(claimed_at).get((row.episode, row.date)))
    if row.kind == "as_claimed":
        assert straight.billable(row, straight.known_at)
        assert (row.exposure_cents, row.revealed_at) == (0, None)
        return
    assert row.revealed_at
    if not straight.billable(row, straight.known_at):
        assert datetime.fromisoformat(row.revealed_at) == straight.revealed_at(row, claimed_at)
    if straight.billable(row, straight.known_at):
        assert (row.kind, row.exposure_cents) == ("overclaimed", row.claimed_cents)  # claimed twice
    else:
        assert row.kind == ("changed" if now and now.is_billable else "overclaimed")


def check_shares(entries: list[Entry], known_at: datetime | None, rows: list[ClaimedDay]) -> None:
    """The shares of a claim's days add up to the charges of its per-diem lines."""
    charged: Counter[tuple[str, str]] = Counter()
    for patient in gather(by_episode(entries), known_at):
        for episode in patient.episodes:
            for line in claimed_lines(episode):
                if line.is_per_diem:
                    charged[episode.name, line.claim] += line.charge_cents
    shared: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.claim is not None:
            shared[row.episode, row.claim] += row.claimed_cents
    assert shared == charged


def as_claimed(row: ClaimedDay) -> tuple[Any, ...]:
    return row.claimed_code, row.payer


def as_now(row: ClaimedDay) -> tuple[Any, ...]:
    return row.now_code, row.now_payer


def check_findings(entries: list[Entry], book: Book, known_at: datetime | None, rows: list[ClaimedDay]) -> None:
    """The findings of section 5 see the same days."""
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for finding in judge_entries(entries, book, known_at).findings:
        found[finding["rule"]] |= {(episode, day) for episode in finding["episodes"] for day in finding["dates"]}
    right = {(row.episode, row.date) for row in rows if row.kind == "as_claimed"}
    claimed = [row for row in rows if row.claim is not None]
    wrong = {(row.episode, row.date) for row in claimed if not row.now_cents or as_now(row) != as_claimed(row)}
    unbilled = {(row.episode, row.date) for row in rows if row.kind == "unbilled"}
    changed = {(row.episode, row.date) for row in rows if row.kind == "changed"}
    assert wrong == found["claimed_not_billable"]
    assert found["billable_not_claimed"] <= unbilled | (changed - right)


def test_the_histories_reach_every_kind() -> None:
    kinds: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    for seed in range(60):
        entries, book = billed_history(Random(seed))
        for patient in gather(by_episode(entries)):
            for row in claimed_of(by_episode(entries), patient.name, book, every=True):
                kinds[row.kind] += 1
                flags["revealed later"] += bool(row.revealed_by) and row.known_when_claimed != row.known_now
                flags["by terms"] += row.kind not in ("as_claimed", "unbilled") and not row.revealed_by
                flags["claimed twice"] += row.kind == "overclaimed" and row.now_cents > 0
    assert kinds.keys() == {"overclaimed", "changed", "unbilled", "as_claimed"}
    assert min(kinds.values()) > 5
    assert min(flags["revealed later"], flags["by terms"], flags["claimed twice"]) > 0
