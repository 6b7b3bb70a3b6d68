"""Section 4, *Which days* and *Served*: what shows that therapy was in place or infused, and what it serves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from .dates import ONE_DAY, dates_between, instant, local_date, touched
from .entries import Entry
from .episode import Episode

Runs = list[tuple[datetime, datetime]]


class Evidence:
    """Everything told of an episode's service."""

    def __init__(self, episode: Episode) -> None:
        self.episode = episode
        self.orders = episode.orders
        self.zone = episode.zone
        self.visits = {entry.date() for entry in episode.all("NursingVisited")}
        self.runs = episode.all("InfusionLogged")
        self.joined_runs = {
            name: join_runs(run for run in self.runs if run.fact["order"] == name)
            for name in {run.fact["order"] for run in self.runs}
        }
        self.served: dict[tuple[str, date], bool] = {}
        """(order, date) of every `DayServed` and date of a `DaysServed`: infused, if any of them says so."""
        for entry in episode.all("DayServed"):
            self.add_served(entry, [entry.date()], infused=entry.fact.get("infused", True))
        for entry in episode.all("DaysServed"):
            span = entry.span()
            assert span.last is not None
            self.add_served(entry, dates_between(span.first, span.last), infused=entry.fact.get("infused", False))
        self.touched_by_run = {
            (name, day)
            for name, runs in self.joined_runs.items()
            for started, stopped in runs
            for day in touched(started, stopped, self.zone)
        }
        self.infused = {key for key, infused in self.served.items() if infused} | self.touched_by_run
        self.in_place = self.infused | set(self.served)

    def add_served(self, entry: Entry, days: Iterable[date], *, infused: bool) -> None:
        """Of several for one order and date: infused if any says so."""
        for day in days:
            key = (entry.fact["order"], day)
            self.served[key] = self.served.get(key, False) or infused

    def infused_dates(self) -> list[date]:
        """The dates with infused evidence for any order."""
        return sorted({day for _, day in self.infused})

    def all_dates(self) -> list[date]:
        """The dates of `DayServed`, runs and visits."""
        return sorted({day for _, day in self.in_place} | self.visits)

    def days_of_episode(self) -> list[date]:
        """Every date from `first` to `last`, from the episode's own entries; a voided one has none."""
        if self.episode.voided:
            return []
        firsts = self.all_dates() + self.orders.froms()
        lasts = self.all_dates()
        for fact_type in ("TherapyStopped", "Discharged", "PatientDied"):
            lasts += [entry.date() for entry in self.episode.all(fact_type)]
        return list(dates_between(min(firsts), max(lasts))) if firsts and lasts else []

    def infused_on(self, d: date) -> set[str]:
        """The orders with infused evidence on the date."""
        return {order for order, day in self.infused if day == d}

    def in_place_on(self, d: date) -> set[str]:
        """The orders with infused evidence or a `DayServed` on the date."""
        return {order for order, day in self.in_place if day == d}

    def infused_or_nursing(self, d: date) -> set[str] | None:
        """The orders infused; or, where nothing was, after a visit all that are in force (and there may be none)."""
        behind = self.infused_on(d)
        if not behind and d in self.visits:
            return set(self.orders.in_force(d))
        return behind or None

    def access(self, d: date) -> set[str] | None:
        """The orders whose evidence on a date lasts, by the interval told for that date, until this one."""
        behind = set()
        for order, e in self.in_place:
            lasts = e <= d and (d - e).days * 24 < self.orders.interval_for_access(order, e)
            if lasts and (e == d or self.orders.telling(order, d) is not None):
                behind.add(order)
        return behind or None

    def course(self, d: date, gap_days: int, inpatient: Callable[[date], bool]) -> set[str] | None:
        """The orders seen today; else those in force seen last, if not too long ago and no hospital since."""
        today = self.in_place_on(d)
        if today:
            return today
        in_force = self.orders.in_force(d)
        earlier = [e for order, e in self.in_place if order in in_force and e < d]
        if not earlier:
            return None
        e = max(earlier)
        if (d - e).days > gap_days or any(inpatient(day) for day in dates_between(e + ONE_DAY, d - ONE_DAY)):
            return None
        return self.in_place_on(e) & set(in_force)

    def rolling_24h(self, d: date) -> set[str] | None:
        """A run of n whole days serves its first n local dates, a shorter one the date it starts on."""
        behind = set()
        for order, runs in self.joined_runs.items():
            for started, stopped in runs:
                whole = max(1, (stopped - started) // timedelta(hours=24))
                start = local_date(started, self.zone)
                if start <= d < start + whole * ONE_DAY:
                    behind.add(order)
        for (order, day), infused in self.served.items():
            if day == d and infused and (order, d) not in self.touched_by_run:
                behind.add(order)
        return behind or None

    def run_touches(self, d: date) -> bool:
        """Does a run touch the date?"""
        return any(day == d for _, day in self.touched_by_run)


def join_runs(runs: Iterable[Entry]) -> Runs:
    """The runs of one order, those that overlap or meet made one."""
    joined: Runs = []
    for started, stopped in sorted((instant(run.fact["started_at"]), instant(run.fact["stopped_at"])) for run in runs):
        if joined and started <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stopped))
        else:
            joined.append((started, stopped))
    return joined
