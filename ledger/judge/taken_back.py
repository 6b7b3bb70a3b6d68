"""What was taken back and would have carried a day: for each step, the kinds of fact it asks for.

A retraction or a correction decides as much as a record does, so the causes of a verdict name it. Each table below says
of a kind of fact whether one of it, had it still counted, would have spoken for the date before the step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from msgspec import UNSET

from ledger.book import Terms
from ledger.day_set import OPEN_END, Days
from ledger.facts import events as ev
from ledger.facts.entry import Entry
from ledger.facts.liveness import Taken
from ledger.facts.zones import zone
from ledger.judge.case import Case
from ledger.judge.episode import Plan, Run, end_of
from ledger.judge.evidence import local_date, local_dates_of_run
from ledger.judge.pricing import FIRST_RANK, percent_of
from ledger.judge.rule import Carrying, Verdict
from ledger.judge.stays import hospital

Carries = Callable[[Case, int, Taken], bool]
"""(case, date, what was taken back) -> whether it would have spoken for the date."""


def taken_from(case: Case, date: int, verdict: Verdict) -> list[Taken]:
    """What was taken back and would have carried the date through the step that gave the verdict."""
    kinds = verdict.step.carried
    return [
        taken
        for taken in case.patient.taken
        if (carries := kinds.get(type(taken.fact))) is not None and carries(case, date, taken)
    ]


def takers(case: Case, date: int, verdict: Verdict) -> list[Entry]:
    """The retractions and corrections that took it back."""
    by = {(each.episode, each.version): each for taken in taken_from(case, date, verdict) for each in taken.by}
    return sorted(by.values(), key=lambda entry: (entry.label, entry.episode))


def may_have_served(case: Case, terms: Terms) -> Days:
    """The dates that what was taken back might have served: on any other date none of it carries one through
    ``SERVICE``, and nobody needs to ask. What is told in another episode is left in: that costs a question."""
    calendar, days = case.calendar, 0
    for taken in case.patient.taken:
        fact = taken.fact
        if isinstance(fact, ev.TherapyOrdered):
            if terms.day_counting in ("access", "course"):
                days |= calendar.span(fact.from_.toordinal(), end_of(fact.to))
        elif isinstance(fact, ev.NursingVisited):
            days |= calendar.day(fact.date.toordinal())
        elif isinstance(fact, ev.InfusionLogged):
            first, last = local_dates_of_run(Run(fact.started_at, fact.stopped_at, taken.entry), case.evidence.tz)
            days |= calendar.span(first, last + _farthest(case, terms, fact.order))
        elif isinstance(fact, ev.DayServed | ev.DaysServed):
            first, last = _served_span(fact)
            days |= calendar.span(first, last + _farthest(case, terms, fact.order))
    return days


def _farthest(case: Case, terms: Terms, order: str) -> int:
    """How many dates past its last one evidence of an order may reach."""
    if terms.day_counting == "course":
        return terms.course_gap_days
    if terms.day_counting == "access" and order in case.evidence.orders:
        return max(telling.interval_hours for telling, _ in case.evidence.orders[order].tellings) // 24
    return 0


def would_make_day(case: Case, date: int, taken: Taken) -> bool:
    """Whether what was taken back would have stretched the episode's days to a date that is none."""
    fact, calendar = taken.fact, case.calendar
    if isinstance(fact, ev.InfusionLogged):
        first, last = local_dates_of_run(Run(fact.started_at, fact.stopped_at, taken.entry), case.evidence.tz)
    elif isinstance(fact, ev.TherapyOrdered):
        first, last = fact.from_.toordinal(), 0
    elif isinstance(fact, ev.DayServed | ev.DaysServed):
        first, last = _served_span(fact)
    elif isinstance(fact, ev.NursingVisited):
        first = last = fact.date.toordinal()
    elif isinstance(fact, ev.TherapyStopped | ev.Discharged | ev.PatientDied):
        first, last = OPEN_END, fact.date.toordinal()
    else:
        return False
    return first <= date < calendar.first or calendar.last < date <= last


