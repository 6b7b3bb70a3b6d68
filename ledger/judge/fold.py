"""The fold: the live entries of one episode in the shape the judge needs. No guards, no judgement.

Entries come in the order they count, so that what is written last is what was recorded last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import UNSET, UnsetType

from ledger.facts import billing
from ledger.facts import events as ev
from ledger.facts.entry import Entry
from ledger.facts.liveness import mended
from ledger.facts.zones import zone
from ledger.judge.episode import Billed, Dated, Episode, Live, Place, Plan, Run, Served, Span, end_of
from ledger.judge.stays import hospital


def fold(name: str, entries: Sequence[Entry]) -> Episode:
    """The episode of all its entries, given by version; only live ones count, and exactly one is its opening."""
    episode = Episode(name)
    take_of = TAKE.get
    for entry in entries:
        fact = entry.fact
        take = take_of(type(fact))
        if take is not None:
            take(episode, entry, fact, entry)
        elif type(fact) in MENDING:
            return _fold_live(name, entries)
    return _whole(episode, entries)


def _fold_live(name: str, entries: Sequence[Entry]) -> Episode:
    episode = Episode(name)
    named, standing, episode.taken = mended(entries)
    for entry in entries:
        if entry.id not in named:
            take = TAKE.get(type(entry.fact))
            if take is not None:
                take(episode, entry, entry.fact, entry)
        elif (live := standing.get(entry.version)) and (take := TAKE.get(type(live.fact))):
            take(episode, *live)
    for taken in episode.taken:
        if isinstance(taken.fact, ev.ClaimSubmitted):
            episode.claim_numbers.add(taken.fact.claim)
    return _whole(episode, entries)


def _whole(episode: Episode, entries: Sequence[Entry]) -> Episode:
    assert hasattr(episode, "opening"), "every episode begins with its opening, which is corrected, never retracted"
    episode.patient = episode.opening[1].patient
    episode.heard_at = next(entry.recorded_at for entry in reversed(entries) if is_read(type(entry.fact)))
    for told in sorted(episode.told_claims, key=lambda told: told.first.version):
        episode.claims[told.fact.claim] = told  # the one recorded last, by the first entry of its chain
    return _voided(episode) if episode.voided else episode


def _voided(episode: Episode) -> Episode:
    """What is left of an episode opened in error: its opening and its claims, which are judged without days."""
    left = Episode(episode.name)
    left.opening, left.voided, left.patient = episode.opening, episode.voided, episode.patient
    left.heard_at = episode.heard_at
    left.told_claims, left.claims = episode.told_claims, episode.claims
    left.claim_numbers = episode.claim_numbers
    left.acknowledgements, left.postings, left.settled = episode.acknowledgements, episode.postings, episode.settled
    tz = zone(episode.opening[1].zone)
    left.shared_though = [
        *episode.deaths,
        *(Dated(span.from_, span.entry) for span in (*episode.facility, *episode.hospice)),
        *(Dated(granted.from_.toordinal(), entry) for entry, granted in episode.authorizations),
        *(Dated(hospital(at, tz, entry).on, entry) for _, at, entry in (*episode.admissions, *episode.homecomings)),
    ]
    return left


def _opened(ep: Episode, entry: Entry, fact: ev.EpisodeOpened, first: Entry) -> None:
    ep.opening = (entry, fact)


def _coverage(ep: Episode, entry: Entry, fact: ev.CoverageVerified, first: Entry) -> None:
    ep.coverage.append(Live(entry, fact, first))


def _coverage_end(ep: Episode, entry: Entry, fact: ev.CoverageEnded, first: Entry) -> None:
    ep.coverage_ends.append(Live(entry, fact, first))


def _ordered(ep: Episode, entry: Entry, fact: ev.TherapyOrdered, first: Entry) -> None:
    ep.orders.setdefault(fact.order, []).append((entry, fact))


def _stopped(ep: Episode, entry: Entry, fact: ev.TherapyStopped, first: Entry) -> None:
    ep.stops.setdefault(fact.order, []).append(Dated(fact.date.toordinal(), entry))


def _served(ep: Episode, entry: Entry, fact: ev.DayServed, first: Entry) -> None:
    on = fact.date.toordinal()
    day = Served(on, on, fact.infused, entry)
    if fact.order in ep.served:
        ep.served[fact.order].append(day)
    else:
        ep.served[fact.order] = [day]
    if fact.place_of_service is not UNSET:
        ep.places.append(Place(on, on, False, str(fact.place_of_service), entry))


def _served_days(ep: Episode, entry: Entry, fact: ev.DaysServed, first: Entry) -> None:
    from_, to = fact.from_.toordinal(), fact.to.toordinal()
    ep.served.setdefault(fact.order, []).append(Served(from_, to, fact.infused, entry))
    if fact.place_of_service is not UNSET:
        ep.places.append(Place(from_, to, True, str(fact.place_of_service), entry))


def _dispensed(ep: Episode, entry: Entry, fact: ev.DrugDispensed, first: Entry) -> None:
    ep.dispensed.append(entry)
    ep.supplied = ep.supplied or fact.days_supply is not UNSET


def _void(ep: Episode, entry: Entry, fact: ev.EpisodeVoided, first: Entry) -> None:
    ep.voided.append(entry)


def _provider_changed(ep: Episode, entry: Entry, fact: ev.ProviderChanged, first: Entry) -> None:
    ep.providers.append((fact.from_.toordinal(), fact.provider, entry))


def _ranked(ep: Episode, entry: Entry, fact: ev.TherapyRanked, first: Entry) -> None:
    ep.ranks.append((fact.from_.toordinal(), end_of(fact.to), fact.rank, entry))


def _logged(ep: Episode, entry: Entry, fact: ev.InfusionLogged, first: Entry) -> None:
    ep.runs.setdefault(fact.order, []).append(Run(fact.started_at, fact.stopped_at, entry))


def _visited(ep: Episode, entry: Entry, fact: ev.NursingVisited, first: Entry) -> None:
    ep.visits.append(Dated(fact.date.toordinal(), entry))


def _drug_billed(ep: Episode, entry: Entry, fact: ev.DrugBilledSeparately, first: Entry) -> None:
    from_ = fact.from_.toordinal()
    to = from_ if isinstance(fact.to, UnsetType) else fact.to.toordinal()
    ep.billed.append(Billed(fact.hcpcs, from_, to, entry, False))


def _service_billed(ep: Episode, entry: Entry, fact: ev.ServiceBilledSeparately, first: Entry) -> None:
    from_ = fact.from_.toordinal()
    to = from_ if isinstance(fact.to, UnsetType) else fact.to.toordinal()
    by = None if isinstance(fact.billed_by, UnsetType) else fact.billed_by
    ep.billed.append(Billed(fact.code, from_, to, entry, True, by))


def _admitted(ep: Episode, entry: Entry, fact: ev.HospitalAdmitted, first: Entry) -> None:
    ep.admissions.append((fact.stay, fact.at, entry))


def _came_home(ep: Episode, entry: Entry, fact: ev.HospitalDischarged, first: Entry) -> None:
    ep.homecomings.append((fact.stay, fact.at, entry))


def _facility(ep: Episode, entry: Entry, fact: ev.FacilityStayed, first: Entry) -> None:
    ep.facility.append(Span(fact.from_.toordinal(), end_of(fact.to), entry))


def _hospice(ep: Episode, entry: Entry, fact: ev.HospiceElected, first: Entry) -> None:
    ep.hospice.append(Span(fact.from_.toordinal(), end_of(fact.to), entry))


def _held(ep: Episode, entry: Entry, fact: ev.TherapyHeld, first: Entry) -> None:
    ep.holds.setdefault(fact.hold, []).append(Dated(fact.from_.toordinal(), entry))


def _resumed(ep: Episode, entry: Entry, fact: ev.TherapyResumed, first: Entry) -> None:
    ep.resumed.setdefault(fact.hold, []).append(Dated(fact.date.toordinal(), entry))


def _died(ep: Episode, entry: Entry, fact: ev.PatientDied, first: Entry) -> None:
    ep.deaths.append(Dated(fact.date.toordinal(), entry))


def _discharged(ep: Episode, entry: Entry, fact: ev.Discharged, first: Entry) -> None:
    ep.discharges.append(Dated(fact.date.toordinal(), entry))


def _diagnosed(ep: Episode, entry: Entry, fact: ev.DiagnosisRecorded, first: Entry) -> None:
    ep.diagnoses.append(Span(fact.from_.toordinal(), end_of(fact.to), entry))


def _planned(ep: Episode, entry: Entry, fact: ev.PlanSigned, first: Entry) -> None:
    ep.plans.append(Plan(fact.from_.toordinal(), fact.to.toordinal(), fact.signed_on.toordinal(), entry))


def _assessed(ep: Episode, entry: Entry, fact: ev.PainAssessed, first: Entry) -> None:
    ep.assessments.append(Dated(fact.date.toordinal(), entry))


def _authorized(ep: Episode, entry: Entry, fact: ev.AuthorizationGranted, first: Entry) -> None:
    ep.authorizations.append((entry, fact))


def _claimed(ep: Episode, entry: Entry, fact: ev.ClaimSubmitted, first: Entry) -> None:
    ep.told_claims.append(Live(entry, fact, first))
    ep.claim_numbers.add(fact.claim)


def _acknowledged(ep: Episode, entry: Entry, fact: billing.ClaimAcknowledged, first: Entry) -> None:
    ep.acknowledgements.append((entry, fact))


def _posted(ep: Episode, entry: Entry, fact: billing.RemittancePosted, first: Entry) -> None:
    ep.postings.append((entry, fact))


def _settled(
    ep: Episode, entry: Entry, fact: billing.AppealFiled | billing.RefundSent | billing.WrittenOff, first: Entry
) -> None:
    ep.settled.append((entry, fact))


def _decided(ep: Episode, entry: Entry, fact: ev.ConflictResolved, first: Entry) -> None:
    ep.resolutions[fact.date.toordinal()] = (entry, fact)


MENDING: Final = frozenset({ev.FactCorrected, ev.FactRetracted})
"""What makes other entries count differently; without one, every entry is live."""

TAKE: Final[dict[type[Any], Callable[[Episode, Entry, Any, Entry], None]]] = {
    ev.EpisodeOpened: _opened,
    ev.CoverageVerified: _coverage,
    ev.CoverageEnded: _coverage_end,
    ev.TherapyOrdered: _ordered,
    ev.TherapyStopped: _stopped,
    ev.EpisodeVoided: _void,
    ev.ProviderChanged: _provider_changed,
    ev.DayServed: _served,
    ev.DaysServed: _served_days,
    ev.InfusionLogged: _logged,
    ev.NursingVisited: _visited,
    ev.DrugDispensed: _dispensed,
    ev.DrugBilledSeparately: _drug_billed,
    ev.ServiceBilledSeparately: _service_billed,
    ev.HospitalAdmitted: _admitted,
    ev.HospitalDischarged: _came_home,
    ev.FacilityStayed: _facility,
    ev.HospiceElected: _hospice,
    ev.TherapyHeld: _held,
    ev.TherapyResumed: _resumed,
    ev.TherapyRanked: _ranked,
    ev.PatientDied: _died,
    ev.Discharged: _discharged,
    ev.DiagnosisRecorded: _diagnosed,
    ev.PlanSigned: _planned,
    ev.PainAssessed: _assessed,
    ev.AuthorizationGranted: _authorized,
    ev.ClaimSubmitted: _claimed,
    ev.ConflictResolved: _decided,
    billing.ClaimAcknowledged: _acknowledged,
    billing.RemittancePosted: _posted,
    **dict.fromkeys((billing.AppealFiled, billing.RefundSent, billing.WrittenOff), _settled),
}
"""Facts without an entry here (supplies, notes) are kept and never read by the judge."""


def is_read(kind: type[Any]) -> bool:
    """Whether the judge ever reads facts of this kind, or has to know of them because they mend others."""
    return kind in TAKE or kind in MENDING
