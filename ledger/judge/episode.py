"""One episode in the shape the judge needs: its live facts by kind.

Dates are ordinals, open ends are ``OPEN_END``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import UNSET, Struct

from ledger.day_set import OPEN_END
from ledger.facts import billing
from ledger.facts import events as ev
from ledger.facts.entry import Entry
from ledger.facts.liveness import Taken
from ledger.judge.orders import Telling
from ledger.judge.tally import Tallies

T = TypeVar("T")


class Span(Struct, frozen=True, gc=False):
    """A fact in force from..to."""

    from_: int
    to: int
    entry: Entry


class Dated(Struct, frozen=True, gc=False):
    """A fact of one date."""

    date: int
    entry: Entry


class Spell(Struct, frozen=True, gc=False):
    """A coverage spell, its end already cut by the coverage ends recorded after it; ``cuts`` are those that did."""

    rank: int
    from_: int
    payer: str
    to: int
    member: str
    entry: Entry
    verified_to: int
    cuts: tuple[Entry, ...]


class Served(Struct, frozen=True, gc=False):
    """A recorded day, or a span of days, of one order; or the local dates that a logged run touches."""

    from_: int
    to: int
    infused: bool
    entry: Entry


class Place(Struct, frozen=True, gc=False):
    """A place of service named for a date, or for a span of dates."""

    from_: int
    to: int
    is_span: bool
    place: str
    entry: Entry


class Run(Struct, frozen=True, gc=False):
    """A pump's logged run of one order, in UTC."""

    started_at: datetime
    stopped_at: datetime
    entry: Entry


class Billed(Struct, frozen=True, gc=False):
    """A code billed separately, as a service or (``is_service`` false) as a drug."""

    code: str
    from_: int
    to: int
    entry: Entry
    is_service: bool
    by: str | None = None


class Live(NamedTuple, Generic[T]):
    """A live fact or act with its entry, and the first entry of its chain."""

    entry: Entry
    fact: T
    first: Entry


class Plan(Struct, frozen=True, gc=False):
    """A plan of treatment."""

    from_: int
    to: int
    signed_on: int
    entry: Entry

    def last_date(self, plan_max_days: int | None) -> int:
        """The last date it covers, under terms that let a plan cover so many dates at most."""
        return self.to if plan_max_days is None else min(self.to, self.from_ + plan_max_days - 1)


class Episode:
    """The live facts of one episode, by kind."""

    __slots__ = (
        "acknowledgements",
        "admissions",
        "assessments",
        "authorizations",
        "billed",
        "claim_numbers",
        "claims",
        "coverage",
        "coverage_ends",
        "deaths",
        "diagnoses",
        "discharges",
        "dispensed",
        "facility",
        "heard_at",
        "holds",
        "homecomings",
        "hospice",
        "local_runs",
        "name",
        "opening",
        "orders",
        "patient",
        "places",
        "plans",
        "postings",
        "providers",
        "ranks",
        "resolutions",
        "resumed",
        "runs",
        "served",
        "settled",
        "shared_though",
        "stops",
        "supplied",
        "taken",
        "tallies",
        "told_claims",
        "visits",
        "voided",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.tallies = Tallies()
        self.local_runs: dict[str, list[Served]] = {}
        """What those who judged it before found out already: the local dates that logged runs touch."""
        self.opening: tuple[Entry, ev.EpisodeOpened]
        self.heard_at: datetime
        """When the last of what days and claims are judged by was recorded, be it taken back since."""
        self.patient: str
        """The patient the live opening names; who was merged stands under the name that is left."""
        self.voided: list[Entry] = []
        self.shared_though: list[Dated] = []
        """Of a voided episode, what would count in every episode of the patient."""
        self.providers: list[tuple[int, str, Entry]] = []
        self.places: list[Place] = []
        self.ranks: list[tuple[int, int, int, Entry]] = []
        self.coverage: list[Live[ev.CoverageVerified]] = []
        self.coverage_ends: list[Live[ev.CoverageEnded]] = []
        self.orders: dict[str, list[tuple[Entry, ev.TherapyOrdered]]] = {}
        self.stops: dict[str, list[Dated]] = {}
        self.served: dict[str, list[Served]] = {}
        self.runs: dict[str, list[Run]] = {}
        self.visits: list[Dated] = []
        self.billed: list[Billed] = []
        self.dispensed: list[Entry] = []
        """Drugs that left the pharmacy."""
        self.supplied = False
        """Whether one of them says for how many days it is."""
        self.admissions: list[tuple[str, str, Entry]] = []
        self.homecomings: list[tuple[str, str, Entry]] = []
        self.facility: list[Span] = []
        self.hospice: list[Span] = []
        self.holds: dict[str, list[Dated]] = {}
        self.resumed: dict[str, list[Dated]] = {}
        self.deaths: list[Dated] = []
        self.discharges: list[Dated] = []
        self.diagnoses: list[Span] = []
        self.plans: list[Plan] = []
        self.assessments: list[Dated] = []
        self.authorizations: list[tuple[Entry, ev.AuthorizationGranted]] = []
        self.told_claims: list[Live[ev.ClaimSubmitted]] = []
        self.claims: dict[str, Live[ev.ClaimSubmitted]] = {}
        self.claim_numbers: set[str] = set()
        """Every number that an entry, live or not, ever gave a claim."""
        self.acknowledgements: list[tuple[Entry, billing.ClaimAcknowledged]] = []
        self.postings: list[tuple[Entry, billing.RemittancePosted]] = []
        self.settled: list[tuple[Entry, billing.Settlement]] = []
        self.taken: list[Taken] = []
        """What was recorded and taken back."""
        self.resolutions: dict[int, tuple[Entry, ev.ConflictResolved]] = {}

    def spells(self) -> list[Spell]:
        """The coverage spells by (rank, from, payer), each cut by the coverage ends recorded before it (step 4)."""
        return sorted(
            map(self._spell, self.coverage),
            key=lambda spell: (spell.rank, spell.from_, spell.payer, -spell.to, spell.entry.label),
        )

    def _spell(self, told: Live[ev.CoverageVerified]) -> Spell:
        """Here a spell, and a coverage end, stands where the first entry of its chain was recorded."""
        fact = told.fact
        from_, to = fact.from_.toordinal(), end_of(fact.to)
        cuts = [
            (end.fact.last_date.toordinal(), end.entry)
            for end in self.coverage_ends
            if end.fact.payer == fact.payer and end.first.version > told.first.version
            and from_ <= end.fact.last_date.toordinal() < to
        ]  # fmt: skip
        end = min((last for last, _ in cuts), default=to)
        return Spell(fact.rank, from_, fact.payer, end, fact.member, told.entry, to, tuple(by for _, by in cuts))

    def tellings(self, order: str) -> list[Telling]:
        """The tellings of an order in the order they were recorded, each cut by the stops it began on or before."""
        stops = [stop.date for stop in self.stops.get(order, ())]
        return [
            Telling(
                from_ := fact.from_.toordinal(),
                min([end_of(fact.to), *(stop for stop in stops if stop >= from_)]),
                fact.mode,
                fact.interval_hours,
                None if fact.signed_on is UNSET else fact.signed_on.toordinal(),
                entry,
            )
            for entry, fact in self.orders.get(order, ())
        ]


def end_of(to: Any) -> int:
    """The last date of a span; an absent ``to`` is open."""
    return OPEN_END if to is UNSET else to.toordinal()
