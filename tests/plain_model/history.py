"""Section 2: which entries are live, which of several counts, and whose facts an episode is read from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

PER_DIEM_CODES = frozenset({"S9325", "S9326", "S9327", "S9328"})
ONE_DAY = timedelta(days=1)


def instant(text: str) -> datetime:
    """An instant with offset, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def a_date(value: str | date) -> date:
    """A date, given as such or as `YYYY-MM-DD`."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def optional_date(value: str | date | None) -> date | None:
    """A date, or none where the field is absent."""
    return None if value is None else a_date(value)


def dates_between(first: date, last: date) -> Iterator[date]:
    """Every date from `first` to `last`, both included."""
    day = first
    while day <= last:
        yield day
        day += ONE_DAY


@dataclass(frozen=True)
class Span:
    """Dates `first`..`last`, both included; no `last` means open."""

    first: date
    last: date | None

    def covers(self, day: date) -> bool:
        """Is the date within the span?"""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class Entry:
    """One entry; of a correction that stands in, `fact` is the corrected fact."""

    episode: str
    version: int
    source: str
    id: str
    recorded_at: datetime
    fact: dict[str, Any]

    @property
    def type(self) -> str:
        """The name of the fact."""
        return str(self.fact["type"])

    @property
    def identity(self) -> tuple[str, str]:
        """What names this entry within its episode."""
        return self.source, self.id

    @property
    def target(self) -> tuple[str, str]:
        """The identity that a retraction or correction names."""
        return self.fact["target_source"], self.fact["target_id"]

    @property
    def order_across_episodes(self) -> tuple[datetime, str, int]:
        """How *recorded last* goes for facts that count in every episode of the patient."""
        return self.recorded_at, self.episode, self.version

    def date(self, field: str = "date") -> date:
        """A date field of the fact."""
        return a_date(self.fact[field])

    def span(self) -> Span:
        """`from`..`to`, open where `to` is absent."""
        return Span(a_date(self.fact["from"]), optional_date(self.fact.get("to")))

    def billed_span(self) -> Span:
        """`from`..`to`, one day where `to` is absent (the BilledSeparately facts)."""
        return Span(a_date(self.fact["from"]), a_date(self.fact.get("to", self.fact["from"])))


def live_entries(entries: list[Entry]) -> list[Entry]:
    """The live facts and acts of one episode, in order; retractions have done their work and are left out."""
    retracted: set[tuple[str, str]] = set()
    for entry in reversed(entries):  # a retraction can only be undone by a later one, so the last ones are certain
        if entry.type == "FactRetracted" and entry.identity not in retracted:
            retracted.add(entry.target)

    chain_of: dict[tuple[str, str], tuple[str, str]] = {}
    standing: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        if entry.type == "FactRetracted":
            continue
        chain_of[entry.identity] = chain_of[entry.target] if entry.type == "FactCorrected" else entry.identity
        if entry.identity not in retracted:
            standing[chain_of[entry.identity]] = entry  # the last one written here is the one recorded last

    return sorted((_read_through(entry) for entry in standing.values()), key=lambda entry: entry.version)


def _read_through(entry: Entry) -> Entry:
    """A correction at its own place in the order, with the fact it brings."""
    if entry.type != "FactCorrected":
        return entry
    return Entry(entry.episode, entry.version, entry.source, entry.id, entry.recorded_at, entry.fact["fact"])


@dataclass(frozen=True)
class Run:
    """A pump's run, in UTC."""

    started: datetime
    stopped: datetime

    def local_start(self, zone: ZoneInfo) -> date:
        """The local date the run starts on."""
        return self.started.astimezone(zone).date()

    def local_last(self, zone: ZoneInfo) -> date:
        """The local date of its last instant; a run that stops at 00:00 ends on the date before."""
        return (self.stopped - timedelta(microseconds=1)).astimezone(zone).date()

    def dates(self, zone: ZoneInfo) -> set[date]:
        """The local dates the run touches."""
        ends = {self.local_start(zone), self.local_last(zone)}
        return set(dates_between(min(ends), max(ends)))


@dataclass(frozen=True)
class Order:
    """The counting order of one name, with the last date its own `to` and all its stops leave it."""

    name: str
    mode: str
    first: date
    last: date | None
    interval_hours: int

    def in_force(self, day: date) -> bool:
        """Is the date within `from`..last date?"""
        return Span(self.first, self.last).covers(day)


