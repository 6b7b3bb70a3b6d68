"""Served dates under each ``day_counting`` (rulebook section 4, Which days and Served).

The one place that knows time zones and elapsed time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.day_set import Calendar, Days, smear
from ledger.entry import Entry
from ledger.episode import Episode, Run

_INSTANT: timedelta = timedelta(microseconds=1)
_DAY: timedelta = timedelta(days=1)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The time zone of a patient's address."""
    return ZoneInfo(name)


def local_date(at: datetime, tz: ZoneInfo) -> int:
    """The local calendar date of an instant."""
    return at.astimezone(tz).toordinal()


def local_dates_of_run(run: Run, tz: ZoneInfo) -> tuple[int, int]:
    """A run's local start date and last date; a run that stops at 00:00 ends on the date before."""
    return local_date(run.started_at, tz), local_date(run.stopped_at - _INSTANT, tz)


def calendar_of(episode: Episode) -> Calendar:
    """Every date that gets a verdict, from the episode's own entries (section 4, Which days)."""
    tz = zone(episode.opening[1].zone)
    days = [served.date for order in episode.served.values() for served in order]
    days += [visit.date for visit in episode.visits]
    runs = [local_dates_of_run(run, tz) for order in episode.runs.values() for run in order]
    firsts = days + [first for first, _ in runs]
    firsts += [order.from_.toordinal() for _, order in episode.orders.values()]
    lasts = days + [last for _, last in runs]
    lasts += [stop.date for stops in episode.stops.values() for stop in stops]
    lasts += [ended.date for ended in (*episode.discharges, *episode.deaths)]
    return Calendar(min(firsts), max(lasts)) if firsts and lasts else Calendar(0, -1)


class Evidence:
    """What shows that therapy was in place, order by order, as sets of dates of the episode's calendar."""

    def __init__(self, episode: Episode, calendar: Calendar) -> None:
        self.episode, self.calendar = episode, calendar
        self.tz = zone(episode.opening[1].zone)
        self.recorded: dict[str, Days] = {}
        self.infused: dict[str, Days] = {}
        self.touched: dict[str, Days] = {}
        for order, served in episode.served.items():
            self.recorded[order] = self._days(served_.date for served_ in served)
            self.infused[order] = self._days(served_.date for served_ in served if served_.infused)
        for order, runs in episode.runs.items():
            touched = 0
            for run in runs:
                touched |= calendar.span(*local_dates_of_run(run, self.tz))
            self.touched[order] = touched
            self.recorded[order] = self.recorded.get(order, 0) | touched
            self.infused[order] = self.infused.get(order, 0) | touched
        self.visited = self._days(visit.date for visit in episode.visits)

    def _days(self, dates: Iterator[int]) -> Days:
        first, days = self.calendar.first, 0
        for date in dates:
            days |= 1 << (date - first)
        return days

    @property
    def any_infused(self) -> Days:
        """Dates with infused evidence of some order."""
        return union(self.infused)

    def in_force(self, order: str) -> Days:
        """Dates on which the order is in force; none for an order never recorded."""
        if order not in self.episode.orders:
            return 0
        from_ = self.episode.orders[order][1].from_.toordinal()
        return self.calendar.span(from_, self.episode.last_date_of(order))

    def access(self, cut: bool = True) -> dict[str, Days]:
        """``access``: from each recorded date until the next dose is due, not past the order's last date."""
        return {order: self._access(order, recorded, cut) for order, recorded in self.recorded.items()}

    def _access(self, order: str, recorded: Days, cut: bool) -> Days:
        if order not in self.episode.orders:
            return recorded
        length = -(-self.episode.orders[order][1].interval_hours // 24)
        if length == 1:
            return recorded
        reached = smear(recorded, min(length, self.calendar.every.bit_length())) & self.calendar.every
        last = self.episode.last_date_of(order)
        return recorded | (reached & self.calendar.span(self.calendar.first, last)) if cut else reached

    def rolling_24h(self) -> dict[str, Days]:
        """``rolling_24h``: a run of n x 24 hours serves its first n dates, a shorter one its first date."""
        return {
            order: self._rolling(order) | (infused & ~self.touched.get(order, 0))
            for order, infused in self.infused.items()
        }

    def _rolling(self, order: str) -> Days:
        days = 0
        for started_at, stopped_at in merged_runs(self.episode.runs.get(order, ())):
            first = local_date(started_at, self.tz)
            whole_days = max(1, (stopped_at - started_at) // _DAY)
            days |= self.calendar.span(first, first + whole_days - 1)
        return days

    def visits_behind(self) -> Days:
        """Dates a nurse visited and nothing was infused (``infused_or_nursing``)."""
        return self.visited & ~self.any_infused

    def entries_on(self, order: str, ordinal: int) -> list[Entry]:
        """The recorded days and runs of an order that touch a date."""
        days = [served.entry for served in self.episode.served.get(order, ()) if served.date == ordinal]
        if order in self.touched and self.touched[order] >> (ordinal - self.calendar.first) & 1:
            days += [
                run.entry
                for run in self.episode.runs[order]
                if (dates := local_dates_of_run(run, self.tz))[0] <= ordinal <= dates[1]
            ]
        return days


class Stretch(NamedTuple):
    """Runs that overlap or meet, as one, in elapsed UTC time."""

    started_at: datetime
    stopped_at: datetime


def merged_runs(runs: object) -> list[Stretch]:
    """The runs of one order with those that overlap or meet made one."""
    stretches: list[Stretch] = []
    for run in sorted(runs, key=lambda run: (run.started_at, run.stopped_at)):  # type: ignore[call-overload]
        if stretches and run.started_at <= stretches[-1].stopped_at:
            last = stretches.pop()
            stretches.append(Stretch(last.started_at, max(last.stopped_at, run.stopped_at)))
        else:
            stretches.append(Stretch(run.started_at, run.stopped_at))
    return stretches


def union(sets: dict[str, Days]) -> Days:
    """All dates of the sets together."""
    every = 0
    for days in sets.values():
        every |= days
    return every
