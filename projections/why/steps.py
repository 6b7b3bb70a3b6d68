"""The numbered steps of one day as a person reads them: what each asked, what came out, and on what it rested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from ledger.book import Terms
from ledger.facts.entry import Entry, statement_of, tag_of
from ledger.facts.events import FactCorrected
from ledger.judge import causes as grounds
from ledger.judge import passed
from ledger.judge.episode import Dated
from projections.why.day_view import DayView
from projections.words import dollars, iso, utc_text


class EvidenceShown(msgspec.Struct, frozen=True, gc=False):
    """An entry that a step rested on: who recorded it when, and what it says."""

    label: str
    episode: str
    version: int
    type: str
    by: str
    recorded_at: str
    says: str


class StepShown(msgspec.Struct, frozen=True, gc=False):
    """A step of the rulebook: ``passed``, ``failed``, ``not_asked`` by the terms, or ``not_reached``."""

    step: int
    test: str
    result: str
    says: str
    evidence: tuple[EvidenceShown, ...]


def evidence_shown(entry: Entry) -> EvidenceShown:
    """An entry as evidence; a correction counts as what it says is right."""
    return EvidenceShown(
        entry.label, entry.episode, entry.version, tag_of(statement_of(entry)), entry.by,
        utc_text(entry.recorded_at), _says(entry),
    )  # fmt: skip


def _says(entry: Entry) -> str:
    fields = {name: value for name, value in msgspec.to_builtins(statement_of(entry)).items() if name != "type"}
    said = ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in fields.items())
    fact = entry.fact
    return f"{said} (corrects {fact.target_source}:{fact.target_id})" if isinstance(fact, FactCorrected) else said


def _value(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "yes" if value else "nothing" if value is None else "no"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


Shown = tuple[str, Iterable[Entry]]
"""What a passed step says, and the entries it rested on."""


def _ended(ended: Sequence[Dated], what: str) -> Shown:
    if not ended:
        return f"no {what} is recorded", []
    first = min(end.date for end in ended)
    return f"the {what} was on {iso(first)}, not before the day", [e.entry for e in ended if e.date == first]


def _covered(view: DayView) -> Shown:
    spells = [spell for spell in view.case.spells if spell.from_ <= view.date <= spell.to]
    payers = dict.fromkeys(view.payer_name(spell.payer) for spell in spells)
    return f"covered by {', '.join(payers)}", [spell.entry for spell in spells]


def _placed(view: DayView) -> Shown:
    opening, fact = view.case.episode.opening
    return f"{fact.place_of_service} is among {', '.join(view.terms.places_of_service)}", [opening]


def _agreed(view: DayView) -> Shown:
    return f"{view.provider_name} has one in force", []


def _at_home(view: DayView) -> Shown:
    stays = passed.part_days_in_hospital(view.case, view.date)
    partly = f"in hospital for part of the day, which {view.terms.inpatient_rule} does not count"
    return partly if stays else "no stay touches the day", stays


def _out_of_facility(view: DayView) -> Shown:
    stays = view.grounds(10)
    return "in a facility, but the terms pay such days" if stays else "no facility stay covers the day", stays


def _not_held(view: DayView) -> Shown:
    holds = view.grounds(12)
    return "held, but the terms count held days as access" if holds else "no hold covers the day", holds


def _ordered(view: DayView) -> Shown:
    orders = passed.orders_in_force(view.case, view.date)
    return f"in force: {', '.join(str(getattr(statement_of(entry), 'order', '')) for entry in orders)}", orders


def _spaced(view: DayView) -> Shown:
    orders = grounds.remaining_orders(view.case, view.date)
    hours = sorted({view.case.interval_of(order) for order in orders})
    return f"a dose every {' or '.join(map(str, hours))} hours, at most {view.terms.max_interval_hours} apart", []


def _planned(view: DayView) -> Shown:
    plans = [plan for plan in view.case.episode.plans if plan.from_ <= view.date <= plan.to]
    signed = min(plan.signed_on for plan in plans)
    early = [plan.entry for plan in plans if plan.signed_on <= view.date]
    return f"a plan covers the day, signed on {iso(signed)}", early or [plan.entry for plan in plans]


def _assessed(view: DayView) -> Shown:
    entries = grounds.last_assessment(view.case, view.date)
    return f"pain was assessed in the {view.terms.pain_assessment_days} days before the day, or on it", entries


def _coded(view: DayView) -> Shown:
    chosen = len(passed.codes_on(view.case, view.date)) > 1
    decision = view.grounds(19) if chosen else []
    how = "a human chose it" if chosen else "for every mode" if view.terms.pain_code == "general" else "by the mode"
    return f"{view.code}, {how}", [*decision, *view.grounds(23)]


def _authorized(view: DayView) -> Shown:
    return f"one unit of {view.case.drawn[view.date]}", grounds.authorizations_on(view.case, view.date)


def _rated(view: DayView) -> Shown:
    return f"{view.code} at {dollars(view.terms.rate_cents[view.code])} a day", []


def _with(text: str, step: int) -> Callable[[DayView], Shown]:
    """A fixed sentence over the entries that the step's grounds name."""
    return lambda view: (text, view.grounds(step))


