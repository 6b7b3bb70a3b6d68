"""The steps of one day as a person reads them: what each asked, what came out, and on what it rested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from ledger.book import Terms
from ledger.facts.entry import Entry, statement_of
from ledger.facts.events import ProviderChanged, TherapyOrdered
from ledger.judge import causes, passed, steps
from ledger.judge.episode import Dated
from ledger.judge.pricing import provider_entries, rank_entries
from ledger.judge.rule import Step, Verdict
from ledger.judge.steps import STEPS
from projections.why.day_view import DayView, tellings_of
from projections.why.evidence import EvidenceShown, evidence_shown
from projections.words import COUNTED, dollars, iso, listed


class StepShown(msgspec.Struct, frozen=True, gc=False):
    """A step of the rulebook: ``passed``, ``failed``, ``not_asked`` by the terms, or ``not_reached``."""

    step: int
    test: str
    result: str
    says: str
    evidence: tuple[EvidenceShown, ...]


Shown = tuple[str, Iterable[Entry]]
"""What a passed step says, and the entries it rested on."""


def _ended(ended: Sequence[Dated], what: str) -> Shown:
    if not ended:
        return f"no {what} is recorded", []
    first = min(end.date for end in ended)
    return f"the {what} was on {iso(first)}, not before the day", [e.entry for e in ended if e.date == first]


def _verified(view: DayView) -> Shown:
    return "coverage was verified", [view.case.spells[0].entry]


def _covered(view: DayView) -> Shown:
    spells = [spell for spell in view.case.spells if spell.from_ <= view.date <= spell.to]
    payers = dict.fromkeys(view.payer_name(spell.payer) for spell in spells)
    return f"covered by {', '.join(payers)}", [spell.entry for spell in spells]


def _paid(view: DayView) -> Shown:
    member = next((member for member, _ in view.case.members.on(view.day)), "")
    return f"the payer is {view.payer_name()}, member {member}", view.causes(steps.NO_TERMS)


def _governed(view: DayView) -> Shown:
    return f"from {view.terms.from_}, published {view.terms.published}", []


def _placed(view: DayView) -> Shown:
    where = f"{view.place} is among {', '.join(view.terms.places_of_service)}"
    return where, view.causes(steps.PLACE_OF_SERVICE)


def _agreed(view: DayView) -> Shown:
    changed = [entry for entry in provider_entries(view.case.episode, view.date) if _is_change(entry)]
    return f"{view.provider_name()} has one in force", changed


def _is_change(entry: Entry) -> bool:
    return isinstance(statement_of(entry), ProviderChanged)


def _at_home(view: DayView) -> Shown:
    stays = passed.part_days_in_hospital(view.case, view.date)
    partly = f"in hospital for part of the day, which {view.terms.inpatient_rule} does not count"
    return partly if stays else "no stay touches the day", stays


def _out_of_facility(view: DayView) -> Shown:
    stays = view.causes(steps.FACILITY)
    return "in a facility, but the terms pay such days" if stays else "no facility stay covers the day", stays


def _not_held(view: DayView) -> Shown:
    holds = view.causes(steps.HELD)
    return "held, but the terms count held days as access" if holds else "no hold covers the day", holds


def _served(view: DayView) -> Shown:
    return f"served (payer counts {COUNTED[view.terms.day_counting]})", passed.serving(view.case, view.date)


def _ordered(view: DayView) -> Shown:
    orders = passed.orders_in_force(view.case, view.date)
    return f"in force: {listed(fact.order for _, fact in tellings_of(orders))}", orders


def _remaining(view: DayView) -> list[tuple[Entry, TherapyOrdered]]:
    """The orders behind the day as they count on it."""
    orders = causes.remaining_orders(view.case, view.date)
    return list(tellings_of(causes.order_entries(view.case, orders, view.date)))


def _spaced(view: DayView) -> Shown:
    orders = tellings_of(passed.orders_in_force(view.case, view.date))
    hours = sorted({fact.interval_hours for _, fact in orders if fact.interval_hours <= view.terms.max_interval_hours})
    return f"a dose every {' or '.join(map(str, hours))} hours, at most {view.terms.max_interval_hours} apart", []


def _signed(view: DayView) -> Shown:
    signed = sorted((fact.order, str(fact.signed_on)) for _, fact in _remaining(view))
    says = listed(f"order {order} was signed on {on}" for order, on in signed)
    return says, [entry for entry, _ in _remaining(view)]


def _planned(view: DayView) -> Shown:
    longest = view.terms.plan_max_days
    plans = [plan for plan in view.case.episode.plans if plan.from_ <= view.date <= plan.last_date(longest)]
    signed = min(plan.signed_on for plan in plans)
    early = [plan.entry for plan in plans if plan.signed_on <= view.date]
    return f"a plan covers the day, signed on {iso(signed)}", early or [plan.entry for plan in plans]


def _assessed(view: DayView) -> Shown:
    entries = causes.last_assessment(view.case, view.date)
    return f"pain was assessed in the {view.terms.pain_assessment_days} days before the day, or on it", entries


def _not_waived(view: DayView) -> Shown:
    decided = view.decision
    if decided is None:
        return "no decision is recorded for the day", []
    entry, fact, has_effect = decided
    return f"{entry.by} decided to bill {fact.bill}{'' if has_effect else ', which changes nothing'}", [entry]


def _coded(view: DayView) -> Shown:
    chosen = len(passed.codes_on(view.case, view.date)) > 1
    decision = view.causes(steps.CONFLICT_RESOLVED) if chosen else []
    how = f"chosen by {decision[0].by}" if chosen else "by the mode"
    how = "for every mode" if view.terms.pain_code == "general" else how
    return f"{view.code}, {how}", [*decision, *(entry for entry, _ in _remaining(view))]


def _alone(view: DayView) -> Shown:
    """No clash; a service that a decision set aside is named."""
    services = view.services
    if not services:
        return "no other per diem on the day", []
    codes = listed(billed.code for billed in services)
    decision = view.causes(steps.CONFLICT_RESOLVED)
    return f"{decision[0].by} decided to bill {view.code} beside {codes}", [*decision, *(b.entry for b in services)]


def _authorized(view: DayView) -> Shown:
    grant = view.case.drawn[view.date]
    return f"one unit of {grant.number}", [grant.entry]


def _rated(view: DayView) -> Shown:
    full, price = view.full_rate_cents, view.price
    ranked = rank_entries(view.case.episode, view.date)
    if full is None or price.rate_cents == full:
        return f"{view.code} at {dollars(price.rate_cents)} a day", ranked
    ranks = f"{dollars(full)}, less as infusion therapy number {view.rank}"
    return f"{view.code} at {dollars(price.rate_cents)} a day ({ranks})", ranked


def _listed(document: str) -> Callable[[Terms], bool]:
    return lambda terms: document in terms.documentation


def _with(text: str, step: Step) -> Callable[[DayView], Shown]:
    """A fixed sentence over the entries that a step rests on."""
    return lambda view: (text, view.causes(step))


class Asked(NamedTuple):
    """A step in a person's words: what it asks for, what it says when passed, and whether the terms ask it at all."""

    test: str
    passed: Callable[[DayView], Shown]
    is_asked: Callable[[Terms], bool] = lambda terms: True


