"""The verdict of a day under edition 1: its numbered steps, over sets of days.

A step takes the case and the days still standing, and yields the verdicts it gives with the days it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from ledger.book import GENERAL
from ledger.day_set import Days
from ledger.edition1.authorizations import draw_units
from ledger.edition1.case import Case, Regime, Verdict
from ledger.edition1.clash import clashes, codes_of_orders, name_of_conflict
from ledger.edition1.evidence import union

Failed = Iterator[tuple[Verdict, Days]]
Step = Callable[[Case, Days], Failed]

BILLABLE: Final = Verdict(24, "billable", None)


@cache
def _not_billable(step: int, reason: str) -> Verdict:
    return Verdict(step, "not_billable", reason)


@cache
def _hold(step: int, reason: str) -> Verdict:
    return Verdict(step, "hold", reason)


def step_1_not_after_death(case: Case, standing: Days) -> Failed:
    """The date is not after the earliest death recorded for the patient."""
    yield _not_billable(1, "after_death"), case.after(case.patient.deaths)


def step_2_not_after_discharge(case: Case, standing: Days) -> Failed:
    """The date is not after the episode's earliest discharge."""
    yield _not_billable(2, "after_discharge"), case.after(case.episode.discharges)


def step_3_coverage_verified(case: Case, standing: Days) -> Failed:
    """Some coverage was ever verified."""
    yield _hold(3, "coverage_unverified"), 0 if case.spells else standing


def step_4_covered(case: Case, standing: Days) -> Failed:
    """A coverage spell covers the date."""
    yield _not_billable(4, "not_covered"), standing & ~case.covered


def step_5_payer_accepts_s_codes(case: Case, standing: Days) -> Failed:
    """Of the covering payers, one remains that does not exclude S codes: the payer of the day."""
    yield _not_billable(5, "payer_excludes_s_codes"), standing & ~union(case.payers)


def step_6_terms_in_force(case: Case, standing: Days) -> Failed:
    """That payer has terms in force; there are no default terms."""
    yield _hold(6, "no_terms"), standing & ~case.governed


def step_7_place_of_service(case: Case, standing: Days) -> Failed:
    """The episode's place of service is one the terms pay."""
    place = case.episode.opening[1].place_of_service
    for regime in case.regimes:
        if place not in regime.terms.places_of_service:
            yield _not_billable(7, "place_of_service"), regime.days


def step_8_agreement(case: Case, standing: Days) -> Failed:
    """If the terms require it, the provider has an agreement with the payer in force."""
    npi = case.episode.opening[1].provider
    for regime in case.regimes:
        if regime.terms.agreement_required:
            agreed = case.spans(case.book.agreements(npi, regime.payer))
            yield _hold(8, "no_agreement"), regime.days & ~agreed


def step_9_not_inpatient(case: Case, standing: Days) -> Failed:
    """The date is no inpatient date under the terms' rule."""
    for regime in case.regimes:
        for days in case.stays(regime.terms.inpatient_rule):
            yield _not_billable(9, "inpatient"), regime.days & days


def step_10_not_in_facility(case: Case, standing: Days) -> Failed:
    """The date is in no facility stay, or the terms pay facility days."""
    days = case.spans((stay.from_, stay.to) for stay in case.patient.facility)
    for regime in case.regimes:
        if regime.terms.facility_days == "not_billable":
            yield _not_billable(10, "facility"), regime.days & days


def step_11_not_in_hospice(case: Case, standing: Days) -> Failed:
    """The date is in no hospice election."""
    yield _not_billable(11, "hospice"), case.spans((elected.from_, elected.to) for elected in case.patient.hospice)


def step_12_not_held(case: Case, standing: Days) -> Failed:
    """The date is in no hold, or the terms count held days as access."""
    for days in case.held():
        for regime in case.regimes:
            if regime.terms.hold_days == "not_billable":
                yield _not_billable(12, "held"), regime.days & days


def step_13_served(case: Case, standing: Days) -> Failed:
    """The date was served under the terms' way of counting days."""
    touched = union(case.evidence.touched)  # unserved only under rolling_24h: the others serve what a run touches
    for counting, days in _by_counting(case.regimes):
        served, by_visit = case.served_under(counting)
        for order, dates in served.items():
            case.served[order] = case.served.get(order, 0) | (dates & days)
        unserved = days & ~union(served) & ~by_visit
        yield _not_billable(13, "under_24_hours"), unserved & touched
        yield _not_billable(13, "not_served"), unserved


def _by_counting(regimes: Iterable[Regime]) -> Iterable[tuple[str, Days]]:
    counted: dict[str, Days] = {}
    for regime in regimes:
        counted[regime.terms.day_counting] = counted.get(regime.terms.day_counting, 0) | regime.days
    return counted.items()


