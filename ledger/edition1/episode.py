"""The fold: the live entries of one episode in the shape that edition 1 needs. No guards, no judgement.

Business duplicates are settled here: entries come in the order they count, so that writing to a key keeps the one
recorded last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import UNSET, UnsetType

from ledger.day_set import OPEN_END
from ledger.edition1.shapes import Billed, Dated, Moment, Plan, Run, Served, Span, Spell
from ledger.facts import events as ev
from ledger.facts.entry import Entry
from ledger.facts.liveness import live_entries


class Episode:
    """The live facts of one episode, by kind."""

    __slots__ = (
        "admissions",
        "assessments",
        "authorizations",
        "billed",
        "coverage",
        "coverage_ends",
        "deaths",
        "diagnoses",
        "discharges",
        "facility",
        "holds",
        "homecomings",
        "hospice",
        "name",
        "opening",
        "orders",
        "plans",
        "resolutions",
        "resumed",
        "runs",
        "served",
        "stops",
        "visits",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.opening: tuple[Entry, ev.EpisodeOpened]
        self.coverage: list[tuple[Entry, ev.CoverageVerified]] = []
        self.coverage_ends: list[tuple[Entry, ev.CoverageEnded]] = []
        self.orders: dict[str, tuple[Entry, ev.TherapyOrdered]] = {}
        self.stops: dict[str, list[Dated]] = {}
        self.served: dict[str, list[Served]] = {}
        self.runs: dict[str, list[Run]] = {}
        self.visits: list[Dated] = []
        self.billed: list[Billed] = []
        self.admissions: dict[str, Moment] = {}
        self.homecomings: dict[str, Moment] = {}
        self.facility: list[Span] = []
        self.hospice: list[Span] = []
        self.holds: dict[str, Dated] = {}
        self.resumed: dict[str, Dated] = {}
        self.deaths: list[Dated] = []
        self.discharges: list[Dated] = []
        self.diagnoses: list[Span] = []
        self.plans: list[Plan] = []
        self.assessments: list[Dated] = []
        self.authorizations: dict[str, tuple[Entry, ev.AuthorizationGranted]] = {}
        self.resolutions: dict[int, tuple[Entry, ev.ConflictResolved]] = {}

    @property
    def patient(self) -> str:
        """The patient the live opening names."""
        return self.opening[1].patient

    def spells(self) -> list[Spell]:
        """The coverage spells by (rank, from, payer), each cut by the coverage ends recorded after it (step 4)."""
        return sorted(
            (self._spell(entry, fact) for entry, fact in self.coverage),
            key=lambda spell: (spell.rank, spell.from_, spell.payer, -spell.to, spell.entry.label),
        )

    def _spell(self, entry: Entry, fact: ev.CoverageVerified) -> Spell:
        from_, to = fact.from_.toordinal(), _end(fact.to)
        cuts = [
            end.last_date.toordinal()
            for by, end in self.coverage_ends
            if end.payer == fact.payer and by.version > entry.version and from_ <= end.last_date.toordinal() < to
        ]
        return Spell(fact.rank, from_, fact.payer, min(cuts, default=to), entry)

    def last_date_of(self, order: str) -> int:
        """A recorded order's last date: the earliest of its ``to`` and its stops."""
        ends = [_end(self.orders[order][1].to), *(stop.date for stop in self.stops.get(order, ()))]
        return min(ends)


def _end(to: Any) -> int:
    return OPEN_END if to is UNSET else to.toordinal()


def fold(name: str, entries: Sequence[Entry]) -> Episode:
    """The episode of all its entries, given by version; only live ones count, and exactly one is its opening."""
    episode = Episode(name)
    for live in live_entries(entries):
        take = _TAKE.get(type(live.fact))
        if take is not None:
            take(episode, live.entry, live.fact)
    assert hasattr(episode, "opening"), "every episode begins with its opening"
    return episode


def _opened(ep: Episode, entry: Entry, fact: ev.EpisodeOpened) -> None:
    ep.opening = (entry, fact)


def _coverage(ep: Episode, entry: Entry, fact: ev.CoverageVerified) -> None:
    ep.coverage.append((entry, fact))


def _coverage_end(ep: Episode, entry: Entry, fact: ev.CoverageEnded) -> None:
    ep.coverage_ends.append((entry, fact))


def _ordered(ep: Episode, entry: Entry, fact: ev.TherapyOrdered) -> None:
    ep.orders[fact.order] = (entry, fact)


def _stopped(ep: Episode, entry: Entry, fact: ev.TherapyStopped) -> None:
    ep.stops.setdefault(fact.order, []).append(Dated(fact.date.toordinal(), entry))


