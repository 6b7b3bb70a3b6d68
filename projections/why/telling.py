"""All that is said of a day: the reason, what was taken back, the cure, an idle decision; or why it is no day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.facts import events as ev
from ledger.facts.entry import Entry
from ledger.facts.liveness import Taken
from ledger.judge.regions import JudgedDay
from ledger.judge.taken_back import taken_from, would_make_day
from projections.why.change import named
from projections.why.day_view import DayView
from projections.why.sentences import CHOOSE, SENTENCES, Said
from projections.words import iso, minute, utc_text

_SHOWN: Final = 3
"""So many retractions and corrections are told one by one."""


def telling(view: DayView, day: JudgedDay, general: str | None = None) -> str:
    """The sentences of a day; ``general`` is the reason in words that give no details away, where some must not be."""
    words, said = SENTENCES[day.verdict.words], Said(view, day)
    taken = taken_from(view.case, view.date, day.verdict)
    if general is not None:
        said["choose"], taken = CHOOSE, []
    because = words.because if general is None else general
    cure = words.cure.format_map(said)
    parts = [f"{because.format_map(said)}.", told_taken(view, taken), cure, idle_decision(view)]
    return " ".join(filter(None, parts))


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


def told_taken(view: DayView, taken: Sequence[Taken]) -> str:
    """A sentence for each, the last ones in number; empty if nothing was taken back."""
    told = [_taken_back(view, each.entry, by) for each in taken for by in each.by]
    more = len(told) - _SHOWN
    told[_SHOWN:] = [f"{more} more {'was' if more == 1 else 'were'} taken back."] if more > 0 else []
    return " ".join(told)


def _taken_back(view: DayView, entry: Entry, by: Entry) -> str:
    fact = by.fact
    assert isinstance(fact, ev.FactRetracted | ev.FactCorrected)
    did = "retracted" if isinstance(fact, ev.FactRetracted) else "corrected"
    when = minute(utc_text(by.recorded_at))
    return f"{by.by} {did} {named(view, entry)} on {when} ({by.label}): {fact.reason.rstrip('. ')}."
