"""An episode's history retold: every entry in the order it was recorded, and which days got which verdict by it.

The patient is judged on what stood before an entry and on what stood after it; the difference is what the entry did.
Entries of the patient's other episodes are told if, and only if, they changed a day of this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Final

import msgspec

from ledger import events as ev
from ledger.book import PER_DIEM_CODES, Book
from ledger.days import judge
from ledger.entry import Entry, tag_of
from ledger.episode import Episode, Patient
from ledger.judged import JudgedDay, judged_days
from ledger.patients import episode_of
from ledger.store import EpisodeLedger
from projections.day_sheet import iso

Verdicts = dict[str, dict[int, str]]
"""The verdict of each day (ordinal), by episode."""


class DayChange(msgspec.Struct, frozen=True, gc=False):
    """A day whose verdict an entry changed; None where the episode has no such day."""

    episode: str
    date: str
    before: str | None
    after: str | None


class JournalRow(msgspec.Struct, frozen=True, gc=False):
    """One entry with who told it, when, from where, what it corrects or retracts, and the days it changed."""

    position: int
    recorded_at: str
    episode: str
    version: int
    source: str
    id: str
    by: str
    type: str
    target: str | None
    changes: tuple[DayChange, ...]


_INERT: Final = (
    ev.SupplyDispensed, ev.DrugDispensed, ev.DrugBilledSeparately, ev.ResponseNoted, ev.CoordinationNoted,
    ev.ClaimSubmitted,
)  # fmt: skip
"""What the judge never reads; a correction or retraction of one of these is another entry, and is judged."""


def replay(
    recorded: Iterable[tuple[int, Entry]], episode: str, book: Book, known_at: datetime | None = None
) -> Iterator[JournalRow]:
    """The journal of an episode, from the entries (with positions, in their order) of everybody it ever shared a
    patient with; with ``known_at`` only what was recorded by then, read against the book as known then."""
    retelling = _Retelling(episode, book if known_at is None else book.known(known_at.date()))
    for position, entry in recorded:
        if known_at is None or entry.recorded_at <= known_at:
            changes = retelling.add(entry)
            if entry.episode == episode or any(change.episode == episode for change in changes):
                yield _row(position, entry, changes)


def replay_of(
    ledger: EpisodeLedger, episode: str, book: Book, known_at: datetime | None = None
) -> Iterator[JournalRow]:
    """The journal of an episode of the ledger; empty for an episode it does not know."""
    return replay(_recorded_around(ledger, episode), episode, book, known_at)


def _recorded_around(ledger: EpisodeLedger, episode: str) -> list[tuple[int, Entry]]:
    """The entries of the episode and of all that its patients' episodes ever had to do with, by position."""
    names, waiting = {episode}, [episode]
    while waiting:
        sharing = {other for patient in ledger.patients_of(waiting.pop()) for other in ledger.episodes_of(patient)}
        waiting += sharing - names
        names |= sharing
    entries = [entry for name in sorted(names) for entry in ledger.entries_of(name)]
    positions = ledger.positions_of(entries)
    assert positions is not None, "what was just read stands in the ledger"
    return sorted(zip(positions, entries, strict=True), key=lambda placed: placed[0])


