"""What is said of a date that is no day of the episode, and of a decision that changes nothing."""

from __future__ import annotations

from ledger.judge.taken_back import would_make_day
from projections.why.day_view import DayView
from projections.why.taken import told_taken
from projections.words import iso, minute, utc_text


def no_day(view: DayView) -> str:
    """Why a date is no day of the episode, with the record of it that was taken back."""
    taken = [each for each in view.case.episode.taken if would_make_day(view.case, view.date, each)]
    return " ".join(filter(None, [_outside(view), told_taken(view, taken), idle_decision(view)]))


def _outside(view: DayView) -> str:
    name, calendar = view.case.episode.name, view.case.calendar
    if voided := view.case.episode.voided:
        entry = voided[-1]
        when = minute(utc_text(entry.recorded_at))
        return f"{name} was opened in error and has no days: {entry.by} voided it on {when} ({entry.label})."
    if not calendar.every:
        return f"{name} has no days: nothing recorded says when its therapy began or last took place."
    first, last = iso(calendar.first), iso(calendar.last)
    return f"{iso(view.date)} is no day of {name}: its first is {first}, its last is {last}."


def idle_decision(view: DayView) -> str:
    """A decision that changes nothing on the date, and what to do about it; empty if there is none."""
    if view.decision is None or view.decision[2]:
        return ""
    entry, fact, _ = view.decision
    billed = f"to bill {fact.bill}" if fact.bill else "to bill nothing"
    return (
        f"The decision {billed} ({entry.label}, by {entry.by}) changes nothing on this date; check its date and code."
    )
