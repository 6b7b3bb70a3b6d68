"""The verdict of a day: the steps of rulebook section 4, in its order, over sets of days.

The test of a step takes the case, the days still standing and the patient's other cases; it yields the reason of each
verdict it gives, with the days that fail by it. The table ``STEPS`` has every step with its verdicts and their causes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final

from ledger.book import GENERAL, Book, Terms
from ledger.day_set import Days
from ledger.judge import causes, taken_back
from ledger.judge.authorizations import draw_units
from ledger.judge.case import Case, Others, Regime
from ledger.judge.clash import clashes, codes_of_orders, name_of_conflict
from ledger.judge.evidence import union
from ledger.judge.patients import Patient
from ledger.judge.pricing import percent_of, price_of
from ledger.judge.rates import full_rates
from ledger.judge.rule import Failed, Step, in_order
from ledger.judge.tally import PlanTally


def not_after_death(case: Case, standing: Days, others: Others) -> Failed:
    """The date is not after the earliest death recorded for the patient."""
    yield "after_death", case.after(case.patient.deaths)


def not_after_discharge(case: Case, standing: Days, others: Others) -> Failed:
    """The date is not after the episode's earliest discharge."""
    yield "after_discharge", case.after(case.episode.discharges)


def coverage_verified(case: Case, standing: Days, others: Others) -> Failed:
    """Some coverage was ever verified."""
    yield "coverage_unverified", 0 if case.spells else standing


def covered(case: Case, standing: Days, others: Others) -> Failed:
    """A coverage spell covers the date."""
    yield "not_covered", standing & ~case.covered


def payer_accepts_s_codes(case: Case, standing: Days, others: Others) -> Failed:
    """Of the covering payers, one remains that does not exclude S codes: the payer of the day."""
    yield "payer_excludes_s_codes", standing & ~union(case.payers)


def terms_in_force(case: Case, standing: Days, others: Others) -> Failed:
    """That payer has terms in force; there are no default terms."""
    yield "no_terms", standing & ~case.governed


def place_of_service(case: Case, standing: Days, others: Others) -> Failed:
    """The place of the day is one the terms pay."""
    for regime in case.regimes:
        for place, days in case.places.on(regime.days):
            if place not in regime.terms.places_of_service:
                yield "place_of_service", days


def agreement(case: Case, standing: Days, others: Others) -> Failed:
    """If the terms require it, the provider of the day has an agreement with the payer in force."""
    for regime in case.regimes:
        for npi, days in case.providers.on(regime.days) if regime.terms.agreement_required else ():
            yield "no_agreement", days & ~case.spans(case.book.agreements(npi, regime.payer))


def not_inpatient(case: Case, standing: Days, others: Others) -> Failed:
    """The date is no inpatient date under the terms' rule."""
    for regime in case.regimes:
        yield "inpatient", regime.days & case.inpatient(regime.terms.inpatient_rule)


def not_in_facility(case: Case, standing: Days, others: Others) -> Failed:
    """The date is in no facility stay, or the terms pay facility days."""
    days = case.spans((stay.from_, stay.to) for stay in case.patient.facility)
    for regime in case.regimes:
        if regime.terms.facility_days == "not_billable":
            yield "facility", regime.days & days


def not_in_hospice(case: Case, standing: Days, others: Others) -> Failed:
    """The date is in no hospice election."""
    yield "hospice", case.spans((elected.from_, elected.to) for elected in case.patient.hospice)


def not_held(case: Case, standing: Days, others: Others) -> Failed:
    """The date is in no hold, or the terms count held days as access."""
    for days, _ in case.held():
        for regime in case.regimes:
            if regime.terms.hold_days == "not_billable":
                yield "held", regime.days & days