class Episode:
    """One episode as its live entries tell it."""

    def __init__(self, name: str, entries: list[Entry]) -> None:
        self.name = name
        self.live = live_entries(entries)
        opening = self.all("EpisodeOpened")[0].fact
        self.patient: str = opening["patient"]
        self.provider: str = opening["provider"]
        self.zone = ZoneInfo(opening["zone"])
        self.place_of_service: str = opening.get("place_of_service", "12")
        self.orders = self._orders()

    def all(self, fact_type: str) -> list[Entry]:
        """All live entries of a type, in the order recorded."""
        return [entry for entry in self.live if entry.type == fact_type]

    def last_by(self, fact_type: str, key: str) -> dict[str, Entry]:
        """Of several live entries with one `key`, the one recorded last."""
        return {entry.fact[key]: entry for entry in self.all(fact_type)}

    def _orders(self) -> dict[str, Order]:
        orders: dict[str, Order] = {}
        for name, entry in self.last_by("TherapyOrdered", "order").items():
            ends = [stop.date() for stop in self.all("TherapyStopped") if stop.fact["order"] == name]
            if "to" in entry.fact:
                ends.append(entry.date("to"))
            hours = entry.fact.get("interval_hours", 24)
            orders[name] = Order(name, entry.fact["mode"], entry.date("from"), min(ends, default=None), hours)
        return orders

    def runs(self) -> list[tuple[str, Run]]:
        """Every logged run with the name of its order, as logged."""
        return [
            (entry.fact["order"], Run(instant(entry.fact["started_at"]), instant(entry.fact["stopped_at"])))
            for entry in self.all("InfusionLogged")
        ]

    def merged_runs(self) -> list[tuple[str, Run]]:
        """The runs, those of one order that overlap or meet made one."""
        merged: list[tuple[str, Run]] = []
        for order, run in sorted(self.runs(), key=lambda pair: (pair[0], pair[1].started)):
            if merged and merged[-1][0] == order and run.started <= merged[-1][1].stopped:
                before = merged.pop()[1]
                run = Run(before.started, max(before.stopped, run.stopped))
            merged.append((order, run))
        return merged

    def served(self) -> list[tuple[str, date, bool]]:
        """Every `DayServed`: order, date, infused."""
        return [(e.fact["order"], e.date(), e.fact.get("infused", True)) for e in self.all("DayServed")]

    def infused_evidence(self) -> set[tuple[str, date]]:
        """(order, date) with an infused `DayServed` or a run that touches the date."""
        evidence = {(order, day) for order, day, infused in self.served() if infused}
        for order, run in self.runs():
            evidence |= {(order, day) for day in run.dates(self.zone)}
        return evidence

    def dates(self) -> list[date]:
        """Which days the episode has, from its own entries."""
        runs = [run for _, run in self.runs()]
        served = [day for _, day, _ in self.served()]
        visits = [visit.date() for visit in self.all("NursingVisited")]
        starts = [order.first for order in self.orders.values()] + [run.local_start(self.zone) for run in runs]
        ends = [run.local_last(self.zone) for run in runs]
        for fact_type in ("TherapyStopped", "Discharged", "PatientDied"):
            ends += [entry.date() for entry in self.all(fact_type)]
        first = min(starts + served + visits, default=None)
        last = max(ends + served + visits, default=None)
        return [] if first is None or last is None else list(dates_between(first, last))

    def holds(self) -> list[Span]:
        """Held dates: from `from` up to but not including the date of resuming."""
        resumed = self.last_by("TherapyResumed", "hold")
        return [
            Span(entry.date("from"), resumed[hold].date() - ONE_DAY if hold in resumed else None)
            for hold, entry in self.last_by("TherapyHeld", "hold").items()
        ]

    def resolution(self, day: date) -> Entry | None:
        """The `ConflictResolved` for the date that was recorded last."""
        entries = [entry for entry in self.all("ConflictResolved") if entry.date() == day]
        return entries[-1] if entries else None

    def live_claims(self) -> list[Entry]:
        """Claims of frequency 1 or 7 that no other counting claim of frequency 7 or 8 names in `replaces`."""
        counting = self.last_by("ClaimSubmitted", "claim")
        return [
            entry
            for number, entry in counting.items()
            if entry.fact["frequency"] in ("1", "7")
            and not any(
                other != number and later.fact["frequency"] in ("7", "8") and later.fact.get("replaces") == number
                for other, later in counting.items()
            )
        ]


class PatientFacts:
    """The facts that count in every episode of the patient, wherever recorded."""

    def __init__(self, episodes: list[Episode]) -> None:
        self.live = sorted((e for episode in episodes for e in episode.live), key=lambda e: e.order_across_episodes)

    def all(self, fact_type: str) -> list[Entry]:
        """All of a type, in the order recorded across episodes."""
        return [entry for entry in self.live if entry.type == fact_type]

    def deaths(self) -> list[date]:
        """Every recorded date of death."""
        return [entry.date() for entry in self.all("PatientDied")]

    def stays(self) -> list[tuple[datetime, datetime | None]]:
        """Admission and discharge of every stay; no discharge means open."""
        admitted = {entry.fact["stay"]: instant(entry.fact["at"]) for entry in self.all("HospitalAdmitted")}
        discharged = {entry.fact["stay"]: instant(entry.fact["at"]) for entry in self.all("HospitalDischarged")}
        return [(at, discharged.get(stay)) for stay, at in admitted.items()]

    def facility_stays(self) -> list[Span]:
        """Stays in a nursing facility."""
        return [entry.span() for entry in self.all("FacilityStayed")]

    def hospice(self) -> list[Span]:
        """Hospice elections."""
        return [entry.span() for entry in self.all("HospiceElected")]


def read_episodes(entries: list[dict[str, Any]], until: datetime | None) -> list[Episode]:
    """The episodes as they stood at `until`; version within an episode is the order of arrival."""
    known: dict[str, list[Entry]] = {}
    for line in entries:
        recorded_at = instant(line["recorded_at"])
        if until is None or recorded_at <= until:
            own = known.setdefault(line["episode"], [])
            own.append(Entry(line["episode"], len(own) + 1, line["source"], line["id"], recorded_at, line["fact"]))
    return [Episode(name, own) for name, own in known.items()]