def _own(carries: Callable[[Case, int, Any], bool]) -> Carries:
    """A fact of the episode's own entries."""
    return lambda case, date, taken: _is_own(case, taken) and carries(case, date, taken.fact)


def _is_own(case: Case, taken: Taken) -> bool:
    return taken.entry.episode == case.episode.name


def _terms(case: Case, date: int) -> Terms:
    regime = case.regime_on(date)
    assert regime is not None, "a step after that of the terms"
    return regime.terms


def _covers(case: Case, date: int, fact: Any) -> bool:
    return bool(fact.from_.toordinal() <= date <= end_of(fact.to))


def _covers_with_terms(case: Case, date: int, fact: ev.CoverageVerified) -> bool:
    return _covers(case, date, fact) and any(
        first <= date <= last and terms.accepts_s_codes for terms, first, last in case.book.editions(fact.payer)
    )


def _names_paid_place(case: Case, date: int, fact: ev.DayServed | ev.DaysServed) -> bool:
    first, last = _served_span(fact)
    return first <= date <= last and fact.place_of_service in _terms(case, date).places_of_service


def _served_span(fact: ev.DayServed | ev.DaysServed) -> tuple[int, int]:
    if isinstance(fact, ev.DayServed):
        return fact.date.toordinal(), fact.date.toordinal()
    return fact.from_.toordinal(), fact.to.toordinal()


def _names_agreed_provider(case: Case, date: int, fact: ev.ProviderChanged) -> bool:
    regime = case.regime_on(date)
    agreed = case.book.agreements(fact.provider, regime.payer) if regime else []
    return fact.from_.toordinal() <= date and any(first <= date <= last for first, last in agreed)


def _brings_home(case: Case, date: int, taken: Taken) -> bool:
    """A homecoming that would have ended the stay by then; an admission that would have parted it in two."""
    fact, rule = taken.fact, _terms(case, date).inpatient_rule
    assert isinstance(fact, ev.HospitalAdmitted | ev.HospitalDischarged)
    day = case.calendar.day(date)
    parts = [part for days, stay in case.stays(rule) if days & day for part in stay.parts if part.stay == fact.stay]
    told_in = next(ep for ep in case.patient.episodes if ep.name == taken.entry.episode)
    at = hospital(fact.at, zone(told_in.opening[1].zone), taken.entry).at
    on = local_date(at, case.evidence.tz)
    if isinstance(fact, ev.HospitalAdmitted):
        return bool(parts) and on >= date
    return any(part.admitted.at <= at for part in parts) and on <= date - (rule == "any_overlap")


def _resumes(case: Case, date: int, fact: ev.TherapyResumed) -> bool:
    held = case.episode.holds.get(fact.hold, ())
    return fact.date.toordinal() <= date and any(hold.date <= fact.date.toordinal() for hold in held)


def _parts_hold(case: Case, date: int, fact: ev.TherapyHeld) -> bool:
    """Held again later under its number: what was resumed before would have been another hold."""
    return fact.from_.toordinal() > date and any(held.date <= date for held in case.episode.holds.get(fact.hold, ()))


def _serves(case: Case, date: int, fact: ev.DayServed | ev.DaysServed) -> bool:
    counting = _terms(case, date).day_counting
    if not fact.infused and counting not in ("access", "course"):
        return False
    first, last = _served_span(fact)
    return _reaches(case, date, fact.order, first, last)


def _logs(case: Case, date: int, taken: Taken) -> bool:
    fact = taken.fact
    assert isinstance(fact, ev.InfusionLogged)
    first, last = local_dates_of_run(Run(fact.started_at, fact.stopped_at, taken.entry), case.evidence.tz)
    return _is_own(case, taken) and _reaches(case, date, fact.order, first, last)


def _reaches(case: Case, date: int, order: str, first: int, last: int) -> bool:
    """Whether evidence of an order on these dates reaches to the date, as the terms count days."""
    terms = _terms(case, date)
    if first > date:
        return False
    away = date - min(last, date)
    if terms.day_counting == "course":
        return away <= terms.course_gap_days
    if terms.day_counting == "access" and order in case.evidence.orders:
        on = case.calendar.day(date - away)
        hours = [hours for hours, _ in case.evidence.orders[order].by_interval(on, case.calendar)]
        return away * 24 < (hours[0] if hours else 24)
    return away == 0


