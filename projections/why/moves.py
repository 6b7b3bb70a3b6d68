"""The one-fact changes a person could really make, in the order they are tried.

A day that is not billable: the one-fact changes a person could really make are tried in this order, first those that
cure the failing step, then those that may help it in passing (another payer asks for other things); the first after
which the day is billable is shown.

 1. correct a plan signed too late, or sign a plan    2. record a pain assessment      3. record a diagnosis
 4. verify the coverage: by each payer known in the episode and, if none of those has terms that take S codes, by each
    that the provider has an agreement with, in order of id
 5. one more unit on an authorization, or a new one   6. record the day as infused     7. correct a pump log
 8. record an order, extend it, or set its doses closer                9. correct a stop, or retract it
10. correct the discharge to the day, or retract it  11. retract the coverage's end
12. correct the death to the day, or retract it      13. record or correct the homecoming, or retract the admission
14. end a facility stay or a hospice election before the day, or retract it         15. resume a hold, or retract it
16. decide to bill a code                            17. bill nothing in the other episode
18. retract another's service                        19. correct the place of service
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple, cast

import msgspec

from ledger.book import GENERAL, PER_DIEM, PER_DIEM_CODES
from ledger.facts import events as ev
from ledger.facts.entry import Entry, statement_of, tag_of
from ledger.judge import causes, passed, steps
from ledger.judge.authorizations import covering_authorizations
from ledger.judge.evidence import local_date, local_dates_of_run
from ledger.judge.rule import Step
from ledger.judge.steps import STEPS
from projections.why.day_view import DayView
from projections.words import iso

HYPOTHETICAL: Final = "what-if"
"""The author of an entry that nobody recorded, and the placeholder in it. Its source is empty, as no real one is."""


class Change(NamedTuple):
    """One more fact of an episode, and the sentence that asks for it."""

    episode: str
    fact: ev.Event
    sentence: str


Changes = Iterator[Change]


def named(view: DayView, entry: Entry) -> str:
    """An entry as sentences name it."""
    elsewhere = "" if entry.episode == view.case.episode.name else f" of {entry.episode}"
    return f"{entry.label} ({tag_of(statement_of(entry))}){elsewhere}"


def retract(view: DayView, entry: Entry) -> Change:
    """The entry never happened."""
    fact = ev.FactRetracted(entry.source, entry.id, HYPOTHETICAL)
    return Change(entry.episode, fact, f"Retract {named(view, entry)}, if it never happened.")


def _retract_all(step: Step) -> Callable[[DayView], Changes]:
    return lambda view: (retract(view, entry) for entry in view.causes(step))


def _correct(view: DayView, entry: Entry, says: str, **fields: object) -> Change:
    right = cast(ev.Statement, msgspec.structs.replace(statement_of(entry), **fields))
    fact = ev.FactCorrected(entry.source, entry.id, HYPOTHETICAL, right)
    return Change(entry.episode, fact, f"Correct {named(view, entry)}: {says}, if that is so.")


def _tell(view: DayView, fact: ev.Event, sentence: str) -> Change:
    return Change(view.case.episode.name, fact, sentence)


def _sign_plan(view: DayView) -> Changes:
    """Move 1. A plan that is there and signed too late comes first."""
    on = date.fromordinal(view.date)
    for entry in view.causes(steps.PLAN):
        yield _correct(view, entry, f"the plan was signed on or before {on}", signed_on=on)
    when = ", on or before that day" if view.terms.plan_signature == "before_service" else ""
    fact = ev.PlanSigned(HYPOTHETICAL, on, on, on)
    yield _tell(view, fact, f"Sign a plan of treatment that covers {on}{when}.")


def _assess(view: DayView) -> Changes:
    """Move 2."""
    on, reach = date.fromordinal(view.date), view.terms.pain_assessment_days
    when = f"or in the {reach} days before it" if reach else "itself"
    yield _tell(view, ev.PainAssessed(on, 0), f"Record a pain assessment made on {on} {when}.")


def _diagnose(view: DayView) -> Changes:
    """Move 3; R52 is pain without a closer name."""
    on = date.fromordinal(view.date)
    known = [fact for found in view.case.episode.diagnoses if (fact := statement_of(found.entry))]
    icd10 = known[-1].icd10 if known and isinstance(known[-1], ev.DiagnosisRecorded) else "R52"
    yield _tell(view, ev.DiagnosisRecorded(icd10, on, on), f"Record a diagnosis that is in force on {on}.")


def _verify_coverage(view: DayView) -> Changes:
    """Move 4."""
    on, episode, book = date.fromordinal(view.date), view.case.episode, view.case.book
    payers = list(dict.fromkeys(spell.payer for spell in view.case.spells))
    known = [book.terms_on(payer, on) for payer in payers]
    if not any(terms is not None and terms.accepts_s_codes for terms in known):
        npi = episode.opening[1].provider
        agreed = (p for p in sorted(book.payers) if any(a <= view.date <= b for a, b in book.agreements(npi, p)))
        payers += [payer for payer in agreed if payer not in payers]
    for payer in payers:
        member = next((fact.member for _, fact in episode.coverage if fact.payer == payer), HYPOTHETICAL)
        fact = ev.CoverageVerified(payer, member, on, on)
        yield _tell(view, fact, f"Verify that {view.payer_name(payer)} covers the patient on {on}.")


def _authorize(view: DayView) -> Changes:
    """Move 5."""
    on, episode, payer = date.fromordinal(view.date), view.case.episode, view.payer
    for granted in covering_authorizations(view.case, view.date):
        units = granted.units + 1
        more = msgspec.structs.replace(granted, units=units)
        yield _tell(view, more, f"Have authorization {granted.number} raised from {granted.units} to {units} units.")
    number = next(n for place in range(len(episode.authorizations) + 1)
                  if (n := f"{HYPOTHETICAL}-{place}") not in episode.authorizations)  # fmt: skip
    fact = ev.AuthorizationGranted(number, str(payer), (view.code,), 1, on, on)
    yield _tell(view, fact, f"Add an authorization by {view.payer_name()} of {view.code} for {on}.")


def _record_day(view: DayView) -> Changes:
    """Move 6, for each order in force."""
    on, case = date.fromordinal(view.date), view.case
    for order in sorted(order for order in case.episode.orders if case.evidence.in_force(order) & view.day):
        fact = ev.DayServed(order, on)
        yield _tell(view, fact, f"Record {on} as a day of order {order}, if it was infused.")


def _correct_log(view: DayView) -> Changes:
    """Move 7: under ``rolling_24h`` a run serves the day once it has lasted long enough."""
    for run in (run for runs in view.case.episode.runs.values() for run in runs):
        first, last = local_dates_of_run(run, view.case.evidence.tz)
        if first <= view.date <= last:
            until = run.started_at + timedelta(days=view.date - first + 1)
            if until > run.stopped_at:
                yield _correct(view, run.entry, f"the pump ran until {until:%Y-%m-%d %H:%M} UTC", stopped_at=until)


def _order(view: DayView) -> Changes:
    """Move 8, for each order recorded, and for each that only the evidence names."""
    on, case = date.fromordinal(view.date), view.case
    told = {**dict.fromkeys(case.evidence.recorded), **dict.fromkeys(case.episode.orders)}
    for name in sorted(told) or [HYPOTHETICAL]:
        if name not in case.episode.orders:
            fact = ev.TherapyOrdered(name, "unspecified", on, case.episode.opening[1].provider)
            yield _tell(view, fact, f"Record the order {name}, in force on {on}.")
            continue
        _, ordered = case.episode.orders[name]
        to = ordered.to if ordered.to is msgspec.UNSET else max(ordered.to, on)
        wider = msgspec.structs.replace(ordered, from_=min(ordered.from_, on), to=to)
        if wider != ordered:
            yield _tell(view, wider, f"Record order {name} anew, in force on {on}, if it was.")
        elif (hours := view.terms.max_interval_hours) < ordered.interval_hours:
            closer = msgspec.structs.replace(ordered, interval_hours=hours)
            yield _tell(view, closer, f"Record order {name} anew, with doses up to {hours} hours apart, if they are.")


def _move_stop(view: DayView) -> Changes:
    """Move 9."""
    stops = [stop for stops in view.case.episode.stops.values() for stop in stops if stop.date < view.date]
    yield from (_to_the_day(view, stop.entry) for stop in stops)
    yield from (retract(view, stop.entry) for stop in stops)


def _to_the_day(view: DayView, entry: Entry) -> Change:
    return _correct(view, entry, f"it was on {iso(view.date)} or later", date=date.fromordinal(view.date))


def _move_end(step: Step) -> Callable[[DayView], Changes]:
    """Moves 10 and 12: a discharge or a death before the day."""

    def changes(view: DayView) -> Changes:
        yield from (_to_the_day(view, entry) for entry in view.causes(step))
        yield from (retract(view, entry) for entry in view.causes(step))

    return changes


def _uncut_coverage(view: DayView) -> Changes:
    """Move 11."""
    spells = [spell for spell in view.case.spells if spell.from_ <= view.date <= spell.verified_to]
    cuts = {cut.version: cut for spell in spells if spell.to < view.date for cut in spell.cuts}
    yield from (retract(view, cut) for cut in cuts.values())


def _bring_home(view: DayView) -> Changes:
    """Move 13: the homecoming is put on the last date that leaves the day out of hospital."""
    patient, tz = view.case.patient, view.case.evidence.tz
    on = date.fromordinal(view.date - (view.terms.inpatient_rule == "any_overlap"))
    for entry in view.causes(steps.INPATIENT):
        stay = str(getattr(statement_of(entry), "stay", ""))
        admitted, home = patient.admissions[stay].at, patient.homecomings.get(stay)
        at = max(admitted, datetime.combine(on, time(12), tzinfo=tz).astimezone(UTC))
        if local_date(at, tz) == on.toordinal():
            says = f"the patient came home from stay {stay} on {on}"
            told = Change(entry.episode, ev.HospitalDischarged(stay, at), f"Record that {says}, if that is so.")
            yield _correct(view, home.entry, says, at=at) if home else told
    yield from _retract_all(steps.INPATIENT)(view)


def _end_before(step: Step) -> Callable[[DayView], Changes]:
    """Move 14."""

    def changes(view: DayView) -> Changes:
        before = date.fromordinal(view.date - 1)
        for entry in view.causes(step):
            if getattr(statement_of(entry), "from_", before) <= before:
                yield _correct(view, entry, f"it ended on {before}", to=before)
        yield from _retract_all(step)(view)

    return changes


def _resume(view: DayView) -> Changes:
    """Move 15."""
    on = date.fromordinal(view.date)
    for hold, held in view.case.episode.holds.items():
        if held.entry in view.causes(steps.HELD) and held.date < view.date:
            fact = ev.TherapyResumed(hold, on)
            yield _tell(view, fact, f"Record that hold {hold} was resumed on {on}, if that is so.")
    yield from _retract_all(steps.HELD)(view)


def _decide(view: DayView) -> Changes:
    """Move 16: the day's own code first; after a decision for nothing, any code lifts it."""
    on, own = date.fromordinal(view.date), [code for code, days in view.case.codes.items() if days & view.day]
    for code in [*own, *(code for code in passed.codes_on(view.case, view.date) if code not in own)] or _modes(view):
        fact = ev.ConflictResolved(on, code, HYPOTHETICAL)
        yield _tell(view, fact, f"Decide to bill {code} on {on}.")


