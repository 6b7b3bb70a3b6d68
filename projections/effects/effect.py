"""What entries change: two states of some patients judged side by side by one book.

Of a ledger before and after something was recorded, or of a ledger and a rehearsal of it; few are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Literal, NamedTuple

from ledger.book import Book
from ledger.facts.entry import patient_named
from ledger.judge.case import Case
from ledger.judge.claims import claimed_lines
from ledger.judge.findings import Finding, find
from ledger.judge.patients import Patient, gather
from ledger.judge.regions import judged_days
from ledger.judge.steps import judge
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.audit.between import DayState, state_of
from projections.audit.claimed import claimed_of
from projections.audit.claimed_rows import ClaimedDay, owed_cents
from projections.effects.rows import Change, ClaimChanged, DaysChanged, FindingChanged, PatientChanged
from projections.reading.around import episodes_around, read_streams
from projections.reading.unjudged import Streams, judging
from projections.rows.finding import message_of, summary_of
from projections.words import iso, runs


class State(NamedTuple):
    """A ledger up to a position, or all of it."""

    ledger: EpisodeLedger
    upto: int | None = None


class _Day(NamedTuple):
    """A date that changes."""

    patient: str
    episode: str
    date: str
    was: DayState
    now: DayState


def changes_between(
    before: State, after: State, patients: Collection[str], book: Book, progress: Progress = silent
) -> Iterator[Change]:
    """What changes for some patients, and for all who have to do with them, from one state to another."""
    done: set[str] = set()
    for count, name in enumerate(sorted(patients), 1):
        if name not in done:
            episodes = episodes_around(after.ledger, after.ledger.episodes_of(name))
            was, now = (read_streams(state.ledger, episodes, state.upto) for state in (before, after))
            yield from changes_of(was, now, book)
            named = {patient_named(entry) for stream in now.values() for entry in stream} - {None}
            done |= {other for each in named for other in after.ledger.names_of(each or "")}
        progress(count, len(patients))


def changes_of(before: Streams, after: Streams, book: Book) -> list[Change]:
    """What changes from some entries to others; of each patient whom they name, all episodes are among them.

    TooCostly beyond the budget of a patient.
    """
    return judging(after, lambda streams: list(_changes(before, streams, book)))


def _changes(before: Streams, after: Streams, book: Book) -> Iterator[Change]:
    was, now = _Judged(before, book), _Judged(after, book)
    for episode in sorted(was.owners.keys() & now.owners.keys()):
        if was.owners[episode] != now.owners[episode]:
            yield PatientChanged(episode, was.owners[episode], now.owners[episode])
    yield from _days(was, now)
    yield from _findings("goes", was.findings, now.findings)
    yield from _findings("comes", now.findings, was.findings)
    yield from _claims(was.claimed, now.claimed)


_NO_DAY = DayState("", None, None, None, None)


class _Judged:
    """Some patients judged: their days, findings and wrongly claimed days."""

    def __init__(self, streams: Streams, book: Book) -> None:
        self.cases: dict[str, Case] = {}
        self.owners: dict[str, str] = {}
        self.findings: dict[tuple[object, ...], Finding] = {}
        self.claimed: dict[tuple[object, ...], ClaimedDay] = {}
        for patient in gather({name: entries for name, entries in streams.items() if entries}):
            self._take(patient, streams, book)

    def _take(self, patient: Patient, streams: Streams, book: Book) -> None:
        cases = judge(patient, book)
        for case in cases:
            self.owners[case.episode.name] = patient.name
            self.cases[case.episode.name] = case
        self.findings |= {_told_by(found): found for found in find(cases)}
        if any(line.is_per_diem for case in cases for line in claimed_lines(case.episode)):
            wrong = (row for row in claimed_of(streams, patient.name, book) if row.kind in ("overclaimed", "changed"))
            self.claimed |= {_asked_by(row): row for row in wrong}

    def days_of(self, episode: str) -> dict[int, DayState]:
        """The days of an episode by date, worked out when they are asked for."""
        return {day.date: state_of(day) for day in judged_days(self.cases[episode])} if episode in self.cases else {}


def _told_by(found: Finding) -> tuple[object, ...]:
    """What makes a finding another one: neither the entries it rests on, nor whose its episodes are."""
    return (found.rule, found.level, found.episodes, found.dates, found.codes, found.payers, found.about)


def _asked_by(row: ClaimedDay) -> tuple[object, ...]:
    """What makes a wrongly claimed day another one."""
    return (row.episode, row.claim, row.date, row.claimed_code, row.payer, row.kind, row.exposure_cents,
            row.now_payer, row.now_code, row.now_cents)  # fmt: skip


def _days(was: _Judged, now: _Judged) -> Iterator[DaysChanged]:
    for episode in sorted(was.cases.keys() | now.cases.keys()):
        patient = now.owners.get(episode) or was.owners[episode]
        old, new = (each.days_of(episode) for each in (was, now))
        both = ((on, old.get(on, _NO_DAY), new.get(on, _NO_DAY)) for on in sorted(old.keys() | new.keys()))
        changed = [_Day(patient, episode, iso(on), *states) for on, *states in both if states[0] != states[1]]
        yield from map(_row, runs(changed, attrgetter("was", "now")))


def _row(run: Sequence[_Day]) -> DaysChanged:
    patient, episode, first, was, now = run[0]
    return DaysChanged(
        patient, episode, from_=first, to=run[-1].date, days=len(run), before=was.words or None,
        after=now.words or None, payer_before=was.payer, payer_after=now.payer, cents_before=was.rate_cents or 0,
        cents_after=now.rate_cents or 0, authorization_before=was.authorization, authorization_after=now.authorization,
    )  # fmt: skip


def _findings(
    change: Literal["comes", "goes"],
    here: Mapping[tuple[object, ...], Finding],
    there: Mapping[tuple[object, ...], Finding],
) -> Iterator[FindingChanged]:
    together: dict[tuple[object, ...], list[Finding]] = {}
    for found in (here[key] for key in here.keys() - there.keys()):
        said = (found.rule, found.level, found.patient, found.episodes, found.codes, message_of(found))
        together.setdefault(said, []).append(found)
    for _, each in sorted(together.items(), key=str):
        found = each[0]
        dates = sorted({iso(on) for one in each for on in one.dates})
        yield FindingChanged(
            change, found.rule, found.level, found.patient, found.episodes, tuple(dates), found.codes,
            summary_of(found), message_of(found),
        )  # fmt: skip


def _claims(
    was: Mapping[tuple[object, ...], ClaimedDay], now: Mapping[tuple[object, ...], ClaimedDay]
) -> Iterator[ClaimChanged]:
    together: dict[tuple[str, str, str, str], list[ClaimedDay]] = {}
    for row in (now[key] for key in now.keys() - was.keys()):
        together.setdefault((row.patient, row.episode, str(row.claim), str(row.payer)), []).append(row)
    for place, rows in sorted(together.items()):
        dates = tuple(sorted({row.date for row in rows}))
        yield ClaimChanged(*place, dates, sum(row.exposure_cents for row in rows), owed_cents(rows))