ASKED: Final[dict[Step, Asked]] = {
    steps.AFTER_DEATH: Asked("not after the patient's death", lambda v: _ended(v.case.patient.deaths, "death")),
    steps.AFTER_DISCHARGE: Asked("not after the discharge", lambda v: _ended(v.case.episode.discharges, "discharge")),
    steps.COVERAGE_UNVERIFIED: Asked("some coverage was verified", _verified),
    steps.NOT_COVERED: Asked("coverage covers the day", _covered),
    steps.PAYER_EXCLUDES_S_CODES: Asked("a covering payer takes S codes", _paid),
    steps.NO_TERMS: Asked("the payer has terms", _governed),
    steps.PLACE_OF_SERVICE: Asked("place of service", _placed),
    steps.NO_AGREEMENT: Asked("agreement with the payer", _agreed, lambda terms: terms.agreement_required),
    steps.INPATIENT: Asked("not in hospital", _at_home),
    steps.FACILITY: Asked("not in a facility", _out_of_facility),
    steps.HOSPICE: Asked("not in hospice", _with("no hospice election covers the day", steps.HOSPICE)),
    steps.HELD: Asked("not on hold", _not_held),
    steps.NOT_SERVED: Asked("served", _served),
    steps.NO_ORDER: Asked("an order in force", _ordered),
    steps.INTERVAL_TOO_LONG: Asked("doses close enough", _spaced),
    steps.ORDER_UNSIGNED: Asked("order signed", _signed, lambda terms: terms.order_signature != "none"),
    steps.NO_DIAGNOSIS: Asked("diagnosis", _with("a diagnosis is in force", steps.NO_DIAGNOSIS), _listed("diagnosis")),
    steps.PLAN: Asked("plan of treatment", _planned, _listed("plan")),
    steps.PAIN_ASSESSMENT_OVERDUE: Asked("pain assessment", _assessed, _listed("pain_assessment")),
    steps.CONFLICT_RESOLVED: Asked("no decision to bill nothing", _not_waived),
    steps.SEVERAL_CODES: Asked("one code", _coded),
    steps.CLASH: Asked("no clash", _alone),
    steps.AUTHORIZATION: Asked("authorization", _authorized, lambda terms: terms.auth_required),
    steps.NO_RATE: Asked("rate", _rated),
}
"""Every step of rulebook section 4."""


def steps_shown(view: DayView, verdict: Verdict, because: str) -> tuple[StepShown, ...]:
    """All steps of the day in order; ``because`` is what the one says that gave the verdict."""
    return tuple(_step(view, step, verdict, because) for step in STEPS)


def _step(view: DayView, step: Step, verdict: Verdict, because: str) -> StepShown:
    asked = ASKED[step]
    if step.number > verdict.step.number:
        return StepShown(step.number, asked.test, "not_reached", "", ())
    if step is verdict.step:
        return StepShown(step.number, asked.test, "failed", because, _evidence(view.deciding(verdict)))
    if "terms" in step.known and not asked.is_asked(view.terms):
        return StepShown(step.number, asked.test, "not_asked", "the payer's terms do not ask for it", ())
    says, entries = asked.passed(view)
    return StepShown(step.number, asked.test, "passed", says, _evidence(entries))


def _evidence(entries: Iterable[Entry]) -> tuple[EvidenceShown, ...]:
    once = {(entry.episode, entry.version): entry for entry in entries}
    return tuple(map(evidence_shown, once.values()))