def _modes(view: DayView) -> list[str]:
    if view.terms.pain_code == "general":
        return [GENERAL]
    orders = [view.case.episode.orders[order][1] for order in causes.remaining_orders(view.case, view.date)]
    return sorted({PER_DIEM[order.mode] for order in orders})


def _yield_elsewhere(view: DayView) -> Changes:
    """Move 17."""
    on = date.fromordinal(view.date)
    for other in view.others:
        if any(exposed.days & other.calendar.day(view.date) for exposed in other.exposed()):
            name = other.episode.name
            yield Change(name, ev.ConflictResolved(on, None, HYPOTHETICAL), f"Bill nothing in {name} on {on}.")


def _retract_service(view: DayView) -> Changes:
    """Move 18."""
    for billed in (billed for episode in view.case.patient.episodes for billed in episode.billed):
        if billed.is_service and billed.code in PER_DIEM_CODES and billed.from_ <= view.date <= billed.to:
            yield retract(view, billed.entry)


def _correct_place(view: DayView) -> Changes:
    """Move 19: the home first."""
    for place in sorted(view.terms.places_of_service, key=lambda place: place != "12"):
        yield _correct(view, view.case.episode.opening[0], f"the place of service is {place}", place_of_service=place)


def _after(step: Step) -> tuple[Step, ...]:
    return STEPS[step.number :]


