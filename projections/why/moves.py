"""The one-fact changes a person could really make, in the order they are tried.

A day that is not billable: what would have carried it and was taken back is brought back first. Then the changes of the
table below are tried in its order, first those that cure the failing step, then those that may help it in passing
(another payer asks for other things); the first after which the day is billable is shown. What a colleague denied is
not proposed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from ledger.book import GENERAL, PER_DIEM
from ledger.facts import events as ev
from ledger.facts.entry import Entry
from ledger.facts.liveness import Taken
from ledger.judge import causes, passed, steps
from ledger.judge.rule import Step, Verdict
from ledger.judge.steps import STEPS
from ledger.judge.taken_back import taken_from
from projections.why import moves_papers, moves_service, moves_stays
from projections.why.change import HYPOTHETICAL, Change, Changes, named, retract, tell
from projections.why.day_view import DayView
from projections.words import minute, utc_text


def decide(view: DayView) -> Changes:
    """The day's own code first; after a decision for nothing, any code lifts it."""
    own = [code for code, days in view.case.codes.items() if days & view.day]
    given = [code for code in passed.codes_on(view.case, view.date) if code not in own]
    provided = f", if {view.others_did_not}" if own and view.services else ""
    for code in [*own, *given] or _modes(view):
        fact = ev.ConflictResolved(view.on, code, HYPOTHETICAL)
        yield tell(view, fact, f"Decide to bill {code} on {view.on}{provided}.")


def _modes(view: DayView) -> list[str]:
    if view.terms.pain_code == "general":
        return [GENERAL]
    tellings = map(view.telling, causes.remaining_orders(view.case, view.date))
    return sorted({PER_DIEM[telling.mode] for telling in tellings if telling})


def bill_nothing_elsewhere(view: DayView) -> Changes:
    """Another episode of the patient leaves the day to this one."""
    for other in view.others:
        if any(exposed.days & other.calendar.day(view.date) for exposed in other.exposed()):
            name, nothing = other.episode.name, ev.ConflictResolved(view.on, None, HYPOTHETICAL)
            yield Change(name, nothing, f"Bill nothing in {name} on {view.on}.")


def retract_service(view: DayView) -> Changes:
    """The other provider did not bill it."""
    for billed in view.services:
        who = view.provider_name(billed.by) if billed.by else "another provider"
        yield retract(view, billed.entry, f"{who} did not bill {billed.code} that day")


def _after(step: Step) -> tuple[Step, ...]:
    return STEPS[step.number :]


class Move(NamedTuple):
    """A kind of change, the steps it cures, and those it may help in passing."""

    propose: Callable[[DayView], Changes]
    cures: tuple[Step, ...]
    may_help: Sequence[Step] = ()


