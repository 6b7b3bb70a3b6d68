"""Changes of what is billed: decisions, and what other episodes and providers bill."""

from __future__ import annotations

from ledger.book import GENERAL, PER_DIEM
from ledger.facts import events as ev
from ledger.judge import causes, passed
from projections.why.change import HYPOTHETICAL, Change, Changes, retract, tell
from projections.why.day_view import DayView


def decide(view: DayView) -> Changes:
    """The day's own code first; after a decision for nothing, any code lifts it."""
    own = [code for code, days in view.case.codes.items() if days & view.day]
    given = [code for code in passed.codes_on(view.case, view.date) if code not in own]
    provided = f", if {others_did_not(view)}" if own and view.services else ""
    for code in [*own, *given] or _modes(view):
        fact = ev.ConflictResolved(view.on, code, HYPOTHETICAL)
        yield tell(view, fact, f"Decide to bill {code} on {view.on}{provided}.")


def others_did_not(view: DayView) -> str:
    """What has to be true for the day to be billed beside another provider's per diem."""
    names = dict.fromkeys(view.provider_name(each.by) if each.by else "the other provider" for each in view.services)
    codes = dict.fromkeys(each.code for each in view.services)
    return f"{' and '.join(names)} did not provide {' and '.join(codes)} that day"


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
