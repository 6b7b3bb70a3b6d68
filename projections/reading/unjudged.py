"""Where judging a patient fails unforeseen: the entry with which it first does, so that they can be left out for it.

A text that was damaged may still be one of a fact, which no door would have let in; and a fault of ours may show with
the history of one patient alone. Either would stop everybody, and name nobody.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry, UnreadableEntry
from projections.reading.budget import within_budget

T = TypeVar("T")
Streams = Mapping[str, Sequence[Entry]]
"""The entries of some episodes, each episode's by version."""

FAULTS: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What comes of entries that nobody foresaw; what the file system or a database says is none of it."""


class Unjudged(UnreadableEntry):
    """An entry that can be read, and with which its patient cannot be judged."""

    def __init__(self, episode: str, version: int, fault: str) -> None:
        super().__init__(episode, version)
        self.fault = fault

    def __str__(self) -> str:
        return f"{super().__str__()} ({self.fault})"

    def __reduce__(self) -> tuple[type[Unjudged], tuple[str, int, str]]:  # type: ignore[override]
        """So that one process can tell another."""
        return Unjudged, (self.episode, self.version, self.fault)


def some_episode(streams: Streams) -> str:
    """What a patient is called by where their own name must not stand."""
    return min((name for name in streams if name != HOUSE), default=HOUSE)


def judging(streams: Streams, work: Callable[[Streams], T]) -> T:
    """What the work on the entries of a patient's episodes gives; TooCostly beyond the budget, Unjudged where it fails
    unforeseen."""
    try:
        return within_budget(some_episode(streams), lambda: work(streams))
    except FAULTS as fault:
        raise unjudged(streams, work, fault) from fault


def unjudged(streams: Streams, work: Callable[[Streams], object], fault: BaseException) -> Unjudged:
    """The first entry with which the work fails, in the order they were recorded: some ten goes at it tell."""
    entries = sorted((entry for stream in streams.values() for entry in stream), key=_recorded)
    fine, failing = 0, len(entries)
    while failing - fine > 1:
        tried = (fine + failing) // 2
        fine, failing = (fine, tried) if _fails(streams, entries[:tried], work) else (tried, failing)
    last = entries[failing - 1]
    return Unjudged(last.episode, last.version, in_words(fault))


def _recorded(entry: Entry) -> tuple[object, ...]:
    return entry.recorded_at, entry.episode, entry.version


def _fails(streams: Streams, entries: Sequence[Entry], work: Callable[[Streams], object]) -> bool:
    recorded = {id(entry) for entry in entries}
    some = {name: [entry for entry in stream if id(entry) in recorded] for name, stream in streams.items()}
    try:
        within_budget(some_episode(streams), lambda: work(some))
    except FAULTS:
        return True
    except UnreadableEntry:
        return False
    return False


def in_words(fault: BaseException) -> str:
    """What a fault of ours is, and where; nothing of what was being read, which may be a patient's data."""
    frames = traceback.extract_tb(fault.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"
    return f"{type(fault).__name__} at {place}"