def _is_visit(case: Case, date: int, fact: ev.NursingVisited) -> bool:
    return fact.date.toordinal() == date and _terms(case, date).day_counting == "infused_or_nursing"


def _lets_evidence_reach(case: Case, date: int, fact: ev.TherapyOrdered) -> bool:
    """An order that covers the date, where evidence before it counts while the order is in force."""
    before = case.calendar.span(case.calendar.first, date)
    counting = _terms(case, date).day_counting
    recorded = case.evidence.recorded.get(fact.order, 0) & before
    return counting in ("access", "course") and bool(recorded) and _covers(case, date, fact)


def _is_behind(case: Case, date: int, fact: ev.TherapyOrdered) -> bool:
    """An order that covers the date and that the service of the date names, if it names any."""
    day = case.calendar.day(date)
    named = case.served.get(fact.order, 0) & day or not any(days & day for days in case.served.values())
    return bool(named) and _covers(case, date, fact)


def _is_close_enough(case: Case, date: int, fact: ev.TherapyOrdered) -> bool:
    return _is_behind(case, date, fact) and fact.interval_hours <= _terms(case, date).max_interval_hours


def _is_signed(case: Case, date: int, fact: ev.TherapyOrdered) -> bool:
    if fact.signed_on is UNSET or not _is_behind(case, date, fact):
        return False
    return _terms(case, date).order_signature == "before_claim" or fact.signed_on.toordinal() <= date


def _plans(case: Case, date: int, fact: ev.PlanSigned) -> bool:
    terms, signed = _terms(case, date), fact.signed_on.toordinal()
    plan = Plan(fact.from_.toordinal(), fact.to.toordinal(), signed, case.episode.opening[0])
    covers = plan.from_ <= date <= plan.last_date(terms.plan_max_days)
    return covers and (terms.plan_signature == "before_claim" or signed <= date)


def _assesses(case: Case, date: int, fact: ev.PainAssessed) -> bool:
    return 0 <= date - fact.date.toordinal() <= _terms(case, date).pain_assessment_days


def _lifts_waiver(case: Case, date: int, taken: Taken) -> bool:
    """A decision to bill a code that would have been the last one."""
    fact, waiver = taken.fact, case.episode.resolutions.get(date)
    assert isinstance(fact, ev.ConflictResolved)
    is_last = waiver is not None and taken.entry.version > waiver[0].version
    return _is_own(case, taken) and is_last and fact.date.toordinal() == date and fact.bill is not None


def _chooses(case: Case, date: int, fact: ev.ConflictResolved) -> bool:
    return fact.date.toordinal() == date and bool(case.candidates.get(fact.bill or "", 0) & case.calendar.day(date))


def _ends_order(case: Case, date: int, fact: ev.TherapyStopped) -> bool:
    behind = case.remaining.get(fact.order, 0) & case.calendar.day(date)
    return bool(behind) and fact.date.toordinal() <= date


def _settles(case: Case, date: int, taken: Taken) -> bool:
    """A decision in this episode for its code, or any in another of the patient's."""
    fact = taken.fact
    assert isinstance(fact, ev.ConflictResolved)
    day = case.calendar.day(date)
    own_code = bool(case.codes.get(fact.bill or "", 0) & day)
    return fact.date.toordinal() == date and (own_code or not _is_own(case, taken))


def _ends_other(case: Case, date: int, taken: Taken) -> bool:
    """What would have ended therapy in another episode of the patient before the date."""
    fact = taken.fact
    assert isinstance(fact, ev.Discharged | ev.TherapyStopped)
    return not _is_own(case, taken) and fact.date.toordinal() < date


def _voids_other(case: Case, date: int, taken: Taken) -> bool:
    return not _is_own(case, taken)


