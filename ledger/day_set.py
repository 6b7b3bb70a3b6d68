"""Sets of service dates as bit masks over one episode's calendar.

A ``Days`` is an ``int`` whose bit *i* stands for the calendar's first date plus *i*; union, intersection and difference
are ``|``, ``&`` and ``& ~``. Dates are proleptic ordinals (``date.toordinal()``) everywhere inside the judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, TypeAlias

Days: TypeAlias = int
"""A set of dates of one calendar."""

OPEN_END: Final = date.max.toordinal()
"""The last date of a span without a ``to``."""


class Calendar:
    """The dates of one episode, ``first`` to ``last`` (ordinals, inclusive); empty when ``last`` < ``first``."""

    __slots__ = ("every", "first", "last")

    def __init__(self, first: int, last: int) -> None:
        self.first, self.last = first, last
        self.every: Days = (1 << (last - first + 1)) - 1 if last >= first else 0

    def span(self, from_: int, to: int) -> Days:
        """The calendar's dates from ``from_`` to ``to``, both included."""
        low = from_ if from_ > self.first else self.first
        high = to if to < self.last else self.last
        return ((1 << (high - low + 1)) - 1) << (low - self.first) if high >= low else 0

    def spans(self, spans: Iterable[tuple[int, int]]) -> Days:
        """The calendar's dates in any of the spans."""
        first, last, days = self.first, self.last, 0
        for from_, to in spans:  # ``span``, written out: most of the judge's work is here
            low = from_ if from_ > first else first
            high = to if to < last else last
            if high >= low:
                days |= ((1 << (high - low + 1)) - 1) << (low - first)
        return days

    def day(self, ordinal: int) -> Days:
        """That one date, or no date if it lies outside."""
        return 1 << (ordinal - self.first) if self.first <= ordinal <= self.last else 0

    def dates(self, days: Days) -> list[int]:
        """The ordinals of a set, ascending."""
        found: list[int] = []
        for first, last in self.runs(days):
            found += range(first, last + 1)
        return found

    def runs(self, days: Days) -> Iterator[tuple[int, int]]:
        """The unbroken runs of a set as (first, last) ordinals, ascending."""
        at = self.first
        while days:
            gap = (days & -days).bit_length() - 1
            days >>= gap
            length = (~days & (days + 1)).bit_length() - 1
            yield at + gap, at + gap + length - 1
            at += gap + length
            days >>= length

    def moved(self, days: Days, home: Calendar) -> Days:
        """A set of another calendar's dates as far as they lie in this one."""
        shift = home.first - self.first
        return (days << shift if shift >= 0 else days >> -shift) & self.every


def smear(days: Days, length: int) -> Days:
    """Every date of the set and the ``length`` - 1 dates after it."""
    reached = 1
    while reached < length:
        step = min(reached, length - reached)
        days |= days << step
        reached += step
    return days


def earliest(days: Days, count: int) -> Days:
    """The first so many dates of the set; all of them if there are no more."""
    if days.bit_count() <= count:
        return days
    low, high = 0, days.bit_length()  # so many bits hold too few, so many hold enough
    while high - low > 1:
        middle = (low + high) // 2
        if (days & ((1 << middle) - 1)).bit_count() < count:
            low = middle
        else:
            high = middle
    return days & ((1 << high) - 1)
