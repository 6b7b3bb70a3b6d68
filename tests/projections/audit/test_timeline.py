"""A history retold from what is kept says what judging anew after every entry says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book import Book, load_book
from ledger.facts.entry import Entry
from ledger.facts.events import InfusionLogged
from ledger.judge.case import Case
from ledger.judge.fold import MENDING
from ledger.judge.kept_fold import KeptFold
from ledger.judge.patients import Patient, by_episode, episode_of, gather
from ledger.judge.regions import JudgedDay, days_alike, judged_days
from ledger.judge.steps import judge
from ledger.judge.touched import (
    chains_of,
    first_dates_of_runs,
    first_of_hospital,
    is_inert,
    last_dates_of_runs,
    touched_from,
)
from projections.audit.claimed_shares import billed_as
from projections.audit.timeline import Timeline
from projections.reading.as_known import book_known
from projections.rows.day import DayCells
from projections.rows.day_run import cells_within, day_cells
from projections.words import verdict_text
from tests.harness import book_of, typed
from tests.histories import STRANGER, history
from tests.plain_timeline import PlainTimeline
from tests.stories import Course
from tests.tiers import many

drawn = st.integers(0, 2**64 - 1).map(Random)


def everything(day: JudgedDay) -> tuple[Any, ...]:
    """All that is said of a day, but its date."""
    return (day.verdict, day.payer, day.member, day.terms and day.terms.from_, day.provider, day.place, day.code,
            day.rate_cents, day.modifiers, day.authorization)  # fmt: skip


def told(rng: Random, *, house: bool = True) -> tuple[list[Entry], Book]:
    entries, tables = history(rng, house=house)
    return typed(entries), book_of(tables)


@given(drawn)
@settings(max_examples=many(6, 100), deadline=None)
def test_each_entry_changes_what_judging_anew_before_and_after_it_differs_in(rng: Random) -> None:
    entries, book = told(rng)
    for episode in sorted({entry.episode for entry in entries} - {""}):
        for say, by_number in ((everything, True), (verdict_text, False)):
            kept, plain = Timeline(episode, book, say, by_number=by_number), PlainTimeline(episode, book, say)
            for entry in entries:
                assert kept.add(entry) == plain.add(entry)
        assert kept.days() == plain._judged()[0].get(episode, {})


def test_units_are_drawn_anew_where_the_code_of_all_days_becomes_another() -> None:
    course = Course("prairie-blue", "2026-09", units=0)
    span = {"from_": "2026-09-01", "to": "2026-12-31"}
    course.tell("auth", "AuthorizationGranted", number="N", payer="prairie-blue", units=9, codes=["S9326"], **span)
    course.days("2026-09-02", "2026-09-03")
    course.tell("mode", "TherapyOrdered", order="RX", mode="intermittent", from_="2026-09-01", prescriber=STRANGER,
                signed_on="2026-09-01")  # fmt: skip
    entries, book = typed(course.told), load_book()
    kept, plain = Timeline("EP-1", book, everything, by_number=True), PlainTimeline("EP-1", book, everything)
    assert [kept.add(entry) for entry in entries] == [plain.add(entry) for entry in entries]
    assert {said[0].reason for said in kept.days().values()} == {"auth_missing", "not_served"}


@given(drawn)
@settings(max_examples=many(12, 150), deadline=None)
def test_up_to_a_date_it_says_the_same_and_of_later_ones_nothing(rng: Random) -> None:
    entries, book = told(rng)
    episode = entries[0].episode
    plain = PlainTimeline(episode, book, billed_as)
    changes = [plain.add(entry) for entry in entries]
    dates = sorted({change.date for of_entry in changes for change in of_entry}) or [0]
    until = rng.choice(dates)
    kept = Timeline(episode, book, billed_as, until=until)
    for entry, expected in zip(entries, changes, strict=True):
        assert kept.add(entry) == [change for change in expected if change.date <= until]


@given(drawn)
@settings(max_examples=many(6, 100), deadline=None)
def test_another_state_of_the_book_changes_what_judging_anew_differs_in(rng: Random) -> None:
    entries, book = told(rng)
    episode, half = entries[0].episode, len(entries) // 2
    early = book_known(book, datetime.combine(entries[0].recorded_at, time(), UTC) - timedelta(days=rng.randint(0, 90)))
    kept, plain = Timeline(episode, early, everything, by_number=True), PlainTimeline(episode, early, everything)
    for entry in entries[:half]:
        assert kept.add(entry) == plain.add(entry)
    assert kept.read_by(book) == plain.read_by(book)
    for entry in entries[half:]:
        assert kept.add(entry) == plain.add(entry)


@given(drawn)
@settings(max_examples=many(12, 150), deadline=None)
def test_a_kept_fold_is_judged_like_one_made_anew(rng: Random) -> None:
    """In whatever order evidence comes, and however often it was judged in between."""
    entries, book = told(rng, house=False)
    for name, stream in by_episode(entries).items():
        kept = KeptFold(name, stream[:1])
        for count, entry in enumerate(stream[1:], 2):
            kept = kept.and_(entry)
            if rng.random() < 0.5:
                anew = episode_of(name, stream[:count])
                assert anew is not None
                assert list(kept.episode.claims.items()) == list(anew.claims.items())
                cases = [judge(Patient("P", [each]), book)[0] for each in (kept.episode, anew)]
                assert day_cells(cases[0], []) == day_cells(cases[1], [])


def prefixes(entries: list[Entry], book: Book) -> Iterator[tuple[Entry, dict[str, Case], dict[str, Case]]]:
    """Each entry with the episodes as they were judged before and after it."""
    before: dict[str, Case] = {}
    for count, entry in enumerate(entries, 1):
        cases = [case for patient in gather(by_episode(entries[:count])) for case in judge(patient, book)]
        after = {case.episode.name: case for case in cases}
        yield entry, before, after
        before = after


def rows_of(cases: dict[str, Case]) -> dict[tuple[str, int], tuple[Any, ...]]:
    """The rows of all days, with their causes."""
    return {
        (name, case.calendar.first + place): row
        for name, case in cases.items()
        for place, row in enumerate(day_cells(case, _others(case, cases)))
    }


def _others(case: Case, cases: dict[str, Case]) -> list[Case]:
    return [other for other in cases.values() if other is not case and other.patient is case.patient]


def bounded(entries: list[Entry], book: Book) -> Iterator[tuple[Entry, int, dict[str, Case], dict[str, Case]]]:
    """The entries said to change nothing before a date, with that date, and the episodes as judged before and after."""
    for entry, before, after in prefixes(entries, book):
        if entry.episode not in before or is_inert(entry.fact):
            continue
        mends = type(entry.fact) in MENDING  # the dates it takes away are those after the calendar as it is then
        known = (after if mends else before)[entry.episode]
        so_far = [each for each in entries if each.episode == entry.episode and each.version <= entry.version]
        hospital_from = first_of_hospital([case.episode for case in (*before.values(), *after.values())])
        first = touched_from(entry, known.episode, known.calendar, hospital_from, chains_of(so_far))
        if first is not None:
            yield entry, min(first, before[entry.episode].calendar.last + 1), before, after


@given(drawn)
@settings(max_examples=many(15, 200), deadline=None)
def test_what_speaks_for_its_dates_and_later_ones_changes_no_row_of_an_earlier_date(rng: Random) -> None:
    entries, book = told(rng, house=False)
    for _, first, before, after in bounded(entries, book):
        was, now = ({key: row for key, row in rows_of(cases).items() if key[1] < first} for cases in (before, after))
        assert was == now


@pytest.mark.parametrize("seed", range(many(10, 300)))
def test_an_opening_changes_no_row_and_adds_none(seed: int) -> None:
    entries, book = told(Random(seed), house=False)
    for entry, before, after in prefixes(entries, book):
        if entry.version == 1:
            assert rows_of(before) == rows_of(after)


def test_that_is_asked_of_every_kind_it_is_said_of_and_often_of_dates_that_others_have() -> None:
    kinds: Counter[str] = Counter()
    later = 0
    for seed in range(20):
        entries, book = told(Random(seed), house=False)
        for entry, first, before, _ in bounded(entries, book):
            kinds[type(entry.fact).__name__] += 1
            later += any(case.calendar.first < first <= case.calendar.last for case in before.values())
    assert kinds.keys() == {
        "AuthorizationGranted", "ConflictResolved", "CoverageEnded", "CoverageVerified", "DayServed", "DaysServed",
        "DiagnosisRecorded", "Discharged", "FacilityStayed", "FactCorrected", "FactRetracted", "HospiceElected",
        "HospitalAdmitted", "HospitalDischarged", "InfusionLogged", "NursingVisited", "PainAssessed", "PatientDied",
        "PlanSigned", "ProviderChanged", "ServiceBilledSeparately", "TherapyHeld", "TherapyOrdered", "TherapyRanked",
        "TherapyResumed", "TherapyStopped",
    }  # fmt: skip
    assert later > 100


def test_without_what_it_needs_nothing_is_promised_of_stays_and_of_what_mends_others() -> None:
    kinds = Counter[str]()
    for seed in range(20):
        entries, book = told(Random(seed), house=False)
        for entry, _, before, _ in bounded(entries, book):
            known = before[entry.episode]
            if touched_from(entry, known.episode, known.calendar) is None:
                kinds[type(entry.fact).__name__] += 1
    assert kinds.keys() == {"FactCorrected", "FactRetracted", "HospitalAdmitted", "HospitalDischarged"}


@pytest.mark.parametrize("seed", range(many(20, 300)))
def test_the_runs_of_an_episode_are_asked_all_at_once(seed: int) -> None:
    entries, book = told(Random(seed), house=False)
    for patient in gather(by_episode(entries)):
        for case in judge(patient, book):
            at_once = first_dates_of_runs(case.episode)
            runs = [run.entry for runs in case.episode.runs.values() for run in runs]
            assert at_once.keys() == {run.version for run in runs}
            for run in runs:
                if isinstance(run.fact, InfusionLogged):
                    assert touched_from(run, case.episode, case.calendar) == at_once[run.version]
            kept = {(last, run.label) for last, run in last_dates_of_runs(case.episode)}
            case.episode.local_runs.clear()
            assert {(last, run.label) for last, run in last_dates_of_runs(case.episode)} == kept


@pytest.mark.parametrize("seed", range(20))
def test_days_alike_are_the_judged_days(seed: int) -> None:
    entries, book = told(Random(seed))
    for patient in gather(by_episode(entries)):
        cases = judge(patient, book)
        for case in cases:
            alike = {
                date: everything(day)
                for day, days in days_alike(case, by_number=True)
                for date in case.calendar.dates(days)
            }
            assert alike == {day.date: everything(day) for day in judged_days(case)}
            others = [other for other in cases if other is not case]
            some = Random(seed).getrandbits(case.calendar.every.bit_length() or 1) & case.calendar.every
            chosen = {row.date for row in cells_within(case, others, some)}
            rows = list(map(DayCells._make, day_cells(case, others)))
            assert sorted(cells_within(case, others, some)) == sorted(row for row in rows if row.date in chosen)
            assert len(chosen) == some.bit_count()
