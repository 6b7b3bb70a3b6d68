"""One episode in the making: what is known about it so far, its entries, and the trouble written down for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from .book import CODE_OF_MODE, Payer, Provider
from .clock import DAY, ISO, Zone, local_day
from .facts import fact

T = TypeVar("T")


class Entry(NamedTuple):
    """An entry of an episode: when it arrives, its place in the making, and what it says."""

    at: int
    seq: int
    source: str
    key: str
    by: str
    fact: str


class Trouble(NamedTuple):
    """One line of the truth."""

    kind: str
    patient: str
    episodes: list[str]
    dates: list[str]
    entries: list[tuple[str, Entry]]
    effect: str


class Claim(NamedTuple):
    """A claim that left the house."""

    entry: Entry
    id: str
    lines: list[dict[str, Any]]
    days: list[int]


class Order(NamedTuple):
    """A physician's order as the simulation follows it."""

    name: str
    mode: str
    first: int
    last: int


@dataclass(slots=True)
class Course:
    """The state of one episode while it is being written."""

    random: Callable[[], float]
    serial: int
    patient: str
    stranger: str  # a patient this one may be mistaken for
    payer: Payer  # who is expected to pay
    provider: Provider
    zone: Zone
    kind: str  # post_operative, chronic or palliative
    start: int
    end: int  # last date of the course
    finished: bool  # False: still under way when the history ends
    last_of_patient: bool
    alone: bool  # the patient has no other episode, whose authorizations would count here, too
    wanted: frozenset[str]  # kinds of trouble to plant if the course allows; asked for membership only
    name: str = ""
    opened: int = 0
    staff: dict[str, str] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    interval: int = 24
    style: str = "daily"  # daily, runs, both, spaced, spans
    biller_asleep: bool = False  # the episode is not claimed
    entries: list[Entry] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    away: set[int] = field(default_factory=set)  # nobody is at home to be served
    blocked: set[int] = field(default_factory=set)  # the biller knows better than to claim these
    late: set[int] = field(default_factory=set)  # served, told after the claim
    reserved: set[int] = field(default_factory=set)  # already part of some trouble
    served: dict[int, Entry] = field(default_factory=dict)
    run_days: set[int] = field(default_factory=set)
    runs: list[tuple[Entry, range]] = field(default_factory=list)  # of the pump, with the dates they touch
    visits: set[int] = field(default_factory=set)
    evidence: set[int] = field(default_factory=set)  # days the payer is expected to count
    claims: list[Claim] = field(default_factory=list)
    last_claim: int = 0
    takeover: tuple[int, Provider] | None = None  # from that date on the episode goes on under this provider
    dispensed: set[int] = field(default_factory=set)  # dates with a drug delivery
    refused: set[int] = field(default_factory=set)  # the places of entries that the door refuses as told ahead

    @property
    def length(self) -> int:
        """Days from the first to the last, both counted."""
        return self.end - self.start + 1

    @property
    def counting(self) -> str:
        """How the expected payer counts days."""
        return str(self.payer.terms[0]["day_counting"])

    @property
    def counts_access(self) -> bool:
        """Whether days count without an infusion on each of them."""
        return self.counting in ("access", "course")

    def provider_on(self, day: int) -> Provider:
        """Who serves the patient on a day."""
        return self.takeover[1] if self.takeover and self.takeover[0] <= day else self.provider

    def local_day_of(self, at: int) -> int:
        """The local date of an arrival."""
        return local_day(self.zone, at // 60)

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends possible."""
        return low + int(self.random() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        """One of several."""
        return choices[int(self.random() * len(choices))]

    def chance(self, share: float) -> bool:
        """True in this share of all cases."""
        return self.random() < share

    def add(self, at: int, source: str, prefix: str, by: str, text: str) -> Entry:
        """Record a fact; nothing arrives before the opening."""
        seq = len(self.entries)
        entry = Entry(at if at > self.opened else self.opened, seq, source, f"{prefix}-{seq}", by, text)
        self.entries.append(entry)
        return entry

    def again(self, entry: Entry, delay: int, text: str | None = None) -> Entry:
        """Send an entry a second time under its own identity."""
        copy = entry._replace(at=entry.at + delay, seq=len(self.entries), fact=text or entry.fact)
        self.entries.append(copy)
        return copy

    def retract(self, target: Entry, delay: int, reason: str, by: str = "") -> Entry:
        """Take an earlier entry back, so many seconds after it arrived."""
        names = {"target_source": target.source, "target_id": target.key, "reason": reason}
        who = by or target.by
        return self.add(target.at + delay, target.source, "undo", who, fact("FactRetracted", names))

    def correct(self, target: Entry, delay: int, reason: str, text: str) -> Entry:
        """Put another fact in an entry's place, so many seconds after it arrived."""
        names = {"target_source": target.source, "target_id": target.key, "reason": reason}
        head = fact("FactCorrected", names)
        return self.add(target.at + delay, target.source, "fix", target.by, f'{head[:-1]},"fact":{text}}}')

    def rate_on(self, day: int, code: str, known: int) -> int | None:
        """What a day with the code pays, from the agreement or the terms known then."""
        terms = self.payer.terms_on(day, known)
        rates = {**(terms or {}).get("rate_cents", {}), **self.provider_on(day).rates(self.payer, day)}
        return rates.get(code) if terms else None

    def trouble(self, kind: str, days: Iterable[int], entries: Iterable[Entry], effect: str) -> None:
        """Write down what was planted and what is to be expected of it."""
        dates = [ISO[day] for day in days]
        named = [(self.name, entry) for entry in entries]
        self.troubles.append(Trouble(kind, self.patient, [self.name], dates, named, effect))

    def order_on(self, day: int) -> Order:
        """The order a day is served under; of two on the day of a switch, the new one."""
        return next((o for o in reversed(self.orders) if o.first <= day), self.orders[0])

    def code_on(self, day: int, known: int) -> str:
        """The code a biller would use for a day, from the terms known then."""
        terms = self.payer.terms_on(day, known)
        return CODE_OF_MODE[self.order_on(day).mode] if terms and terms["pain_code"] == "specific" else "S9325"

    def reserve(self, low: int, high: int, margin: int = 2) -> range | None:
        """A stretch of `low` to `high` days inside the course that no other trouble has taken."""
        length = self.between(low, high)
        room = self.length - length - 2 * margin
        if room < 0:
            return None
        first = self.start + margin + self.between(0, room)
        days = range(first, first + length)
        if any(day in self.reserved for day in days):
            return None
        self.reserved.update(days)
        return days

    def reserve_served(self) -> int | None:
        """A served day, before the last two of the course, that no other trouble has taken."""
        days = [day for day in self.served if day not in self.reserved and day < self.end - 1]
        if not days:
            return None
        day = self.pick(days)
        self.reserved.add(day)
        return day

    def without(self, day: int) -> str:
        """The verdict to expect of a day that loses its `DayServed`."""
        if day in self.run_days or (self.counting == "infused_or_nursing" and day in self.visits):
            return "none: other evidence"
        return "none: the course runs on" if self.counting == "course" else "not_billable not_served"

    def soon(self, day: int) -> int:
        """When the night's feed brings a device's day: mostly at one fixed second, sometimes days later."""
        roll = self.random()
        if roll < 0.9:
            return (day + 1) * DAY + 8_400
        return (day + 2 + int(roll * 1000) % 4) * DAY + 8_400 + int(roll * 100_000) % 3_600

    def charted(self, day: int) -> int:
        """When a person's note of a day arrives: the same night, or some days later."""
        roll = self.random()
        if roll < 0.88:
            return (day + 1) * DAY + int(roll * 30_000)
        return (day + 2 + int(roll * 1000) % 5) * DAY + int(roll * 60_000)
