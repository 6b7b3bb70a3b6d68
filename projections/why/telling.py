"""All that is said of a day's verdict: the reason, what was taken back, what would cure it, an idle decision."""

from __future__ import annotations

from ledger.judge.regions import JudgedDay
from ledger.judge.taken_back import taken_from
from projections.why.day_view import DayView
from projections.why.no_day import idle_decision
from projections.why.sentences import CHOOSE, SENTENCES, Said
from projections.why.taken import told_taken


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