def _voids_what(kind: Literal["deaths", "parts", "facility", "hospice"]) -> Carries:
    """The voiding of another episode, in which a fact of this kind is recorded that counts for the patient."""

    def voids(case: Case, date: int, taken: Taken) -> bool:
        name, facts = taken.entry.episode, getattr(case.patient, kind)
        entries = [admitted.entry for part in facts for admitted in part.admissions] if kind == "parts" else facts
        told_in = {getattr(each, "entry", each).episode for each in entries}
        return not _is_own(case, taken) and name in told_in

    return voids


def _authorizes(case: Case, date: int, taken: Taken) -> bool:
    fact, day = taken.fact, case.calendar.day(date)
    assert isinstance(fact, ev.AuthorizationGranted)
    paid = case.payers.get(fact.payer, 0) & day
    return bool(paid) and _covers(case, date, fact) and any(case.codes.get(code, 0) & day for code in fact.codes)


def _ranks_paid(case: Case, date: int, fact: ev.TherapyRanked) -> bool:
    regime = case.regime_on(date)
    now = next((rank for rank, _ in case.ranks.on(case.calendar.day(date))), FIRST_RANK)
    assert regime is not None
    return _covers(case, date, fact) and percent_of(regime.terms, fact.rank) > 0 and not percent_of(regime.terms, now)


ANY_COVERAGE: Final[Carrying] = {ev.CoverageVerified: _own(lambda case, date, fact: True)}
COVERAGE: Final[Carrying] = {ev.CoverageVerified: _own(_covers)}
PAYING_COVERAGE: Final[Carrying] = {ev.CoverageVerified: _own(_covers_with_terms)}
PLACE: Final[Carrying] = {ev.DayServed: _own(_names_paid_place), ev.DaysServed: _own(_names_paid_place)}
PROVIDER: Final[Carrying] = {ev.ProviderChanged: _own(_names_agreed_provider)}
DEATH: Final[Carrying] = {ev.EpisodeVoided: _voids_what("deaths")}
HOME: Final[Carrying] = {
    ev.HospitalDischarged: _brings_home, ev.HospitalAdmitted: _brings_home, ev.EpisodeVoided: _voids_what("parts"),
}  # fmt: skip
FACILITY: Final[Carrying] = {ev.EpisodeVoided: _voids_what("facility")}
HOSPICE: Final[Carrying] = {ev.EpisodeVoided: _voids_what("hospice")}
RESUMPTION: Final[Carrying] = {ev.TherapyResumed: _own(_resumes), ev.TherapyHeld: _own(_parts_hold)}
SERVICE: Final[Carrying] = {
    ev.DayServed: _own(_serves), ev.DaysServed: _own(_serves), ev.InfusionLogged: _logs,
    ev.NursingVisited: _own(_is_visit), ev.TherapyOrdered: _own(_lets_evidence_reach),
}  # fmt: skip
ORDER: Final[Carrying] = {ev.TherapyOrdered: _own(_is_behind)}
CLOSE_ORDER: Final[Carrying] = {ev.TherapyOrdered: _own(_is_close_enough)}
SIGNED_ORDER: Final[Carrying] = {ev.TherapyOrdered: _own(_is_signed)}
DIAGNOSIS: Final[Carrying] = {ev.DiagnosisRecorded: _own(_covers)}
PLAN: Final[Carrying] = {ev.PlanSigned: _own(_plans)}
ASSESSMENT: Final[Carrying] = {ev.PainAssessed: _own(_assesses)}
DECISION: Final[Carrying] = {ev.ConflictResolved: _lifts_waiver}
ONE_CODE: Final[Carrying] = {ev.ConflictResolved: _own(_chooses), ev.TherapyStopped: _own(_ends_order)}
SETTLEMENT: Final[Carrying] = {
    ev.ConflictResolved: _settles, ev.TherapyStopped: _ends_other, ev.Discharged: _ends_other,
    ev.EpisodeVoided: _voids_other,
}  # fmt: skip
AUTHORIZATION: Final[Carrying] = {ev.AuthorizationGranted: _authorizes}
RANK: Final[Carrying] = {ev.TherapyRanked: _own(_ranks_paid)}
