"""Beginnings and endings of one number, read as groups (rulebook section 2, Business duplicates: stays and holds).

A number is not unique in the world: one or more beginnings, then one or more endings, then beginnings again is another
stay or hold, and nothing recorded vanishes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from ledger.facts.entry import Entry


class Mark(NamedTuple):
    """A beginning or an ending of a number, at an instant (stays) or on a date (holds)."""

    at: Any
    begins: bool
    entry: Entry


class Group(NamedTuple):
    """One stay or hold of a number: its beginnings, then its endings (none: open), each in order."""

    begins: Sequence[Mark]
    ends: Sequence[Mark]

    @property
    def first(self) -> Mark:
        """Its earliest beginning."""
        return self.begins[0]

    @property
    def last(self) -> Mark | None:
        """Its latest ending, or None while it is open."""
        return self.ends[-1] if self.ends else None


def recorded(entry: Entry) -> tuple[datetime, str, int]:
    """Where an entry stands among those of all the patient's episodes (rulebook section 2, Whose facts)."""
    return entry.recorded_at, entry.episode, entry.version


def groups(marks: Iterable[Mark]) -> tuple[list[Group], list[Mark]]:
    """The groups of one number's marks, in order; and the endings that belong to nothing.

    Of equal times the endings come first if a group runs before that time, else the beginnings.
    """
    found: list[tuple[list[Mark], list[Mark]]] = []
    unmatched: list[Mark] = []
    in_order = sorted(marks, key=lambda mark: (mark.at, *recorded(mark.entry)))
    for _, together in groupby(in_order, key=lambda mark: mark.at):
        runs = bool(found) and not found[-1][1]
        for mark in sorted(together, key=lambda mark: mark.begins == runs):
            if mark.begins:
                if not found or found[-1][1]:
                    found.append(([], []))
                found[-1][0].append(mark)
            elif found:
                found[-1][1].append(mark)
            else:
                unmatched.append(mark)
    return [Group(begins, ends) for begins, ends in found], unmatched
