"""An episode's history retold: every entry in the order it was recorded, and which days got which verdict by it.

The patient is judged on what stood before an entry and on what stood after it; the difference is what the entry did.
Entries of the patient's other episodes are told if, and only if, they changed a day of this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from ledger.book import Book
from ledger.facts import events as ev
from ledger.facts.entry import Entry, tag_of
from ledger.store import EpisodeLedger
from projections.audit.said_of_days import Change
from projections.audit.timeline import Timeline
from projections.reading.around import recorded_around
from projections.reading.as_known import book_known
from projections.words import counted, iso, minute, runs, utc_text, verdict_text


class DayChange(msgspec.Struct, frozen=True, gc=False):
    """A day whose verdict an entry changed; None where the episode has no such day."""

    episode: str
    date: str
    before: str | None
    after: str | None


class ReplayRow(msgspec.Struct, frozen=True, gc=False):
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
    told_at: str | None = None


def replay(
    recorded: Iterable[tuple[int, Entry]], episode: str, book: Book, known_at: datetime | None = None
) -> Iterator[ReplayRow]:
    """The replay of an episode, from the entries (with positions, in their order) of everybody it ever shared a
    patient with; with ``known_at`` only what was recorded by then, read against the book as known then."""
    timeline = Timeline(episode, book_known(book, known_at), verdict_text)
    for position, entry in recorded:
        if known_at is None or entry.recorded_at <= known_at:
            changes = [_day_change(change) for change in timeline.add(entry)]
            if entry.episode == episode or any(change.episode == episode for change in changes):
                yield _row(position, entry, changes)


def replay_of(ledger: EpisodeLedger, episode: str, book: Book, known_at: datetime | None = None) -> Iterator[ReplayRow]:
    """The replay of an episode of the ledger; empty for an episode it does not know."""
    return replay(recorded_around(ledger, episode), episode, book, known_at)


def _day_change(change: Change[str]) -> DayChange:
    return DayChange(change.episode, iso(change.date), change.before, change.after)


def _row(position: int, entry: Entry, changes: Sequence[DayChange]) -> ReplayRow:
    fact = entry.fact
    target = f"{fact.target_source}:{fact.target_id}" if isinstance(fact, ev.FactCorrected | ev.FactRetracted) else None
    return ReplayRow(
        position, utc_text(entry.recorded_at), entry.episode, entry.version, entry.source, entry.id, entry.by,
        tag_of(fact), target, tuple(changes), utc_text(entry.told_at) if entry.told_at else None,
    )  # fmt: skip


def render_replay(rows: Iterable[ReplayRow]) -> str:
    """The replay for a person's terminal: a paragraph an entry, its changes as runs of dates."""
    return "\n".join(line for row in rows for line in _paragraph(row))


def _paragraph(row: ReplayRow) -> Iterator[str]:
    of = f" of {row.target}" if row.target else ""
    told = f", told elsewhere {minute(row.told_at)}" if row.told_at else ""
    yield (
        f"{row.position}  {row.episode}  {row.source}:{row.id} ({row.type}{of})"
        f" by {row.by}, recorded {minute(row.recorded_at)}{told}"
    )
    for run in runs(row.changes, _change):
        first = run[0]
        span = first.date if len(run) == 1 else f"{first.date}..{run[-1].date}"
        where = "" if first.episode == row.episode else f" of {first.episode}"
        yield f"    {span}{where} {first.before or 'no day'} → {first.after or 'no day'} ({counted(len(run), 'day')})"
    if not row.changes:
        yield "    changes no day"


def _change(change: DayChange) -> tuple[str, str | None, str | None]:
    return change.episode, change.before, change.after
