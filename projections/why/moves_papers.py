"""Changes of what surrounds the service: documents, coverage, authorization, place, provider and rank."""

from __future__ import annotations

import msgspec

from ledger.facts import events as ev
from ledger.facts.entry import statement_of
from ledger.judge.authorizations import covering_authorizations
from ledger.judge.grants import Grant
from ledger.judge.pricing import percent_of, place_entries, provider_entries, rank_entries
from projections.why.change import HYPOTHETICAL, Changes, correct, retract, tell
from projections.why.day_view import DayView


def sign_plan(view: DayView) -> Changes:
    """A plan that is there and signed too late comes first."""
    on, longest = view.on, view.terms.plan_max_days
    for plan in view.case.episode.plans:
        if plan.from_ <= view.date <= plan.last_date(longest):
            yield correct(view, plan.entry, f"the plan was signed on or before {on}", signed_on=on)
    when = ", on or before that day" if view.terms.plan_signature == "before_service" else ""
    yield tell(view, ev.PlanSigned(HYPOTHETICAL, on, on, on), f"Sign a plan of treatment that covers {on}{when}.")


def assess(view: DayView) -> Changes:
    """A pain assessment of the day."""
    reach = view.terms.pain_assessment_days
    when = f"or in the {reach} days before it" if reach else "itself"
    yield tell(view, ev.PainAssessed(view.on, 0), f"Record a pain assessment made on {view.on} {when}.")


def diagnose(view: DayView) -> Changes:
    """The diagnosis the episode has at other times; R52 is pain without a closer name."""
    known = [fact for found in view.case.episode.diagnoses if (fact := statement_of(found.entry))]
    icd10 = known[-1].icd10 if known and isinstance(known[-1], ev.DiagnosisRecorded) else "R52"
    fact = ev.DiagnosisRecorded(icd10, view.on, view.on)
    yield tell(view, fact, f"Record a diagnosis that is in force on {view.on}.")


def verify_coverage(view: DayView) -> Changes:
    """Coverage by each payer known in the episode and, if none of those has terms that take S codes, by each that the
    provider has an agreement with, in order of id."""
    on, episode, book = view.on, view.case.episode, view.case.book
    payers = list(dict.fromkeys(spell.payer for spell in view.case.spells))
    known = [book.terms_on(payer, on) for payer in payers]
    if not any(terms is not None and terms.accepts_s_codes for terms in known):
        payers += [payer for payer in sorted(book.payers) if payer not in payers and _has_agreement(view, payer)]
    for payer in payers:
        member = next((told.fact.member for told in episode.coverage if told.fact.payer == payer), HYPOTHETICAL)
        fact = ev.CoverageVerified(payer, member, on, on)
        yield tell(view, fact, f"Verify that {view.payer_name(payer)} covers the patient on {on}.")


def _has_agreement(view: DayView, payer: str, npi: str | None = None) -> bool:
    spans = view.case.book.agreements(npi or view.provider, payer)
    return any(first <= view.date <= last for first, last in spans)


def uncut_coverage(view: DayView) -> Changes:
    """The coverage had not ended."""
    spells = [spell for spell in view.case.spells if spell.from_ <= view.date <= spell.verified_to]
    cuts = {cut.version: cut for spell in spells if spell.to < view.date for cut in spell.cuts}
    yield from (retract(view, cut) for cut in cuts.values())


def authorize(view: DayView) -> Changes:
    """More units on an authorization, told anew for the same dates; else a new one for the day."""
    on, more = view.on, _days_short(view)
    for grant in covering_authorizations(view.case, view.date):
        fact = _granted(grant)
        units = fact.units + more
        raised = msgspec.structs.replace(fact, units=units)
        yield tell(view, raised, f"Have authorization {fact.number} raised from {fact.units} to {units} units.")
    taken = {fact.number for _, fact in view.case.patient.authorizations}
    number = next(n for place in range(len(taken) + 1) if (n := f"{HYPOTHETICAL}-{place}") not in taken)
    new = ev.AuthorizationGranted(number, str(view.payer), (view.code,), 1, on, on)
    yield tell(view, new, f"Add an authorization by {view.payer_name()} of {view.code} for {on}.")


def _granted(grant: Grant) -> ev.AuthorizationGranted:
    fact = statement_of(grant.entry)
    assert isinstance(fact, ev.AuthorizationGranted)
    return fact


def _days_short(view: DayView) -> int:
    """The patient's days without a unit up to this one, which draws after them."""
    short = 0
    for case in (view.case, *view.others):
        last = view.date - (case.episode.name > view.case.episode.name)
        before = case.calendar.span(case.calendar.first, last) & case.payers.get(str(view.payer), 0)
        short += sum((days & before).bit_count() for verdict, days in case.verdicts if verdict.reason == _USED_UP)
    return max(short, 1)


_USED_UP = "auth_exhausted"


def correct_place(view: DayView) -> Changes:
    """What names the place of the day; the home first."""
    for place in sorted(view.terms.places_of_service, key=lambda place: place != "12"):
        for entry in place_entries(view.case.episode, view.date):
            yield correct(view, entry, f"the place of service is {place}", place_of_service=place)


def change_provider(view: DayView) -> Changes:
    """The episode did not change its provider, or changed to one that has an agreement with the payer."""
    for entry in provider_entries(view.case.episode, view.date):
        if isinstance(statement_of(entry), ev.ProviderChanged):
            yield retract(view, entry)
    for npi in sorted(view.case.book.providers):
        if npi != view.provider and _has_agreement(view, str(view.payer), npi):
            says = f"Record that the episode goes on under {view.provider_name(npi)} from {view.on}, if that is so."
            yield tell(view, ev.ProviderChanged(npi, view.on), says)


def rank_higher(view: DayView) -> Changes:
    """Pain was an earlier one of the infusion therapies, or the only one."""
    regime = view.case.regime_on(view.date)
    for entry in rank_entries(view.case.episode, view.date) if regime else ():
        for rank in range(view.rank - 1, 0, -1):
            if regime and percent_of(regime.terms, rank):
                yield correct(view, entry, f"pain was therapy number {rank} of the day", rank=rank)
        yield retract(view, entry)
