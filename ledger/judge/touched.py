"""From which date on a new fact can change what is said of a day: what comes late to old days is rare.

Evidence and assessments speak for their own date and those after it; plans, diagnoses and authorizations for the dates
they cover; what ends therapy for what comes after. Of other facts nothing is promised. That this holds is a law of the
judge (``tests/projections/audit/test_timeline.py``), and not a rule of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ledger.day_set import Calendar
from ledger.facts import events as ev
from ledger.facts.zones import zone
from ledger.judge.episode import Episode
from ledger.judge.evidence import local_date


def touched_from(fact: ev.Event, episode: Episode, calendar: Calendar) -> int | None:
    """The first date of which anything else may be said once a fact has come to an episode with that calendar, in this
    episode and in the patient's others; None if it may be any."""
    if not calendar.every:
        return None
    if isinstance(fact, ev.PainAssessed):
        return fact.date.toordinal()
    if isinstance(fact, ev.InfusionLogged):
        first = _first_date_of_run(fact, episode)
    elif first_date := _FIRST_DATE.get(type(fact)):
        first = first_date(fact)
    else:
        return None
    return min(first, calendar.last + 1)  # up to there, the calendar has dates it had not


def _its_date(fact: Any) -> int:
    return int(fact.date.toordinal())


def _day_after(fact: Any) -> int:
    return int(fact.date.toordinal()) + 1


def _from(fact: Any) -> int:
    return int(fact.from_.toordinal())


_FIRST_DATE: Final[dict[type[Any], Callable[[Any], int]]] = {
    **dict.fromkeys((ev.DayServed, ev.NursingVisited), _its_date),
    **dict.fromkeys((ev.DaysServed, ev.PlanSigned, ev.DiagnosisRecorded, ev.AuthorizationGranted), _from),
    **dict.fromkeys((ev.Discharged, ev.PatientDied), _day_after),
    ev.TherapyStopped: _its_date,  # an order that begins on it may give the code now
}


def _first_date_of_run(fact: ev.InfusionLogged, episode: Episode) -> int:
    """That of the run it makes with those that it overlaps or meets, directly or through others."""
    started_at = fact.started_at
    runs = episode.runs.get(fact.order, ())
    for run in sorted(runs, key=lambda run: run.stopped_at, reverse=True):
        if run.stopped_at < started_at:
            break
        started_at = min(started_at, run.started_at)
    return local_date(started_at, zone(episode.opening[1].zone))