def served(case: Case, standing: Days, others: Others) -> Failed:
    """The date was served under the terms' way of counting days."""
    touched = union(case.evidence.touched)  # unserved only under rolling_24h: the others serve what a run touches
    for terms, days in _by_counting(case.regimes):
        served, by_visit = case.served_under(terms)
        for order, dates in served.items():
            case.served[order] = case.served.get(order, 0) | (dates & days)
        unserved = days & ~union(served) & ~by_visit
        yield "under_24_hours", unserved & touched
        yield "not_served", unserved


def _by_counting(regimes: Sequence[Regime]) -> Iterable[tuple[Terms, Days]]:
    """The dates by how they are counted, each with terms that say so."""
    if len(regimes) == 1:  # most
        return [(regimes[0].terms, regimes[0].days)]
    counted: dict[tuple[object, ...], tuple[Terms, Days]] = {}
    for regime in regimes:
        terms = regime.terms
        key: tuple[object, ...] = (terms.day_counting,)
        if terms.day_counting == "course":
            key += (terms.course_gap_days, terms.inpatient_rule)
        counted[key] = terms, counted.get(key, (terms, 0))[1] | regime.days
    return counted.values()


def order_in_force(case: Case, standing: Days, others: Others) -> Failed:
    """An order behind that evidence is in force."""
    orders = case.evidence.orders
    case.remaining = {name: days & orders[name].in_force for name, days in case.served.items() if name in orders}
    yield "no_order", standing & ~union(case.remaining)


def interval(case: Case, standing: Days, others: Others) -> Failed:
    """One of those orders is dosed often enough; the others drop out."""
    for regime in case.regimes:
        for order in case.remaining:
            too_long = case.evidence.orders[order].with_interval_over(regime.terms.max_interval_hours)
            case.remaining[order] &= ~(regime.days & too_long)
    yield "interval_too_long", standing & ~union(case.remaining)


def order_signed(case: Case, standing: Days, others: Others) -> Failed:
    """One of those orders is signed, under ``before_service`` on or before the date; the others drop out."""
    for regime in case.regimes:
        if regime.terms.order_signature != "none":
            before_service = regime.terms.order_signature == "before_service"
            for order in case.remaining:
                unsigned = case.evidence.orders[order].unsigned(case.calendar, before_service=before_service)
                case.remaining[order] &= ~(regime.days & unsigned)
    yield "order_unsigned", standing & ~union(case.remaining)


def _requiring(case: Case, document: str) -> Iterator[Regime]:
    return (regime for regime in case.regimes if document in regime.terms.documentation)


def diagnosis(case: Case, standing: Days, others: Others) -> Failed:
    """A diagnosis is in force, where the terms ask for one."""
    diagnosed = case.spans((diagnosis.from_, diagnosis.to) for diagnosis in case.episode.diagnoses)
    for regime in _requiring(case, "diagnosis"):
        yield "no_diagnosis", regime.days & ~diagnosed


def plan(case: Case, standing: Days, others: Others) -> Failed:
    """A plan covers the date and, under ``before_service``, one of those was signed on or before it."""
    for regime in _requiring(case, "plan"):
        tally = case.episode.tallies.plans.setdefault(regime.terms.plan_max_days, PlanTally())
        tally.take_plans(case.episode.plans, regime.terms.plan_max_days)
        yield "plan_missing", regime.days & ~case.spans(tally.planned.spans)
        if regime.terms.plan_signature == "before_service":
            yield "plan_unsigned", regime.days & ~case.spans(tally.signed.spans)


def pain_assessment(case: Case, standing: Days, others: Others) -> Failed:
    """Pain was assessed on the date or in the days before it that the terms allow."""
    for regime in _requiring(case, "pain_assessment"):
        fresh = case.evidence.assessed_within(regime.terms.pain_assessment_days)
        yield "pain_assessment_overdue", regime.days & ~fresh


def not_waived(case: Case, standing: Days, others: Others) -> Failed:
    """No human decided to bill nothing on the date."""
    for date, (_, decided) in case.episode.resolutions.items():
        if decided.bill is None:
            yield "conflict_resolved", case.calendar.day(date)


