"""An order by date: which of its tellings counts on which date (rulebook section 2, Business duplicates).

A number is used again when an order is renewed. So an order is in force where one of its tellings covers the date and
was not ended before it, and has there the mode, the interval and the signature of the one recorded last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from ledger.day_set import Calendar, Days
from ledger.facts.entry import Entry


class Telling(Struct, frozen=True, gc=False):
    """One live ``TherapyOrdered`` of an order; its end is already cut by the stops of the order."""

    from_: int
    to: int
    mode: str
    interval_hours: int
    signed_on: int | None
    entry: Entry


class Order:
    """An order's tellings on the dates of an episode, each with the dates on which it counts."""

    __slots__ = ("begins", "ends", "in_force", "tellings")

    tellings: list[tuple[Telling, Days]]
    in_force: Days
    begins: Days
    ends: Days

    def __init__(self, tellings: Sequence[Telling], calendar: Calendar) -> None:
        if len(tellings) == 1:  # most
            self._tell_once(tellings[0], calendar)
            return
        wide = Calendar(calendar.first, calendar.last + 1)  # whether it ends on the last date, the day after says
        free, counted = wide.every, []
        for telling in reversed(tellings):  # the one recorded last comes first
            days = wide.span(telling.from_, telling.to) & free
            free &= ~days
            counted.append((telling, days & calendar.every))
        in_force = wide.every & ~free
        self.tellings = counted
        self.in_force = in_force & calendar.every
        self.begins = self.in_force & ~(in_force << 1)
        self.ends = self.in_force & ~(in_force >> 1)

    def _tell_once(self, telling: Telling, calendar: Calendar) -> None:
        self.in_force = calendar.span(telling.from_, telling.to)
        self.tellings = [(telling, self.in_force)]
        self.begins = self.in_force & -self.in_force
        self.ends = calendar.day(telling.to) & self.in_force

    def with_interval_over(self, hours: int) -> Days:
        """The dates on which the telling that counts has a longer interval."""
        return self._where(lambda telling: telling.interval_hours > hours)

    def unsigned(self, calendar: Calendar, *, before_service: bool) -> Days:
        """The dates on which the telling that counts has no signature; or none on or before the date."""
        if not before_service:
            return self._where(lambda telling: telling.signed_on is None)
        days = 0
        for telling, counts in self.tellings:
            signed = 0 if telling.signed_on is None else calendar.span(telling.signed_on, calendar.last)
            days |= counts & ~signed
        return days

    def _where(self, holds: Callable[[Telling], bool]) -> Days:
        days = 0
        for telling, counts in self.tellings:
            if holds(telling):
                days |= counts
        return days

    def by_interval(self, recorded: Days, calendar: Calendar) -> Iterator[tuple[int, Days]]:
        """Recorded dates with the interval (hours) that holds on each: of the telling that counts on it, else of the
        one with the latest ``from`` before it, else of the one with the earliest."""
        for telling, counts in self.tellings:
            if counts & recorded:
                yield telling.interval_hours, counts & recorded
        rest = recorded & ~self.in_force
        if not rest:
            return
        by_start = [telling for telling, _ in reversed(self.tellings)]
        by_start.sort(key=lambda telling: telling.from_)  # stable: of equal ones, the one recorded last comes last
        earliest = [telling for telling in by_start if telling.from_ == by_start[0].from_][-1]
        for telling in reversed(by_start):
            days = rest & calendar.span(telling.from_ + 1, calendar.last)
            if days:
                yield telling.interval_hours, days
            rest &= ~days
        if rest:
            yield earliest.interval_hours, rest

    def telling_on(self, day: Days) -> Telling | None:
        """The telling that counts on a date; None where the order is not in force."""
        return next((telling for telling, counts in self.tellings if counts & day), None)
