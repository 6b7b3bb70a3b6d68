"""The dates of an episode's evidence, added up once: facts only ever come to a fold, so the sums are carried on."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, Protocol

from ledger.day_set import Calendar, Days
from ledger.judge.drawing import Drawing


class OnDate(Protocol):
    """A fact of one date."""

    @property
    def date(self) -> int:
        """The date."""


class OnDates(Protocol):
    """A recorded day, or a span of days."""

    @property
    def from_(self) -> int:
        """The first date."""

    @property
    def to(self) -> int:
        """The last."""

    @property
    def infused(self) -> bool:
        """Whether something was infused."""


class Tally:
    """The dates of the first ``count`` facts of a list, as a mask from the earliest of them."""

    __slots__ = ("count", "days", "first", "infused", "last")

    def __init__(self) -> None:
        self.count, self.first, self.last = 0, 0, -1
        self.days: Days = 0
        self.infused: Days = 0
        """Of recorded days, those on which something was infused."""

    def take(self, first: int, last: int) -> None:
        """Take in the next fact, of these dates."""
        self._widen(first, last)
        self.days |= ((1 << (last - first + 1)) - 1) << (first - self.first)
        self.count += 1

    def take_dates(self, facts: Sequence[OnDate]) -> None:
        """Take in what came to a list of facts since."""
        if len(facts) == self.count:
            return
        dates = [fact.date for fact in (facts[self.count :] if self.count else facts)]
        self._widen(min(dates), max(dates))
        first, days = self.first, self.days
        for date in dates:
            days |= 1 << (date - first)
        self.days, self.count = days, len(facts)

    def take_served(self, served: Sequence[OnDates]) -> None:
        """Take in what came to a list of recorded days since."""
        new = served[self.count :] if self.count else served
        if not new:
            return
        self._widen(min([day.from_ for day in new]), max([day.to for day in new]))
        first, recorded, infused = self.first, self.days, self.infused
        for day in new:
            one = 1 << (day.from_ - first)
            bits = one if day.to == day.from_ else (one << (day.to - day.from_ + 1)) - one
            recorded |= bits
            if day.infused:
                infused |= bits
        self.days, self.infused, self.count = recorded, infused, len(served)

    def _widen(self, first: int, last: int) -> None:
        if not self.count:
            self.first, self.last = first, last
            return
        if first < self.first:
            self.days <<= self.first - first
            self.infused <<= self.first - first
            self.first = first
        self.last = max(self.last, last)

    def within(self, days: Days, calendar: Calendar) -> Days:
        """One of its masks as a mask of a calendar that holds all of it."""
        return days << (self.first - calendar.first) if days else 0

    def clipped(self, days: Days, calendar: Calendar) -> Days:
        """One of its masks as far as it lies in a calendar."""
        shift = self.first - calendar.first
        return (days << shift if shift >= 0 else days >> -shift) & calendar.every


class Planned(Protocol):
    """A plan of treatment."""

    @property
    def from_(self) -> int:
        """The first date."""

    @property
    def signed_on(self) -> int:
        """When it was signed."""

    def last_date(self, plan_max_days: int | None) -> int:
        """The last date it covers, under terms that let a plan cover so many dates at most."""


class Spans:
    """Dates as spans that neither overlap nor touch, in order: plans that follow each other are one."""

    __slots__ = ("spans",)

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []

    def add(self, first: int, last: int) -> None:
        """Take in some dates; none where the last lies before the first."""
        if last < first:
            return
        start = bisect_left(self.spans, first - 1, key=_last_of)
        end = bisect_right(self.spans, last + 1, key=_first_of)
        joined = self.spans[start:end]
        if joined:
            first, last = min(first, joined[0][0]), max(last, joined[-1][1])
        self.spans[start:end] = [(first, last)]


_first_of: Final = itemgetter(0)
_last_of: Final = itemgetter(1)


class PlanTally:
    """The dates that the first ``count`` plans of a list cover, and cover once signed, under one longest duration."""

    __slots__ = ("count", "planned", "signed")

    def __init__(self) -> None:
        self.count, self.planned, self.signed = 0, Spans(), Spans()

    def take_plans(self, plans: Sequence[Planned], plan_max_days: int | None) -> None:
        """Take in what came to a list of plans since."""
        for plan in plans[self.count :] if self.count else plans:
            last = plan.last_date(plan_max_days)
            self.planned.add(plan.from_, last)
            self.signed.add(max(plan.from_, plan.signed_on), last)
        self.count = len(plans)


class Tallies:
    """What is added up of an episode's evidence, assessments and plans; and what its days drew, by payer."""

    __slots__ = ("assessments", "drawing", "plans", "runs", "served", "visits")

    def __init__(self) -> None:
        self.served: dict[str, Tally] = {}
        self.runs: dict[str, Tally] = {}
        self.visits = Tally()
        self.assessments = Tally()
        self.plans: dict[int | None, PlanTally] = {}
        """By the longest duration that terms let a plan have."""
        self.drawing: dict[str, Drawing] = {}
