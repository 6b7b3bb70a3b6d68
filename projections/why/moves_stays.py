"""Changes of what takes a day away: an end before it, a stay, an election, a hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time

from ledger.facts import events as ev
from ledger.facts.entry import statement_of
from ledger.judge import steps
from ledger.judge.evidence import local_date
from ledger.judge.rule import Step
from ledger.judge.stays import Stay, StayPart
from projections.why.change import Change, Changes, correct, retract, retract_all, tell
from projections.why.day_view import DayView
from projections.why.moves_service import to_the_day
from projections.words import utc_text


def move_end(step: Step) -> Callable[[DayView], Changes]:
    """A discharge or a death before the day was on it, or never was."""

    def changes(view: DayView) -> Changes:
        yield from (to_the_day(view, entry) for entry in view.causes(step))
        yield from (retract(view, entry) for entry in view.causes(step))

    return changes


def bring_home(view: DayView) -> Changes:
    """The homecoming on the last date that leaves the day out of hospital. A homecoming that is recorded and belongs
    to no stay is the one: none on another date is proposed beside it."""
    for stay in view.stays:
        homecomings = _unmatched_homecomings(view, stay)
        yield from homecomings
        if not homecomings:
            for part in stay.parts:
                yield from _homecoming(view, part)
    yield from retract_all(steps.INPATIENT)(view)


def _unmatched_homecomings(view: DayView, stay: Stay) -> list[Change]:
    open_parts = [part for part in stay.parts if part.discharged is None]
    return [
        correct(view, home.entry, f"it was the discharge from stay {part.stay}", stay=part.stay)
        for part in open_parts
        for home in view.homecomings_without_stay(stay)
    ]


def _homecoming(view: DayView, part: StayPart) -> Changes:
    tz = view.case.evidence.tz
    on = date.fromordinal(view.date - (view.terms.inpatient_rule == "any_overlap"))
    at = max(part.admitted.at, datetime.combine(on, time(12), tzinfo=tz).astimezone(UTC))
    home = part.discharged
    if local_date(at, tz) != on.toordinal() or (home and local_date(home.at, tz) <= on.toordinal()):
        return
    says = f"the patient came home from stay {part.stay} on {on}"
    if home:
        yield correct(view, home.entry, says, at=utc_text(at))
    else:
        fact = ev.HospitalDischarged(part.stay, utc_text(at))
        yield Change(part.admitted.entry.episode, fact, f"Record that {says}, if that is so.")


def end_before(step: Step) -> Callable[[DayView], Changes]:
    """A facility stay or a hospice election ended before the day, or never was."""

    def changes(view: DayView) -> Changes:
        before = date.fromordinal(view.date - 1)
        for entry in view.causes(step):
            if getattr(statement_of(entry), "from_", before) <= before:
                yield correct(view, entry, f"it ended on {before}", to=before)
        yield from retract_all(step)(view)

    return changes


def resume(view: DayView) -> Changes:
    """The hold was resumed on the day, or never was."""
    for hold, group in view.case.holds():
        if group.first.at < view.date <= (group.last.at if group.last else view.date):
            says = f"hold {hold} was resumed on {view.on}"
            if group.last:
                yield correct(view, group.last.entry, says, date=view.on)
            else:
                yield tell(view, ev.TherapyResumed(hold, view.on), f"Record that {says}, if that is so.")
    yield from retract_all(steps.HELD)(view)