def one_code(case: Case, standing: Days, others: Others) -> Failed:
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
            yield name_of_conflict(codes), day


def _several(sets: dict[str, Days]) -> Days:
    once = twice = 0
    for days in sets.values():
        twice |= once & days
        once |= days
    return twice


def no_clash(case: Case, standing: Days, others: Others) -> Failed:
    """Nothing of the patient's other episodes, or billed by others, stands against the day's code."""
    yield from clashes(case, standing, others)


def authorized(case: Case, standing: Days, others: Others) -> Failed:
    """If the terms require it, an authorization has a unit for the date."""
    draws = draw_units(case, others)
    yield "auth_missing", draws.missing
    yield "auth_exhausted", draws.exhausted


def rated(case: Case, standing: Days, others: Others) -> Failed:
    """The code is in force on the date and has a rate, the agreement's or the terms'; its rank pays some of it."""
    for code, days in case.codes.items():
        listed = case.book.codes.get(code)
        in_force = 0
        if listed:
            in_force = case.spans(
                [(listed.from_.toordinal(), listed.to.toordinal() if listed.to else case.calendar.last)]
            )
        rated = 0
        for regime in case.regimes:
            for cents, dates in full_rates(case, regime, code):
                rated |= dates
                if priced := dates & days & in_force:
                    yield "concurrent_unpaid", _price(case, regime, code, cents, priced)
        yield "no_rate", days & ~(in_force & rated)


def _price(case: Case, regime: Regime, code: str, cents: int, days: Days) -> Days:
    """Note what these dates pay; the dates whose rank pays nothing."""
    unpaid = 0
    for rank, ranked in case.ranks.on(days):
        if not percent_of(regime.terms, rank):
            unpaid |= ranked
        for place, dates in case.places.on(ranked):
            price, priced = price_of(regime.terms, code, cents, place, rank), case.prices.setdefault(code, {})
            priced[price] = priced.get(price, 0) | dates
    return unpaid


def none_failed(case: Case, standing: Days, others: Others) -> Failed:
    """The date failed no step."""
    yield "", standing


DEATHS, DISCHARGES, STAYS, FACILITY_STAYS, ELECTIONS, HOLDS, DECISIONS = map(
    attrgetter,
    ("patient.deaths", "episode.discharges", "patient.stays", "patient.facility", "patient.hospice", "episode.holds",
     "episode.resolutions"),
)  # fmt: skip
"""Without any of these in its case, a step that asks about them takes no day."""

