"""Served dates under each ``day_counting`` of edition 1."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from ledger.day_set import Calendar, Days, smear
from ledger.edition1.episode import Episode
from ledger.edition1.shapes import Run, Served
from ledger.facts.zones import zone

_INSTANT: timedelta = timedelta(microseconds=1)
_DAY: timedelta = timedelta(days=1)


def local_date(at: datetime, tz: ZoneInfo) -> int:
    """The local calendar date of an instant."""
    return at.astimezone(tz).toordinal()


def local_dates_of_run(run: Run, tz: ZoneInfo) -> tuple[int, int]:
    """A run's local start date and last date; a run that stops at 00:00 ends on the date before."""
    return local_date(run.started_at, tz), local_date(run.stopped_at - _INSTANT, tz)


class LocalRun(Struct, frozen=True, gc=False):
    """A run with the first and last local date it touches."""

    first: int
    last: int
    run: Run


class Evidence:
    """What shows that therapy was in place, order by order, as sets of dates of the episode's calendar."""

    def __init__(self, episode: Episode) -> None:
        self.episode = episode
        self.tz = zone(episode.opening[1].zone)
        self.runs = {order: [self._local(run) for run in runs] for order, runs in episode.runs.items()}
        self.calendar = self._calendar()
        self.recorded: dict[str, Days] = {}
        self.infused: dict[str, Days] = {}
        self.touched: dict[str, Days] = {}
        for order, served in episode.served.items():
            self._take_served(order, served)
        for order, runs in self.runs.items():
            touched = 0
            for run in runs:
                touched |= self.calendar.span(run.first, run.last)
            self.touched[order] = touched
            self.recorded[order] = self.recorded.get(order, 0) | touched
            self.infused[order] = self.infused.get(order, 0) | touched
        self.any_infused = union(self.infused)
        self.visited = 0
        for visit in episode.visits:
            self.visited |= 1 << (visit.date - self.calendar.first)

    def _local(self, run: Run) -> LocalRun:
        first, last = local_dates_of_run(run, self.tz)
        return LocalRun(first, last, run)

    def _calendar(self) -> Calendar:
        """Every date that gets a verdict, from the episode's own entries (section 4, Which days)."""
        episode = self.episode
        days = [served.date for order in episode.served.values() for served in order]
        days += [visit.date for visit in episode.visits]
        runs = [run for order in self.runs.values() for run in order]
        firsts = days + [run.first for run in runs]
        firsts += [order.from_.toordinal() for _, order in episode.orders.values()]
        lasts = days + [run.last for run in runs]
        lasts += [stop.date for stops in episode.stops.values() for stop in stops]
        lasts += [ended.date for ended in (*episode.discharges, *episode.deaths)]
        return Calendar(min(firsts), max(lasts)) if firsts and lasts else Calendar(0, -1)

    def _take_served(self, order: str, served: Iterable[Served]) -> None:
        first, recorded, infused = self.calendar.first, 0, 0
        for day in served:
            bit = 1 << (day.date - first)
            recorded |= bit
            if day.infused:
                infused |= bit
        self.recorded[order], self.infused[order] = recorded, infused

    def in_force(self, order: str) -> Days:
        """Dates on which the order is in force; none for an order never recorded."""
        if order not in self.episode.orders:
            return 0
        from_ = self.episode.orders[order][1].from_.toordinal()
        return self.calendar.span(from_, self.episode.last_date_of(order))

    def access(self) -> dict[str, Days]:
        """``access``: from each recorded date until the next dose is due, not past the order's last date."""
        return {order: self._access(order, recorded) for order, recorded in self.recorded.items()}

    def _access(self, order: str, recorded: Days) -> Days:
        if order not in self.episode.orders:
            return recorded
        length = -(-self.episode.orders[order][1].interval_hours // 24)
        reached = smear(recorded, min(length, self.calendar.every.bit_length()))
        last = self.episode.last_date_of(order)
        return recorded | (reached & self.calendar.span(self.calendar.first, last))

    def rolling_24h(self) -> dict[str, Days]:
        """``rolling_24h``: a run of n x 24 hours serves its first n dates, a shorter one its first date."""
        return {
            order: self._rolling(order) | (infused & ~self.touched.get(order, 0))
            for order, infused in self.infused.items()
        }

    def _rolling(self, order: str) -> Days:
        days = 0
        for run in merged_runs(self.episode.runs.get(order, ())):
            first = local_date(run.started_at, self.tz)
            whole_days = max(1, (run.stopped_at - run.started_at) // _DAY)
            days |= self.calendar.span(first, first + whole_days - 1)
        return days

    def visits_behind(self) -> Days:
        """Dates a nurse visited and nothing was infused (``infused_or_nursing``)."""
        return self.visited & ~self.any_infused


class Stretch(Struct, frozen=True, gc=False):
    """Runs that overlap or meet, as one, in elapsed UTC time."""

    started_at: datetime
    stopped_at: datetime


def merged_runs(runs: Iterable[Run]) -> list[Stretch]:
    """The runs of one order with those that overlap or meet made one."""
    stretches: list[Stretch] = []
    for run in sorted(runs, key=lambda run: (run.started_at, run.stopped_at)):
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
