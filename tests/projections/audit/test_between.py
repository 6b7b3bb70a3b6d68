"""What changed between two instants, and which entry or which terms changed it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book import Book, load_book
from ledger.facts.entry import Entry
from ledger.judge.patients import by_episode, episode_of
from projections.audit.between import DayChanged, between, between_of
from projections.audit.text import render_between
from tests.harness import book_of, judge_entries, typed
from tests.histories import history
from tests.stores import open_ledger
from tests.stories import Story, judged, placed
from tests.tiers import many

COMPARED = ("status", "reason", "code", "payer", "rate_cents", "authorization")
LATER = "2027-01-01T00:00Z"


def changed(story: Story, first: str, last: str = LATER, episode: str = "EP-1") -> list[DayChanged]:
    """The changes of a story between two instants, read against the packaged book."""
    instants = datetime.fromisoformat(first), datetime.fromisoformat(last)
    found = between(placed(typed(story.told)), episode, load_book(), *instants)
    assert found is not None
    return found


def at(story: Story, moment: str) -> Story:
    """The story goes on at another time."""
    story.clock = datetime.fromisoformat(moment)
    return story


def served_in_february() -> Story:
    """Three served days with everything in order, told by 1 February 20:00."""
    return Story().opened().planned().served("2026-02-02").served("2026-02-03").served("2026-02-04")


def test_a_retroactive_loss_of_coverage_says_who_told_it_and_how_late() -> None:
    story = at(served_in_february(), "2026-03-10T15:30Z")
    story.tell("cov-end", "CoverageEnded", payer="prairie-blue", last_date="2026-02-02")
    (first, second) = changed(story, "2026-02-28T00:00Z")
    assert msgspec.to_builtins(first) == {
        "patient": "P-1", "episode": "EP-1", "date": "2026-02-03", "before": "billable S9325",
        "after": "not_billable not_covered", "payer_before": "prairie-blue", "payer_after": None,
        "cents_before": 9000, "cents_after": 0, "cause": "entry", "because": ("chart:cov-end",),
        "type": "CoverageEnded", "by": "rn-1", "recorded_at": "2026-03-10T15:30:00Z", "position": 30,
        "days_late": 35, "note": None,
    }  # fmt: skip
    assert (second.date, second.days_late) == ("2026-02-04", 34)


def test_an_entry_counts_from_after_the_first_instant_up_to_the_second() -> None:
    story = at(served_in_february(), "2026-03-10T15:30Z").tell("died", "PatientDied", date="2026-02-03")
    assert [row.date for row in changed(story, "2026-03-10T15:29:59Z", "2026-03-10T15:30Z")] == ["2026-02-04"]
    assert changed(story, "2026-03-10T15:30Z") == []
    assert changed(story, "2026-02-28T00:00Z", "2026-03-10T15:29:59Z") == []
    assert changed(story, LATER, LATER) == []


def test_newly_published_terms_change_days_without_any_entry() -> None:
    story = Story().opened().planned()
    at(story, "2026-07-05T09:00Z").served("2026-07-02")
    story.tell("plan-2", "PlanSigned", plan="B", signed_on="2026-06-30", from_="2026-06-30", to="2026-08-01")
    story.tell("pain-2", "PainAssessed", date="2026-07-01", score=5)
    row = changed(story, "2026-08-19T23:59Z", "2026-08-20T00:00Z")[-1]
    assert (row.date, row.before, row.after) == ("2026-07-02", "billable S9325", "hold auth_missing")
    assert (row.cause, row.because, row.type, row.by, row.recorded_at, row.position) == ("terms", (), *[None] * 4)
    assert row.note == "payer prairie-blue: terms from 2026-07-01 published 2026-08-20"
    assert row.days_late == 49
    assert changed(story, "2026-08-20T00:00Z") == []


def test_the_entry_that_gave_the_final_verdict_comes_first() -> None:
    story = at(served_in_february(), "2026-03-01T09:00Z")
    story.tell("in", "HospitalAdmitted", stay="S", at="2026-02-03T05:00:00Z")  # 2 February, in the evening
    story.tell("died", "PatientDied", date="2026-02-03")
    rows = {row.date: row for row in changed(story, "2026-02-28T00:00Z")}
    assert rows["2026-02-04"].because == ("chart:died", "chart:in")
    assert (rows["2026-02-04"].type, rows["2026-02-04"].after) == ("PatientDied", "not_billable after_death")
    assert rows["2026-02-03"].because == ("chart:in",)


def test_a_day_that_changed_and_changed_back_is_no_change() -> None:
    story = at(served_in_february(), "2026-03-01T09:00Z").tell("died", "PatientDied", date="2026-02-02")
    story.tell("alive", "FactRetracted", target_source="chart", target_id="died", reason="another's")
    assert len(changed(story, "2026-02-28T00:00Z", "2026-03-01T09:00Z")) == 2
    assert changed(story, "2026-02-28T00:00Z") == []


def test_days_told_late_and_ahead() -> None:
    story = at(Story().opened().planned(), "2026-02-05T12:00Z").served("2026-02-03").served("2026-02-07")
    rows = {row.date: (row.before, row.days_late) for row in changed(story, "2026-02-05T00:00Z")}
    assert rows["2026-02-03"] == (None, 2)
    assert rows["2026-02-07"] == (None, -2)


def test_what_was_recorded_in_the_evening_is_as_late_as_the_calendar_at_home_says() -> None:
    story = at(served_in_february(), "2026-03-02T03:00Z")  # 1 March, 21:00 in Chicago
    story.tell("cov-end", "CoverageEnded", payer="prairie-blue", last_date="2026-02-03")
    (row,) = changed(story, "2026-02-28T00:00Z")
    assert (row.date, row.days_late) == ("2026-02-04", 25)


def test_another_episode_of_the_patient_can_be_the_cause() -> None:
    story = at(served_in_february().opened("EP-2").planned("EP-2"), "2026-03-01T09:00Z").served("2026-02-03", "EP-2")
    (row,) = changed(story, "2026-02-28T00:00Z")
    assert (row.episode, row.after, row.because) == ("EP-1", "conflict duplicate_per_diem", ("chart:day-03",))


def test_what_was_recorded_earlier_is_told_earlier_whatever_its_position() -> None:
    """History brought over lands behind what was there."""
    here, brought = served_in_february(), Story().opened("EP-2").planned("EP-2")
    at(here, "2026-03-05T09:00Z").tell("died", "PatientDied", date="2026-02-02")
    at(brought, "2026-03-01T09:00Z").served("2026-02-03", "EP-2")
    span = datetime.fromisoformat("2026-02-28T00:00Z"), datetime.fromisoformat(LATER)
    rows = between(placed(typed(here.told + brought.told)), "EP-1", load_book(), *span) or []
    assert [(row.date, row.because) for row in rows] == [
        ("2026-02-03", ("chart:died", "chart:day-03")),
        ("2026-02-04", ("chart:died",)),
    ]


def test_an_episode_not_yet_opened_has_nothing_to_tell() -> None:
    told = placed(typed(served_in_february().told))
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert between(told, "EP-1", load_book(), early, early) is None
    assert between(told, "EP-9", load_book(), early, late) is None
    assert between(told, "EP-1", load_book(), late, late) == []
    found = between(told, "EP-1", load_book(), early, late)
    assert found is not None
    assert {row.before for row in found} == {None}


def test_the_ledger_tells_the_same(tmp_path: Path) -> None:
    story = at(served_in_february(), "2026-03-01T09:00Z").tell("died", "PatientDied", date="2026-02-03")
    entries = typed(story.told)
    instants = datetime(2026, 2, 15, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        ledger.append(entries, [("P-1", "EP-1")])
        rows = between_of(ledger, "EP-1", load_book(), *instants)
        assert between_of(ledger, "EP-9", load_book(), *instants) is None
    assert rows == between(enumerate(entries, 1), "EP-1", load_book(), *instants)
    assert rows


def test_a_person_reads_runs_of_dates() -> None:
    story = at(served_in_february(), "2026-03-10T15:30Z")
    story.tell("cov-end", "CoverageEnded", payer="prairie-blue", last_date="2026-02-02")
    assert list(render_between(changed(story, "2026-02-28T00:00Z"))) == [
        "2026-02-03 to 2026-02-04  billable S9325 to prairie-blue → not_billable not_covered (2 days, 180.00",
        "        dollars less)",
        "      chart:cov-end (CoverageEnded) by rn-1, recorded 2026-03-10 15:30 UTC, 34 to 35 days late",
    ]


# Laws


def days_as_known(entries: list[Entry], book: Book, known_at: datetime) -> dict[tuple[str, str], dict[str, Any]]:
    rows = judge_entries(entries, book, known_at).days
    return {(row["episode"], row["date"]): {name: row[name] for name in COMPARED} for row in rows}


def moments(entries: list[Entry], book: Book) -> list[datetime]:
    """Instants at which something becomes known, and instants just before."""
    told = [datetime.combine(t.published, time(), UTC) for payer in book.payers.values() for t in payer.terms]
    known = sorted({entry.recorded_at for entry in entries} | {at for at in told if at.year == 2026})
    return sorted({*known, *(at - timedelta(seconds=1) for at in known)})


@settings(deadline=None, max_examples=many(6, 60))
@given(st.integers(0, 2**64 - 1).map(Random))
def test_the_rows_are_the_days_that_differ_as_known_at_the_two_instants(rng: Random) -> None:
    told, tables = history(rng)
    entries, book = typed(told), book_of(tables)
    first, last = sorted(rng.choices(moments(entries, book), k=2))
    before, after = days_as_known(entries, book, first), days_as_known(entries, book, last)
    for episode in {entry.episode for entry in entries}:
        rows = between(placed(entries), episode, book, first, last)
        differ = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        assert [row.date for row in rows or ()] == sorted(day for name, day in differ if name == episode)
        for row in rows or ():
            check_row(row, before.get((episode, row.date)), after.get((episode, row.date)))
            check_cause(row, entries, book, (first, last))


def words(day: dict[str, Any] | None) -> str | None:
    return f"{day['status']} {day['reason'] or day['code']}" if day else None


def check_row(row: DayChanged, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    """It says what the day was and is."""
    assert (row.before, row.after) == (words(before), words(after))
    assert (row.payer_before, row.payer_after) == tuple(day["payer"] if day else None for day in (before, after))
    cents = [day["rate_cents"] or 0 if day else 0 for day in (before, after)]
    assert [row.cents_before, row.cents_after] == cents


def zone_of(episode: str, entries: list[Entry], known_at: datetime) -> str:
    folded = episode_of(episode, by_episode(entries)[episode], known_at)
    assert folded is not None
    return folded.opening[1].zone


def check_cause(row: DayChanged, entries: list[Entry], book: Book, within: tuple[datetime, datetime]) -> None:
    """What it names became known in between, and by then the day was what it is in the end."""
    labels = {entry.label for entry in entries if within[0] < entry.recorded_at <= within[1]}
    assert set(row.because) <= labels
    if row.cause == "entry":
        ((_, entry),) = [pair for pair in placed(entries) if pair[0] == row.position]
        assert row.because[0] == entry.label
        assert (row.type, row.by) == (entry.fact.__struct_config__.tag, entry.by)
        known = entry.recorded_at
        on = known.astimezone(ZoneInfo(zone_of(row.episode, entries, within[1]))).date()
    else:
        assert row.note
        assert row.recorded_at is None
        on = date.fromisoformat(row.note[-10:])
        known = datetime.combine(on, time(), UTC)
    assert within[0] < known <= within[1]
    assert row.days_late == (on - date.fromisoformat(row.date)).days
    assert judged(entries, book, known).get((row.episode, row.date)) == row.after


def test_the_histories_reach_both_kinds_of_causes() -> None:
    causes: set[str] = set()
    longest = 0
    for seed in range(60):
        told, tables = history(Random(seed))
        entries, book = typed(told), book_of(tables)
        ends = entries[0].recorded_at, entries[-1].recorded_at + timedelta(days=30)
        rows = between(placed(entries), entries[0].episode, book, *ends) or []
        causes |= {row.cause for row in rows}
        longest = max(longest, *(len(row.because) for row in rows), 0)
    assert causes == {"entry", "terms"}
    assert longest > 2


def test_two_spans_make_one() -> None:
    """A day that differs over both spans differs over one of them."""
    for seed in range(12):
        told, tables = history(Random(seed))
        entries, book = typed(told), book_of(tables)
        at = moments(entries, book)
        first, middle, last = at[0], at[len(at) // 2], at[-1]
        episode = entries[0].episode
        whole, one, two = (
            {row.date for row in between(placed(entries), episode, book, *span) or ()}
            for span in ((first, last), (first, middle), (middle, last))
        )
        assert one ^ two <= whole <= one | two