def step_14_order_in_force(case: Case, standing: Days) -> Failed:
    """An order behind that evidence is in force."""
    case.remaining = {order: days & case.evidence.in_force(order) for order, days in case.served.items()}
    yield _hold(14, "no_order"), standing & ~union(case.remaining)


def step_15_interval(case: Case, standing: Days) -> Failed:
    """One of those orders is dosed often enough; the others drop out."""
    for regime in case.regimes:
        for order in case.remaining:
            if case.interval_of(order) > regime.terms.max_interval_hours:
                case.remaining[order] &= ~regime.days
    yield _not_billable(15, "interval_too_long"), standing & ~union(case.remaining)


def _requiring(case: Case, document: str) -> Iterator[Regime]:
    return (regime for regime in case.regimes if document in regime.terms.documentation)


def step_16_diagnosis(case: Case, standing: Days) -> Failed:
    """A diagnosis is in force, where the terms ask for one."""
    diagnosed = case.spans((diagnosis.from_, diagnosis.to) for diagnosis in case.episode.diagnoses)
    for regime in _requiring(case, "diagnosis"):
        yield _hold(16, "no_diagnosis"), regime.days & ~diagnosed


def step_17_plan(case: Case, standing: Days) -> Failed:
    """A plan covers the date and, under ``before_service``, one of those was signed on or before it."""
    planned = case.spans((plan.from_, plan.to) for plan in case.episode.plans)
    signed = case.spans((max(plan.from_, plan.signed_on), plan.to) for plan in case.episode.plans)
    for regime in _requiring(case, "plan"):
        yield _hold(17, "plan_missing"), regime.days & ~planned
        if regime.terms.plan_signature == "before_service":
            yield _hold(17, "plan_unsigned"), regime.days & ~signed


def step_18_pain_assessment(case: Case, standing: Days) -> Failed:
    """Pain was assessed on the date or in the days before it that the terms allow."""
    for regime in _requiring(case, "pain_assessment"):
        reach = regime.terms.pain_assessment_days
        fresh = case.spans((assessed.date, assessed.date + reach) for assessed in case.episode.assessments)
        yield _hold(18, "pain_assessment_overdue"), regime.days & ~fresh


def step_19_not_waived(case: Case, standing: Days) -> Failed:
    """No human decided to bill nothing on the date."""
    for date, (_, decided) in case.episode.resolutions.items():
        if decided.bill is None:
            yield _not_billable(19, "conflict_resolved"), case.calendar.day(date)


def step_20_one_code(case: Case, standing: Days) -> Failed:
    """The remaining orders give one code, or a human chose one of theirs."""
    for regime in case.regimes:
        if regime.terms.pain_code == "general":
            found = {GENERAL: standing & regime.days}
        else:
            found = codes_of_orders(case, standing & regime.days, regime.terms.midday_switch)
        for code, days in found.items():
            case.candidates[code] = case.candidates.get(code, 0) | days
    case.codes = dict(case.candidates)
    for date in case.calendar.dates(_several(case.candidates)):
        day = case.calendar.day(date)
        codes = {code for code, days in case.candidates.items() if days & day}
        decided = case.episode.resolutions.get(date)
        chosen = decided[1].bill if decided and decided[1].bill in codes else None
        for code in codes - {chosen}:
            case.codes[code] &= ~day
        if chosen is None:
            yield Verdict(20, "conflict", name_of_conflict(codes)), day


def _several(sets: dict[str, Days]) -> Days:
    once = twice = 0
    for days in sets.values():
        twice |= once & days
        once |= days
    return twice


def step_21_no_clash(case: Case, standing: Days, others: Iterable[Case]) -> Failed:
    """Nothing of the patient's other episodes, or billed by others, stands against the day's code."""
    for rule, days in clashes(case, standing, others):
        yield Verdict(21, "conflict", rule), days


def step_22_authorized(case: Case, standing: Days) -> Failed:
    """If the terms require it, an authorization has a unit for the date."""
    missing, exhausted = draw_units(case, standing)
    yield _hold(22, "auth_missing"), missing
    yield _hold(22, "auth_exhausted"), exhausted


def step_23_rated(case: Case) -> Failed:
    """The code is in force on the date and the terms have a rate for it."""
    for code, days in case.codes.items():
        listed = case.book.codes.get(code)
        in_force = 0
        if listed:
            in_force = case.spans(
                [(listed.from_.toordinal(), listed.to.toordinal() if listed.to else case.calendar.last)]
            )
        rated = union({str(at): r.days for at, r in enumerate(case.regimes) if code in r.terms.rate_cents})
        yield _hold(23, "no_rate"), days & ~(in_force & rated)
