"""What was taken back, told: who retracted or corrected which record, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.facts import events as ev
from ledger.facts.entry import Entry
from ledger.facts.liveness import Taken
from projections.why.change import named
from projections.why.day_view import DayView
from projections.words import minute, utc_text

_SHOWN: Final = 3


def told_taken(view: DayView, taken: Sequence[Taken]) -> str:
    """A sentence for each, the last ones in number; empty if nothing was taken back."""
    told = [_told(view, each.entry, by) for each in taken for by in each.by]
    more = len(told) - _SHOWN
    told[_SHOWN:] = [f"{more} more {'was' if more == 1 else 'were'} taken back."] if more > 0 else []
    return " ".join(told)


def _told(view: DayView, entry: Entry, by: Entry) -> str:
    fact = by.fact
    assert isinstance(fact, ev.FactRetracted | ev.FactCorrected)
    did = "retracted" if isinstance(fact, ev.FactRetracted) else "corrected"
    when = minute(utc_text(by.recorded_at))
    return f"{by.by} {did} {named(view, entry)} on {when} ({by.label}): {fact.reason.rstrip('. ')}."