STEPS: Final = in_order(
    AFTER_DEATH := Step(not_after_death, "not_billable after_death", causes.deaths, taken_back.DEATH, only_with=DEATHS),
    AFTER_DISCHARGE := Step(
        not_after_discharge, "not_billable after_discharge", causes.discharges, only_with=DISCHARGES
    ),
    COVERAGE_UNVERIFIED := Step(coverage_verified, "hold coverage_unverified", causes.nothing, taken_back.ANY_COVERAGE),
    NOT_COVERED := Step(covered, "not_billable not_covered", causes.coverage, taken_back.COVERAGE),
    PAYER_EXCLUDES_S_CODES := Step(
        payer_accepts_s_codes,
        "not_billable payer_excludes_s_codes",
        causes.covering_spells,
        taken_back.PAYING_COVERAGE,
        establishes="payer",
    ),
    NO_TERMS := Step(terms_in_force, "hold no_terms", causes.payer_of_day, taken_back.PAYING_COVERAGE, "terms"),
    PLACE_OF_SERVICE := Step(place_of_service, "not_billable place_of_service", causes.place, taken_back.PLACE),
    NO_AGREEMENT := Step(agreement, "hold no_agreement", causes.provider_and_payer, taken_back.PROVIDER),
    INPATIENT := Step(not_inpatient, "not_billable inpatient", causes.stays, taken_back.HOME, only_with=STAYS),
    FACILITY := Step(
        not_in_facility, "not_billable facility", causes.facility_stays, taken_back.FACILITY, only_with=FACILITY_STAYS
    ),
    HOSPICE := Step(
        not_in_hospice, "not_billable hospice", causes.hospice_elections, taken_back.HOSPICE, only_with=ELECTIONS
    ),
    HELD := Step(not_held, "not_billable held", causes.holds, taken_back.RESUMPTION, only_with=HOLDS),
    NOT_SERVED := Step(
        served, "not_billable not_served; not_billable under_24_hours", causes.unserved, taken_back.SERVICE
    ),
    NO_ORDER := Step(order_in_force, "hold no_order", causes.without_order, taken_back.ORDER),
    INTERVAL_TOO_LONG := Step(interval, "not_billable interval_too_long", causes.too_long, taken_back.CLOSE_ORDER),
    ORDER_UNSIGNED := Step(order_signed, "hold order_unsigned", causes.unsigned_orders, taken_back.SIGNED_ORDER),
    NO_DIAGNOSIS := Step(diagnosis, "hold no_diagnosis", causes.diagnoses_on, taken_back.DIAGNOSIS),
    PLAN := Step(plan, "hold plan_missing; hold plan_unsigned", causes.plans_on, taken_back.PLAN),
    PAIN_ASSESSMENT_OVERDUE := Step(
        pain_assessment, "hold pain_assessment_overdue", causes.last_assessment, taken_back.ASSESSMENT
    ),
    CONFLICT_RESOLVED := Step(
        not_waived, "not_billable conflict_resolved", causes.decision, taken_back.DECISION, only_with=DECISIONS
    ),
    SEVERAL_CODES := Step(
        one_code,
        "conflict pain_code_exclusion; conflict specific_pair",
        causes.orders_and_evidence,
        taken_back.ONE_CODE,
        establishes="code",
    ),
    CLASH := Step(
        no_clash,
        "conflict pain_code_exclusion; conflict duplicate_per_diem; conflict specific_pair",
        causes.clashing,
        taken_back.SETTLEMENT,
    ),
    AUTHORIZATION := Step(
        authorized, "hold auth_missing; hold auth_exhausted", causes.authorizations_on, taken_back.AUTHORIZATION
    ),
    NO_RATE := Step(rated, "hold no_rate; not_billable concurrent_unpaid", causes.orders_and_rank, taken_back.RANK),
)
"""The table of rulebook section 4: a step stands here in its place, and has its number from it."""

PASSED: Final = in_order(*STEPS, Step(none_failed, "billable", causes.served_on))[-1]
"""What comes of a day that fails none of them."""


def judge(patient: Patient, book: Book) -> list[Case]:
    """Every day of every episode of one patient, judged. Pure: the same facts and book give the same verdicts."""
    return judge_each([patient], book)[0]


def judge_each(patients: Iterable[Patient], book: Book) -> list[list[Case]]:
    """Several patients, each judged by themselves.

    A step is taken in all episodes before the next, because the later ones look at the patient's other episodes as they
    are then; and with all patients, because a processor is quicker at what it has just done.
    """
    judged = [[Case(episode, patient, book) for episode in patient.episodes] for patient in patients]
    cases = [(case, theirs[:place] + theirs[place + 1 :]) for theirs in judged for place, case in enumerate(theirs)]
    standing = [case.calendar.every for case, _ in cases]
    for step in _ALL:
        for place, (case, others) in enumerate(cases):
            if step.only_with is None or step.only_with(case):
                standing[place] = _take(step, case, standing[place], others)
    return judged


_ALL: Final = (*STEPS, PASSED)


def _take(step: Step, case: Case, standing: Days, others: Others) -> Days:
    """Give each failing day its first verdict; what is left goes on to the next step."""
    for reason, days in step.test(case, standing, others):
        taken = standing & days
        if taken:
            case.verdicts.append((step.verdicts[reason], taken))
            standing &= ~taken
    return standing
