"""What entries change: two states of some patients judged side by side by one book.

Of a ledger before and after something was recorded, or of a ledger and a rehearsal of it; few are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Literal, NamedTuple

import msgspec

from ledger.book import Book
from ledger.facts.entry import Entry, patient_named
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
from projections.reading.around import episodes_around, read_streams
from projections.reading.as_known import some_episode
from projections.reading.budget import within_budget
from projections.rows.finding import message_of, summary_of
from projections.words import iso, runs

Streams = Mapping[str, Sequence[Entry]]


class DaysChanged(msgspec.Struct, frozen=True, tag_field="effect", tag="days", gc=False):
    """Consecutive dates of an episode that change alike; None where there is no such day, cents are of each date."""

    patient: str
    episode: str
    from_: str = msgspec.field(name="from")
    to: str
    days: int
    before: str | None
    after: str | None
    payer_before: str | None
    payer_after: str | None
    cents_before: int
    cents_after: int
    authorization_before: str | None
    authorization_after: str | None


class FindingChanged(msgspec.Struct, frozen=True, tag_field="effect", tag="finding", gc=False):
    """A finding that comes or goes; dates of which the same is said are together.

    ``summary`` says what is wrong without a name that stands in the ledger, ``message`` with it and what to do.
    """

    change: Literal["comes", "goes"]
    rule: str
    level: str
    patient: str
    episodes: tuple[str, ...]
    dates: tuple[str, ...]
    codes: tuple[str, ...]
    summary: str
    message: str


class PatientChanged(msgspec.Struct, frozen=True, tag_field="effect", tag="patient", gc=False):
    """An episode that goes to another patient, with all that was recorded in it."""

    episode: str
    before: str
    after: str


class ClaimChanged(msgspec.Struct, frozen=True, tag_field="effect", tag="claim", gc=False):
    """A claim to be replaced or voided for these dates: what of it does not stand, and what of that was paid."""

    patient: str
    episode: str
    claim: str
    payer: str
    dates: tuple[str, ...]
    exposure_cents: int
    owed_cents: int


class DollarsChanged(msgspec.Struct, frozen=True, tag_field="effect", tag="dollars", gc=False):
    """What the days that change are worth, for one payer: how many of them are billable, and the sum of their rates."""

    payer: str
    days_before: int
    days_after: int
    cents_before: int
    cents_after: int


Change = PatientChanged | DaysChanged | FindingChanged | ClaimChanged


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
    return within_budget(some_episode(after), lambda: list(_changes(before, after, book)))


def _changes(before: Streams, after: Streams, book: Book) -> Iterator[Change]:
    was, now = _Judged(before, book), _Judged(after, book)
    for episode in sorted(was.owners.keys() & now.owners.keys()):
        if was.owners[episode] != now.owners[episode]:
            yield PatientChanged(episode, was.owners[episode], now.owners[episode])
    yield from _days(was, now)
    yield from _findings("goes", was.findings, now.findings)
    yield from _findings("comes", now.findings, was.findings)
    yield from _claims(was.claimed, now.claimed)


def dollars_of(changes: Iterable[Change]) -> list[DollarsChanged]:
    """The changes of days in days and dollars by payer, those of payers for whom nothing changes left out."""
    totals: dict[str, list[int]] = {}
    for change in changes:
        if isinstance(change, DaysChanged):
            for place, words, payer, cents in (
                (0, change.before, change.payer_before, change.cents_before),
                (1, change.after, change.payer_after, change.cents_after),
            ):
                if payer is not None and words is not None and words.startswith("billable "):
                    total = totals.setdefault(payer, [0, 0, 0, 0])
                    total[place] += change.days
                    total[2 + place] += change.days * cents
    return [
        DollarsChanged(payer, *total)
        for payer, total in sorted(totals.items())
        if total[0] != total[1] or total[2] != total[3]
    ]


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
