"""Open work: its rows are those of the commands, what is due is a date, and what colleagues decide changes no day."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.desk import open_work
from commands.desk.open_work import WorkRefused
from ledger.book import load_book
from ledger.store import EpisodeLedger
from projections.operations.finding_stretches import finding_stretches
from projections.operations.search import find_episodes
from projections.read_model.catch_up import catch_up
from projections.read_model.kept_work import unworked
from projections.read_model.queries import Filters, finding_rows
from projections.read_model.views import Views, passing_views
from projections.work.chosen import WorkFilters, work_rows
from projections.work.facets import facets, sums_of, work_groups
from projections.work.kept import keep_work, made_by
from tests.command_line import House, run
from tests.encrypted_house import Locked, files_with
from tests.harness import typed
from tests.kept import documented
from tests.stores import open_ledger
from tests.stories import Course

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
TODAY = "2026-11-28"
EVERY = WorkFilters(done="any")
SAID_BY_LINES = "billable_not_claimed"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return documented(tmp_path)


def on_list(house: House, *options: str) -> list[dict[str, object]]:
    return run("--ledger", house.ledger, "worklist", *options).rows


def test_its_rows_are_the_findings_by_stretch_the_held_days_and_the_lines_on_no_claim(house: House) -> None:
    rows = on_list(house, "--done", "any")
    of_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in ("stops", "warning", "hold", "to_bill")}
    lines = run("--ledger", house.ledger, "lines", "--unclaimed").rows
    assert sorted(
        (row["episode"], row["first_date"], row["days"], row["cents"]) for row in of_kind["to_bill"]
    ) == sorted((line["episode"], line["from"], line["units"], line["expected_cents"]) for line in lines)
    report = run("--ledger", house.ledger, "report").rows
    held = [row for row in report if row["section"] == "holds"]
    assert sum(row["days"] for row in of_kind["hold"]) == sum(row["days"] for row in held) > 0
    assert sum(row["cents"] or 0 for row in of_kind["hold"]) == sum(row["cents"] or 0 for row in held)
    with open_ledger(house.ledger, create=False) as ledger, closing(passing_views()) as views:
        book = load_book()
        catch_up(ledger, views, book)
        found = finding_stretches(ledger, views, book, finding_rows(views, Filters()))
    expected = [(one.rule, one.dates[0], one.cents, one.claim) for one in found if one.rule != SAID_BY_LINES]
    told = [
        (row["work"], row["first_date"], row["cents"], row["claim"]) for row in of_kind["stops"] + of_kind["warning"]
    ]
    assert sorted(told, key=str) == sorted(expected, key=str)
    assert len(found) > len(expected), "the findings that the lines have are there, and are not listed twice"


def test_facets_count_what_would_be_shown(house: House) -> None:
    with open_ledger(house.ledger, create=False) as ledger, closing(passing_views()) as views:
        worked(ledger, views)
        wanted = WorkFilters(kind="hold")
        groups = work_groups(views, TODAY, wanted)
        for facet, values in facets(groups, wanted, {}).items():
            for value in values:
                chosen = wanted._replace(**{facet: value.value})
                rows = work_rows(views, TODAY, chosen)
                assert (len(rows), sum(row.cents or 0 for row in rows)) == (value.sums.rows, value.sums.cents)
                assert sums_of(groups, chosen) == value.sums


def worked(ledger: EpisodeLedger, views: Views) -> None:
    book = load_book()
    catch_up(ledger, views, book)
    keep_work(ledger, views, book, NOW)


def test_what_presses_stands_first_and_every_column_is_an_order(house: House) -> None:
    due = [row["due"] for row in on_list(house)]
    dated = [
        row["due"] for row in on_list(house) if row["due"] not in (None, "", "at once") and row["work"] != "unanswered"
    ]
    assert due[0] == "at once"
    assert dated[0] > TODAY > dated[-1], "what passed its date long ago can hardly be mended, and stands last"
    dollars = [row["cents"] for row in on_list(house, "--sort", "dollars") if row["cents"] is not None]
    assert dollars == sorted(dollars, reverse=True)


def test_what_is_decided_is_an_entry_of_the_ledger_and_changes_no_day(house: House) -> None:
    before = run("--ledger", house.ledger, "days").out
    for decision in (
        ("assign", "EP-2005", "to_bill", "Ana Ruiz"),
        ("note", "EP-2005", "to_bill", "ask the payer"),
        ("done-until", "EP-2005", "to_bill", "2999-12-31"),
    ):
        assert run("--ledger", house.ledger, "worklist", *decision, "--by", "Lee").status == 0
    assert "EP-2005" not in [row["episode"] for row in on_list(house, "--work", "to_bill")]
    (row,) = on_list(house, "--done", "yes")
    assert (row["owner"], row["note"], row["notes"], row["done_until"]) == (
        "Ana Ruiz", "ask the payer", 1, "2999-12-31",
    )  # fmt: skip
    assert row["decided_by"] == "Lee"
    assert run("--ledger", house.ledger, "worklist", "done-until", "EP-2005", "to_bill", "2026-01-01").status == 0
    assert [one["owner"] for one in on_list(house, "--owner", "Ana Ruiz")] == ["Ana Ruiz"], "the date has come"
    assert run("--ledger", house.ledger, "worklist", "assign", "EP-2005", "to_bill").status == 0
    assert on_list(house, "--owner", "Ana Ruiz") == []
    assert run("--ledger", house.ledger, "days").out == before
    assert run("--ledger", house.ledger, "verify").status == 0


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        (("assign", "EP-NONE", "to_bill", "Ana"), "no such episode"),
        (("note", "EP-2005", "to_bill", ""), "1 to 1,000 characters"),
        (("assign", "EP-2005", "to_bill", "A\nB"), "no control characters"),
        (("assign", "EP-2005", "anything", "Ana"), "is not one of"),
        (("done-until", "EP-2005", "to_bill", "tomorrow"), "YYYY-MM-DD"),
    ],
)
def test_a_decision_about_nothing_is_refused(house: House, decision: tuple[str, ...], says: str) -> None:
    ended = run("--ledger", house.ledger, "worklist", *decision)
    assert ended.status == 2
    assert says in ended.err
    assert on_list(house, "--owner", "Ana") == []


def test_of_two_who_decide_at_once_both_are_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(house.ledger, create=False) as ledger, open_ledger(house.ledger, create=False) as other:
        count, raced = type(ledger).count_of_acts, list[str]()

        def slow(self: EpisodeLedger, *upto: int) -> int:
            version = count(self, *upto)
            if self is ledger and not raced:
                raced.append("yes")
                open_work.note(other, "Lee", "EP-2005", "to_bill", "first")
            return version

        monkeypatch.setattr(type(ledger), "count_of_acts", slow)
        open_work.note(ledger, "Ana", "EP-2005", "to_bill", "second")
    rows = [row for row in on_list(house) if row["notes"]]
    assert [(row["note"], row["notes"], row["decided_by"]) for row in rows] == [("second", 2, "Ana")]


def test_only_who_changed_is_worked_out_again(house: House) -> None:
    with open_ledger(house.ledger, create=False) as ledger, closing(passing_views()) as views:
        worked(ledger, views)
        assert unworked(views, made_by()) == []
        assert set(unworked(views, "another version")) > {"P-1005"}
        book = load_book()
        story = Course("prairie-blue").days("2026-03-05")
        ledger.append(typed(story.told), [("P-1", "EP-1")])
        catch_up(ledger, views, book)
        assert unworked(views, made_by()) == ["P-1"]
        keep_work(ledger, views, book, NOW)
        assert [row.days for row in work_rows(views, TODAY, EVERY._replace(episode="EP-1", kind="to_bill"))] == [1]


def test_time_left_is_counted_to_the_payers_filing_limit(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger, closing(passing_views()) as views:
        ledger.append(typed(Course("prairie-blue").days("2026-03-05").told), [("P-1", "EP-1")])
        worked(ledger, views)
        expected = {
            "2026-03-05": ("later", 180), "2026-08-31": ("week", 1), "2026-09-01": ("week", 0),
            "2026-09-02": ("just_past", -1), "2026-09-15": ("just_past", -14), "2026-09-16": ("long_past", -15),
        }  # fmt: skip
        for today, (due, left) in expected.items():
            (row,) = work_rows(views, today, WorkFilters(work="to_bill", due=due))
            assert (row.due, row.days_left) == ("2026-09-01", left)


@pytest.mark.parametrize(
    ("text", "by"),
    [("CLM-2504", "claim CLM-2504"), ("pa-8001", "authorization PA-8001"), ("EP-2005", ""), ("P-1005", "")],
)
def test_an_episode_is_found_by_the_numbers_its_records_name(house: House, text: str, by: str) -> None:
    with open_ledger(house.ledger, create=False) as ledger, closing(passing_views()) as views:
        worked(ledger, views)
        found = {one.episode: one.found_by for one in find_episodes(ledger, views, text)[0]}
    assert found["EP-2005"] == by


def test_a_note_goes_with_the_patient_and_never_stands_in_the_open(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    told = Course("prairie-blue").days("2026-03-05").told
    assert house.tell(*told, options=("--keep-recorded-at",)).status == 0
    assert house.run("worklist", "note", "EP-1", "to_bill", "WHISPERED to the payer").status == 0
    assert [row["note"] for row in house.run("worklist").rows if row["notes"]] == ["WHISPERED to the payer"]
    house.run("rebuild")
    with house.open() as ledger:
        assert b"WHISPERED" not in house.ledger.read_bytes()
        assert [act.note for _, act in ledger.work_acts()] == ["WHISPERED to the payer"]
    assert house.run("forget", "P-1", "--reason", "asked", "--by", "Lee", "--yes").status == 0
    with house.open() as ledger:
        assert [act.note for _, act in ledger.work_acts()] == [""]
        with pytest.raises(WorkRefused):
            open_work.note(ledger, "Lee", "EP-1", "to_bill", "again")
    assert house.run("worklist").rows == []
    assert files_with(house.folder, [b"WHISPERED"]) == set()
    assert house.run("verify").status == 0
