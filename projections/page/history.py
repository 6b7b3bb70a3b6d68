"""The history of an episode as a person follows it: the replay folded by day, source and person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from itertools import groupby
from typing import NamedTuple

from projections.audit.replay import DayChange, ReplayRow
from projections.words import runs, verdict_words


class ChangedRun(NamedTuple):
    """Consecutive dates that all became the same instead of the same."""

    episode: str
    first: str
    last: str
    days: int
    before: str
    after: str


class HistoryPart(NamedTuple):
    """What one person told out of one source on one day, in a zone: how many of each kind, and the days it changed."""

    on: str
    first_at: str
    source: str
    by: str
    kinds: str
    entries: tuple[ReplayRow, ...]
    changes: tuple[ChangedRun, ...]


def history_of(rows: Iterable[ReplayRow], where: tzinfo) -> Iterator[HistoryPart]:
    """The parts of an episode's history, in order; an entry of another source between two begins a new one."""
    for (on, source, by), told in groupby(rows, lambda row: (_day(row, where), row.source, row.by)):
        entries = tuple(told)
        yield HistoryPart(on, entries[0].recorded_at, source, by, _kinds(entries), entries, tuple(_changes(entries)))


def _day(row: ReplayRow, where: tzinfo) -> str:
    return datetime.fromisoformat(row.recorded_at).astimezone(where).date().isoformat()


def _kinds(entries: Iterable[ReplayRow]) -> str:
    found = Counter(entry.type for entry in entries)
    return ", ".join(f"{kind_words(kind)} ({number:,})" for kind, number in sorted(found.items()))


def kind_words(kind: str) -> str:
    """The kind of a record in words: ``pain assessed``."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", kind).lower()


def _changes(entries: Iterable[ReplayRow]) -> Iterator[ChangedRun]:
    """What all of them together made of each day, as runs of dates."""
    first: dict[tuple[str, str], DayChange] = {}
    last: dict[tuple[str, str], DayChange] = {}
    for entry in entries:
        for change in entry.changes:
            first.setdefault((change.episode, change.date), change)
            last[change.episode, change.date] = change
    net = [
        DayChange(episode, on, first[episode, on].before, last[episode, on].after)
        for episode, on in sorted(first)
        if first[episode, on].before != last[episode, on].after
    ]
    for run in runs(net, lambda change: (change.episode, change.before, change.after)):
        one = run[0]
        yield ChangedRun(one.episode, one.date, run[-1].date, len(run), _words(one.before), _words(one.after))


def _words(verdict: str | None) -> str:
    return verdict_words(verdict) if verdict else "no day"