class _Retelling:
    """The episodes as they stand after the entries so far, and the verdicts of their patients."""

    def __init__(self, episode: str, book: Book) -> None:
        self.episode, self.book = episode, book
        self.streams: dict[str, list[Entry]] = {}
        self.folded: dict[str, Episode] = {}
        self.judged: dict[str, Verdicts] = {}

    def add(self, entry: Entry) -> list[DayChange]:
        """Take the next entry in; the days it changed, of this episode and of its patient's others."""
        name = entry.episode
        self.streams.setdefault(name, []).append(entry)
        if _is_inert(entry.fact):
            return []
        folded = episode_of(name, self.streams[name])
        assert folded is not None, "it has an entry"
        touched = {folded.patient, self.folded[name].patient if name in self.folded else folded.patient}
        if name != self.episode and self._home not in touched:
            self._stand(folded, touched)
            return []
        before, were = self._verdicts(touched), self._at_home
        self._stand(folded, touched)
        after = self._verdicts(touched)
        return list(_differences(before, after, were | self._at_home))

    @property
    def _home(self) -> str | None:
        return self.folded[self.episode].patient if self.episode in self.folded else None

    @property
    def _at_home(self) -> set[str]:
        """The replayed episode and its patient's others."""
        home = self._home
        return {name for name, folded in self.folded.items() if folded.patient == home}

    def _stand(self, folded: Episode, touched: set[str]) -> None:
        self.folded[folded.name] = folded
        for patient in touched:
            self.judged.pop(patient, None)

    def _verdicts(self, patients: set[str]) -> Verdicts:
        together: Verdicts = {}
        for patient in patients:
            if patient not in self.judged:
                theirs = [folded for folded in self.folded.values() if folded.patient == patient]
                self.judged[patient] = {
                    case.episode.name: {day.date: verdict_text(day) for day in judged_days(case)}
                    for case in judge(Patient(patient, theirs), self.book)
                }
            together |= self.judged[patient]
        return together


def _differences(before: Verdicts, after: Verdicts, episodes: set[str]) -> Iterator[DayChange]:
    for name in sorted(episodes):
        old, new = before.get(name, {}), after.get(name, {})
        if old != new:
            for day in sorted(old.keys() | new.keys()):
                if old.get(day) != new.get(day):
                    yield DayChange(name, iso(day), old.get(day), new.get(day))


def _is_inert(fact: ev.Event) -> bool:
    if isinstance(fact, ev.ServiceBilledSeparately):
        return fact.code not in PER_DIEM_CODES
    return isinstance(fact, _INERT)


def verdict_text(day: JudgedDay) -> str:
    """A day's verdict in two words: ``billable S9325``, ``hold plan_missing``."""
    return f"{day.verdict.status} {day.verdict.reason or day.code}"


def utc_text(at: datetime) -> str:
    """An instant as rows carry it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def minute(instant: str) -> str:
    """An instant of a row as a person reads it, to the minute."""
    return f"{instant[:10]} {instant[11:16]} UTC"


def _row(position: int, entry: Entry, changes: Sequence[DayChange]) -> JournalRow:
    fact = entry.fact
    target = f"{fact.target_source}:{fact.target_id}" if isinstance(fact, ev.FactCorrected | ev.FactRetracted) else None
    return JournalRow(
        position, utc_text(entry.recorded_at), entry.episode, entry.version, entry.source, entry.id, entry.by,
        tag_of(fact), target, tuple(changes),
    )  # fmt: skip


def render_journal(rows: Iterable[JournalRow]) -> str:
    """The journal for a person's terminal: a paragraph an entry, its changes as runs of dates."""
    return "\n".join(line for row in rows for line in _paragraph(row))


def _paragraph(row: JournalRow) -> Iterator[str]:
    of = f" of {row.target}" if row.target else ""
    yield (
        f"{row.position}  {row.episode}  {row.source}:{row.id} ({row.type}{of})"
        f" by {row.by}, recorded {minute(row.recorded_at)}"
    )
    for first, last, count in _runs(row.changes):
        span = first.date if count == 1 else f"{first.date}..{last.date}"
        where = "" if first.episode == row.episode else f" of {first.episode}"
        days = "1 day" if count == 1 else f"{count} days"
        yield f"    {span}{where} {first.before or 'no day'} → {first.after or 'no day'} ({days})"
    if not row.changes:
        yield "    changes no day"


def _runs(changes: Sequence[DayChange]) -> Iterator[tuple[DayChange, DayChange, int]]:
    """Changes of one kind on consecutive dates: the first, the last, and how many."""

    def kind(placed: tuple[int, DayChange]) -> tuple[object, ...]:
        place, change = placed
        return change.episode, change.before, change.after, date.fromisoformat(change.date).toordinal() - place

    for _, placed in groupby(enumerate(changes), kind):
        run = [change for _, change in placed]
        yield run[0], run[-1], len(run)
