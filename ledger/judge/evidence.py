"""Served dates under each ``day_counting`` (rulebook section 4, Which days and Served).

The one place that knows time zones and elapsed time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from ledger.day_set import Calendar, Days, smear
from ledger.facts.entry import Entry
from ledger.facts.zones import zone
from ledger.judge.episode import Episode, Run, Served
from ledger.judge.orders import Order
from ledger.judge.tally import Tally

_INSTANT: timedelta = timedelta(microseconds=1)
_DAY: timedelta = timedelta(days=1)

Labels = tuple[str, ...]
"""Entries as reports name them."""


def local_date(at: datetime, tz: ZoneInfo) -> int:
    """The local calendar date of an instant."""
    return at.astimezone(tz).toordinal()


def local_dates_of_run(run: Run | Stretch, tz: ZoneInfo) -> tuple[int, int]:
    """A run's local start date and last date; a run that stops at 00:00 ends on the date before."""
    return local_date(run.started_at, tz), local_date(run.stopped_at - _INSTANT, tz)


class Evidence:
    """What shows that therapy was in place, order by order, as sets of dates of the episode's calendar."""

    def __init__(self, episode: Episode) -> None:
        self.episode = episode
        self.tz = zone(episode.opening[1].zone)
        tallies = episode.tallies
        self.runs = episode.local_runs
        for order, runs in episode.runs.items():
            self._tally_runs(order, runs)
        for order, served in episode.served.items():
            tallies.served.setdefault(order, Tally()).take_served(served)
        tallies.visits.take_dates(episode.visits)
        self.calendar = self._calendar()
        self.orders = {order: Order(episode.tellings(order), self.calendar) for order in episode.orders}
        self.recorded: dict[str, Days] = {}
        self.infused: dict[str, Days] = {}
        self.touched: dict[str, Days] = {}
        self._entries: dict[str, dict[int, list[Entry]]] = {}
        self._labels: dict[str, dict[int, Labels]] = {}
        self._reached: dict[bool, dict[str, Days]] = {}
        for order, tally in tallies.served.items():
            self.recorded[order] = tally.within(tally.days, self.calendar)
            self.infused[order] = tally.within(tally.infused, self.calendar)
        for order, tally in tallies.runs.items():
            touched = tally.within(tally.days, self.calendar)
            self.touched[order] = touched
            self.recorded[order] = self.recorded.get(order, 0) | touched
            self.infused[order] = self.infused.get(order, 0) | touched
        self.any_infused = union(self.infused)
        self.visited = tallies.visits.within(tallies.visits.days, self.calendar)

    def _tally_runs(self, order: str, runs: Sequence[Run]) -> None:
        local = self.runs.setdefault(order, [])
        local += [Served(*local_dates_of_run(run, self.tz), True, run.entry) for run in runs[len(local) :]]
        self.episode.tallies.runs.setdefault(order, Tally()).take_served(local)

    def _calendar(self) -> Calendar:
        """Every date that gets a verdict, from the episode's own entries (section 4, Which days)."""
        episode, tallies = self.episode, self.episode.tallies
        added = [tally for tally in (*tallies.served.values(), *tallies.runs.values(), tallies.visits) if tally.count]
        firsts = [tally.first for tally in added]
        firsts += [fact.from_.toordinal() for told in episode.orders.values() for _, fact in told]
        lasts = [tally.last for tally in added]
        lasts += [stop.date for stops in episode.stops.values() for stop in stops]
        lasts += [ended.date for ended in (*episode.discharges, *episode.deaths)]
        return Calendar(min(firsts), max(lasts)) if firsts and lasts else Calendar(0, -1)

    def assessed_within(self, days_before: int) -> Days:
        """Dates on which pain was assessed, or so many days before at most."""
        tally = self.episode.tallies.assessments
        tally.take_dates(self.episode.assessments)
        reach = min(days_before, max(0, self.calendar.last - tally.first))
        return tally.clipped(smear(tally.days, reach + 1), self.calendar)

    def in_force(self, order: str) -> Days:
        """Dates on which the order is in force; none for an order never recorded."""
        return self.orders[order].in_force if order in self.orders else 0

    def access(self, cut: bool = True) -> dict[str, Days]:
        """``access``: from each recorded date until the next dose is due, while the order is in force."""
        if cut not in self._reached:
            self._reached[cut] = {order: self._access(order, days, cut) for order, days in self.recorded.items()}
        return self._reached[cut]

    def _access(self, order: str, recorded: Days, cut: bool) -> Days:
        if order not in self.orders:
            return recorded
        reached = 0
        for hours, days in self.orders[order].by_interval(recorded, self.calendar):
            reached |= smear(days, min(-(-hours // 24), self.calendar.every.bit_length()))
        return recorded | (reached & (self.orders[order].in_force if cut else self.calendar.every))

    def course(self, gap: int, inpatient: Days) -> dict[str, Days]:
        """``course``: from evidence of an order in force until the next, over at most so many days without, and not
        past the first inpatient date: after it therapy has to be seen to have gone on."""
        behind = dict(self.recorded)
        unseen = self.calendar.every & ~union(self.recorded)
        for orders, days in self._by_orders_in_force(unseen):
            seen = union({order: self.recorded.get(order, 0) for order in orders})
            for first, last in self.calendar.runs(days):
                self._carry(behind, orders, seen, (first, last), gap, inpatient)
        return behind

    def _by_orders_in_force(self, days: Days) -> Iterator[tuple[frozenset[str], Days]]:
        """Dates by the set of orders in force on them; dates without one are left out."""
        parts: dict[frozenset[str], Days] = {frozenset(): days}
        for name, order in self.orders.items():
            for names, part in list(parts.items()):
                if part & order.in_force:
                    parts[names | {name}] = part & order.in_force
                    parts[names] = part & ~order.in_force
        return ((names, part) for names, part in parts.items() if names and part)

    def _carry(
        self, behind: dict[str, Days], orders: frozenset[str], seen: Days, run: tuple[int, int], gap: int,
        inpatient: Days,
    ) -> None:  # fmt: skip
        """Carry the last evidence before a run of unseen dates into it."""
        before = seen & self.calendar.span(self.calendar.first, run[0] - 1)
        if not before:
            return
        on = self.calendar.first + before.bit_length() - 1
        away = inpatient & self.calendar.span(on + 1, self.calendar.last)
        last = min(run[1], on + gap, *self.calendar.dates(away)[:1])
        carried = self.calendar.span(run[0], last)
        for order in orders:
            if self.recorded.get(order, 0) & self.calendar.day(on):
                behind[order] |= carried

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

    def entries_on(self, order: str, ordinal: int) -> list[Entry]:
        """The recorded days and runs of an order that touch a date."""
        return self.by_date(order).get(ordinal, [])

    def by_date(self, order: str) -> dict[int, list[Entry]]:
        """The recorded days and runs of an order by the dates they touch."""
        if order not in self._entries:
            self._entries[order] = self._by_date(order)
        return self._entries[order]

    def _by_date(self, order: str) -> dict[int, list[Entry]]:
        found: dict[int, list[Entry]] = {}
        for served in self._recorded_of(order):
            for date in range(served.from_, served.to + 1):
                found.setdefault(date, []).append(served.entry)
        return found

    def _recorded_of(self, order: str) -> Sequence[Served]:
        """The recorded days of an order, then its runs; most have only one kind."""
        served, runs = self.episode.served.get(order, ()), self.runs.get(order, ())
        return [*served, *runs] if served and runs else served or runs

    def labels_by_date(self, order: str) -> dict[int, Labels]:
        """The labels of ``by_date``, sorted, without repeats."""
        if order not in self._labels:
            self._labels[order] = self._labels_by_date(order)
        return self._labels[order]

    def _labels_by_date(self, order: str) -> dict[int, Labels]:
        recorded = self._recorded_of(order)
        alone: dict[int, Labels] = {
            day.from_: (f"{day.entry.source}:{day.entry.id}",) for day in recorded if day.from_ == day.to
        }
        if len(alone) == len(recorded):  # most: a date each, and of each date one
            return alone
        found: dict[int, Labels] = {}
        for served in recorded:
            label = served.entry.label
            for date in range(served.from_, served.to + 1):
                found[date] = tuple(sorted({*found[date], label})) if date in found else (label,)
        return found


class Stretch(Struct, frozen=True, gc=False):
    """Runs that overlap or meet, as one, in elapsed UTC time."""

    started_at: datetime
    stopped_at: datetime
    labels: tuple[str, ...]


def merged_runs(runs: Iterable[Run]) -> list[Stretch]:
    """The runs of one order with those that overlap or meet made one."""
    stretches: list[Stretch] = []
    for run in sorted(runs, key=lambda run: (run.started_at, run.stopped_at)):
        if stretches and run.started_at <= stretches[-1].stopped_at:
            last = stretches.pop()
            labels = (*last.labels, run.entry.label)
            stretches.append(Stretch(last.started_at, max(last.stopped_at, run.stopped_at), labels))
        else:
            stretches.append(Stretch(run.started_at, run.stopped_at, (run.entry.label,)))
    return stretches


def union(sets: dict[str, Days]) -> Days:
    """All dates of the sets together."""
    every = 0
    for days in sets.values():
        every |= days
    return every