class Move(NamedTuple):
    """A kind of change, the steps it cures, and those it may help in passing."""

    propose: Callable[[DayView], Changes]
    cures: tuple[Step, ...]
    may_help: Sequence[Step] = ()


MOVES: Final[tuple[Move, ...]] = (
    Move(_sign_plan, (steps.PLAN,)),
    Move(_assess, (steps.PAIN_ASSESSMENT_OVERDUE,)),
    Move(_diagnose, (steps.NO_DIAGNOSIS,)),
    Move(
        _verify_coverage,
        (steps.COVERAGE_UNVERIFIED, steps.NOT_COVERED, steps.PAYER_EXCLUDES_S_CODES),
        _after(steps.PAYER_EXCLUDES_S_CODES),
    ),
    Move(_authorize, (steps.AUTHORIZATION,)),
    Move(_record_day, (steps.NOT_SERVED,), (steps.NO_ORDER, steps.INTERVAL_TOO_LONG)),
    Move(_correct_log, (steps.NOT_SERVED,)),
    Move(_order, (steps.NOT_SERVED, steps.NO_ORDER, steps.INTERVAL_TOO_LONG)),
    Move(_move_stop, (steps.NOT_SERVED, steps.NO_ORDER)),
    Move(_move_end(steps.AFTER_DISCHARGE), (steps.AFTER_DISCHARGE,)),
    Move(_uncut_coverage, (steps.NOT_COVERED,), _after(steps.NOT_COVERED)),
    Move(_move_end(steps.AFTER_DEATH), (steps.AFTER_DEATH,)),
    Move(_bring_home, (steps.INPATIENT,)),
    Move(_end_before(steps.FACILITY), (steps.FACILITY,)),
    Move(_end_before(steps.HOSPICE), (steps.HOSPICE,)),
    Move(_resume, (steps.HELD,)),
    Move(_decide, (steps.CONFLICT_RESOLVED, steps.SEVERAL_CODES, steps.CLASH)),
    Move(_yield_elsewhere, (steps.CLASH,)),
    Move(_retract_service, (steps.CLASH,)),
    Move(_correct_place, (steps.PLACE_OF_SERVICE,)),
)
"""Every kind of change in the order tried. A step in neither list of a move could be turned by it only by accident (an
order recorded so that a switch drops another's code), which nobody would call a cure."""

NO_MOVE: Final[dict[Step, str]] = {
    steps.NO_TERMS: "the payer's terms come with the book, not with a fact",
    steps.NO_AGREEMENT: "an agreement comes with the book, not with a fact",
    steps.NO_RATE: "codes and rates come with the book, not with a fact",
}
"""The steps that no fact cures, and why; other coverage may still help in passing."""