class Step(NamedTuple):
    """A step: its name, what it says when passed, and whether the terms ask it at all."""

    name: str
    passed: Callable[[DayView], Shown]
    is_asked: Callable[[Terms], bool] = lambda terms: True


STEPS: Final[tuple[Step, ...]] = (
    Step("not after the patient's death", lambda v: _ended(v.case.patient.deaths, "death")),
    Step("not after the discharge", lambda v: _ended(v.case.episode.discharges, "discharge")),
    Step("some coverage was verified", lambda v: ("coverage was verified", [v.case.spells[0].entry])),
    Step("coverage covers the day", _covered),
    Step("a covering payer takes S codes", lambda v: (f"the payer is {v.payer_name()}", v.grounds(6))),
    Step("the payer has terms", lambda v: (f"from {v.terms.from_}, published {v.terms.published}", [])),
    Step("place of service", _placed),
    Step("agreement with the payer", _agreed, lambda terms: terms.agreement_required),
    Step("not in hospital", _at_home),
    Step("not in a facility", _out_of_facility),
    Step("not in hospice", _with("no hospice election covers the day", 11)),
    Step("not on hold", _not_held),
    Step("served", lambda v: (f"served, as {v.terms.day_counting} counts", passed.serving(v.case, v.date))),
    Step("an order in force", _ordered),
    Step("doses close enough", _spaced),
    Step("diagnosis", _with("a diagnosis is in force", 16), lambda terms: "diagnosis" in terms.documentation),
    Step("plan of treatment", _planned, lambda terms: "plan" in terms.documentation),
    Step("pain assessment", _assessed, lambda terms: "pain_assessment" in terms.documentation),
    Step("no decision to bill nothing", _with("nobody decided so", 19)),
    Step("one code", _coded),
    Step("no clash", _with("no other per diem stands against it", 19)),
    Step("authorization", _authorized, lambda terms: terms.auth_required),
    Step("rate", _rated),
)
"""The 23 steps of rulebook section 4, in order."""


def steps_shown(view: DayView, failing: int, reason: str | None, because: str) -> tuple[StepShown, ...]:
    """All steps of the day in order; ``failing`` is the verdict's step (24 if the day is billable)."""
    return tuple(_shown(view, step, test, failing, reason, because) for step, test in enumerate(STEPS, 1))


def _shown(view: DayView, step: int, test: Step, failing: int, reason: str | None, because: str) -> StepShown:
    if step > failing:
        return StepShown(step, test.name, "not_reached", "", ())
    if step == failing:
        if step == 21:
            entries: Iterable[Entry] = grounds.clashing(view.case, view.others, view.date, str(reason))
        else:
            entries = view.grounds(step)
        return StepShown(step, test.name, "failed", because, _evidence(entries))
    if step > 6 and not test.is_asked(view.terms):
        return StepShown(step, test.name, "not_asked", "the payer's terms do not ask for it", ())
    says, entries = test.passed(view)
    return StepShown(step, test.name, "passed", says, _evidence(entries))


def _evidence(entries: Iterable[Entry]) -> tuple[EvidenceShown, ...]:
    once = {(entry.episode, entry.version): entry for entry in entries}
    return tuple(map(evidence_shown, once.values()))