MOVES: Final[tuple[Move, ...]] = (
    Move(moves_service.sign_order, (steps.ORDER_UNSIGNED,)),
    Move(moves_papers.sign_plan, (steps.PLAN,)),
    Move(moves_papers.assess, (steps.PAIN_ASSESSMENT_OVERDUE,)),
    Move(moves_papers.diagnose, (steps.NO_DIAGNOSIS,)),
    Move(
        moves_papers.verify_coverage,
        (steps.COVERAGE_UNVERIFIED, steps.NOT_COVERED, steps.PAYER_EXCLUDES_S_CODES),
        _after(steps.PAYER_EXCLUDES_S_CODES),
    ),
    Move(moves_papers.authorize, (steps.AUTHORIZATION,)),
    Move(moves_service.rename_order, (steps.NO_ORDER,)),
    Move(
        moves_service.record_day,
        (steps.NOT_SERVED,),
        (steps.NO_ORDER, steps.INTERVAL_TOO_LONG, steps.ORDER_UNSIGNED),
    ),
    Move(moves_service.correct_log, (steps.NOT_SERVED,)),
    Move(moves_service.move_stop, (steps.NOT_SERVED, steps.NO_ORDER)),
    Move(moves_service.order_anew, (steps.NOT_SERVED, steps.NO_ORDER, steps.INTERVAL_TOO_LONG)),
    Move(moves_stays.move_end(steps.AFTER_DISCHARGE), (steps.AFTER_DISCHARGE,)),
    Move(moves_papers.uncut_coverage, (steps.NOT_COVERED,), _after(steps.NOT_COVERED)),
    Move(moves_stays.move_end(steps.AFTER_DEATH), (steps.AFTER_DEATH,)),
    Move(moves_stays.bring_home, (steps.INPATIENT,)),
    Move(moves_stays.end_before(steps.FACILITY), (steps.FACILITY,)),
    Move(moves_stays.end_before(steps.HOSPICE), (steps.HOSPICE,)),
    Move(moves_stays.resume, (steps.HELD,)),
    Move(decide, (steps.CONFLICT_RESOLVED, steps.SEVERAL_CODES, steps.CLASH)),
    Move(bill_nothing_elsewhere, (steps.CLASH,)),
    Move(retract_service, (steps.CLASH,)),
    Move(moves_papers.correct_place, (steps.PLACE_OF_SERVICE,)),
    Move(moves_papers.change_provider, (steps.NO_AGREEMENT,), (steps.NO_RATE,)),
    Move(moves_papers.rank_higher, (steps.NO_RATE,)),
)
"""Every kind of change in the order tried. A step in neither list of a move could be turned by it only by accident (an
order recorded so that a switch drops another's code), which no biller would call a cure."""

NO_MOVE: Final[dict[Step, str]] = {steps.NO_TERMS: "the payer's terms come with the book, not with a fact"}
"""The step that no fact cures, and why; other coverage may still help in passing."""


def worth_trying(view: DayView, verdict: Verdict) -> Changes:
    """The changes that may make a day billable that is not, in the order they are tried."""
    step, taken = verdict.step, taken_from(view.case, view.date, verdict)
    yield from _brought_back(view, taken)
    proposed = [move.propose for move in MOVES if step in move.cures]
    proposed += [move.propose for move in MOVES if step in move.may_help]
    for propose in proposed:
        yield from (change for change in propose(view) if not any(_says_again(change.fact, each) for each in taken))


def _brought_back(view: DayView, taken: Sequence[Taken]) -> Changes:
    """What was taken back counts again: the retraction is retracted, the correction as well."""
    for each in taken:
        for by in each.by:
            fact = ev.FactRetracted(by.source, by.id, HYPOTHETICAL)
            yield Change(by.episode, fact, f"Retract {by.label}, {_by_which(view, each, by)}, if that was wrong.")


def _by_which(view: DayView, taken: Taken, by: Entry) -> str:
    did = "retracted" if isinstance(by.fact, ev.FactRetracted) else "corrected"
    return f"by which {by.by} {did} {named(view, taken.entry)} on {minute(utc_text(by.recorded_at))}"


_NAMED_BY: Final[dict[type[Any], str]] = {
    ev.DayServed: "order", ev.DaysServed: "order", ev.InfusionLogged: "order", ev.TherapyOrdered: "order",
    ev.TherapyStopped: "order", ev.CoverageVerified: "payer", ev.TherapyResumed: "hold", ev.HospitalDischarged: "stay",
}  # fmt: skip
_EVIDENCE: Final = frozenset({ev.DayServed, ev.DaysServed, ev.InfusionLogged})


def _says_again(fact: ev.Event, taken: Taken) -> bool:
    """Whether a fact tells anew what was taken back: a fact of that kind of the same order, payer, hold or stay."""
    kinds = {type(fact), type(taken.fact)}
    name = _NAMED_BY.get(type(fact))
    if name is None or not (len(kinds) == 1 or kinds <= _EVIDENCE):
        return False
    return bool(getattr(fact, name) == getattr(taken.fact, name))