def _served(ep: Episode, entry: Entry, fact: ev.DayServed) -> None:
    day = Served(fact.date.toordinal(), fact.infused, entry)
    if fact.order in ep.served:
        ep.served[fact.order].append(day)
    else:
        ep.served[fact.order] = [day]


def _logged(ep: Episode, entry: Entry, fact: ev.InfusionLogged) -> None:
    ep.runs.setdefault(fact.order, []).append(Run(fact.started_at, fact.stopped_at, entry))


def _visited(ep: Episode, entry: Entry, fact: ev.NursingVisited) -> None:
    ep.visits.append(Dated(fact.date.toordinal(), entry))


def _drug_billed(ep: Episode, entry: Entry, fact: ev.DrugBilledSeparately) -> None:
    from_ = fact.from_.toordinal()
    to = from_ if isinstance(fact.to, UnsetType) else fact.to.toordinal()
    ep.billed.append(Billed(fact.hcpcs, from_, to, entry, False))


def _service_billed(ep: Episode, entry: Entry, fact: ev.ServiceBilledSeparately) -> None:
    from_ = fact.from_.toordinal()
    to = from_ if isinstance(fact.to, UnsetType) else fact.to.toordinal()
    ep.billed.append(Billed(fact.code, from_, to, entry, True))


def _admitted(ep: Episode, entry: Entry, fact: ev.HospitalAdmitted) -> None:
    ep.admissions[fact.stay] = Moment(datetime.fromisoformat(fact.at), entry)


def _came_home(ep: Episode, entry: Entry, fact: ev.HospitalDischarged) -> None:
    ep.homecomings[fact.stay] = Moment(datetime.fromisoformat(fact.at), entry)


def _facility(ep: Episode, entry: Entry, fact: ev.FacilityStayed) -> None:
    ep.facility.append(Span(fact.from_.toordinal(), _end(fact.to), entry))


def _hospice(ep: Episode, entry: Entry, fact: ev.HospiceElected) -> None:
    ep.hospice.append(Span(fact.from_.toordinal(), _end(fact.to), entry))


def _held(ep: Episode, entry: Entry, fact: ev.TherapyHeld) -> None:
    ep.holds[fact.hold] = Dated(fact.from_.toordinal(), entry)


def _resumed(ep: Episode, entry: Entry, fact: ev.TherapyResumed) -> None:
    ep.resumed[fact.hold] = Dated(fact.date.toordinal(), entry)


def _died(ep: Episode, entry: Entry, fact: ev.PatientDied) -> None:
    ep.deaths.append(Dated(fact.date.toordinal(), entry))


def _discharged(ep: Episode, entry: Entry, fact: ev.Discharged) -> None:
    ep.discharges.append(Dated(fact.date.toordinal(), entry))


def _diagnosed(ep: Episode, entry: Entry, fact: ev.DiagnosisRecorded) -> None:
    ep.diagnoses.append(Span(fact.from_.toordinal(), _end(fact.to), entry))


def _planned(ep: Episode, entry: Entry, fact: ev.PlanSigned) -> None:
    ep.plans.append(Plan(fact.from_.toordinal(), fact.to.toordinal(), fact.signed_on.toordinal(), entry))


def _assessed(ep: Episode, entry: Entry, fact: ev.PainAssessed) -> None:
    ep.assessments.append(Dated(fact.date.toordinal(), entry))


def _authorized(ep: Episode, entry: Entry, fact: ev.AuthorizationGranted) -> None:
    ep.authorizations[fact.number] = (entry, fact)


def _decided(ep: Episode, entry: Entry, fact: ev.ConflictResolved) -> None:
    ep.resolutions[fact.date.toordinal()] = (entry, fact)


_TAKE: Final[dict[type[Any], Callable[[Episode, Entry, Any], None]]] = {
    ev.EpisodeOpened: _opened,
    ev.CoverageVerified: _coverage,
    ev.CoverageEnded: _coverage_end,
    ev.TherapyOrdered: _ordered,
    ev.TherapyStopped: _stopped,
    ev.DayServed: _served,
    ev.InfusionLogged: _logged,
    ev.NursingVisited: _visited,
    ev.DrugBilledSeparately: _drug_billed,
    ev.ServiceBilledSeparately: _service_billed,
    ev.HospitalAdmitted: _admitted,
    ev.HospitalDischarged: _came_home,
    ev.FacilityStayed: _facility,
    ev.HospiceElected: _hospice,
    ev.TherapyHeld: _held,
    ev.TherapyResumed: _resumed,
    ev.PatientDied: _died,
    ev.Discharged: _discharged,
    ev.DiagnosisRecorded: _diagnosed,
    ev.PlanSigned: _planned,
    ev.PainAssessed: _assessed,
    ev.AuthorizationGranted: _authorized,
    ev.ConflictResolved: _decided,
}
"""Facts without an entry here changed no verdict of edition 1."""
