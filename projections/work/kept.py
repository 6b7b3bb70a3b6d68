"""The open work of everybody, kept in the read model: worked out once, and again when a patient changes."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Final

from ledger.book import Book
from ledger.facts.desk_acts import WorkAct, WorkAssigned, WorkDone, WorkNoted
from ledger.facts.entry import UnreadableEntry
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.read_model.kept_work import (
    WorkedOut,
    WorkState,
    acts_read,
    keep_items,
    keep_states,
    states_of,
    unworked,
)
from projections.read_model.version import ROOT, source_digest
from projections.read_model.views import Views
from projections.words import utc_text
from projections.work.items import WorkReader
from projections.work.names import numbers_named

_AT_ONCE: Final = 500
_AS_OF: Final = ("position", "last", "book", "code", "ledger")


@cache
def made_by() -> str:
    """The version of the program that works the list out: another one does it again."""
    return source_digest(ROOT, ["projections/audit", "projections/operations", "projections/work"])


def keep_work(ledger: EpisodeLedger, views: Views, book: Book, now: datetime, progress: Progress = silent) -> None:
    """Work out what is to do about everybody of whom the read model keeps nothing, and read what was decided since.

    Nothing is kept if the read model went on meanwhile: it can be worked out again.
    """
    _keep_decisions(ledger, views)
    as_of = {key: value for key, value in views.noted().items() if key in _AS_OF}
    missing, reader = unworked(views, made_by()), WorkReader(ledger, views, book, now)
    upto = int(as_of.get("position", "0"))
    for start in range(0, len(missing), _AT_ONCE):
        names = missing[start : start + _AT_ONCE]
        if not keep_items(views, made_by(), as_of, [_worked(ledger, reader, name, upto) for name in names]):
            return
        progress(start + len(names), len(missing))


def _worked(ledger: EpisodeLedger, reader: WorkReader, patient: str, upto: int) -> WorkedOut:
    try:
        return WorkedOut(patient, reader.items(patient), list(numbers_named(ledger, patient, upto)))
    except UnreadableEntry:  # also where it would cost too much; the list has the others, and says how many are missing
        return WorkedOut(patient, None)


def _keep_decisions(ledger: EpisodeLedger, views: Views) -> None:
    """Read the acts of the house since those that were read, and keep what they decided."""
    after, upto = acts_read(views), ledger.count_of_acts()
    if after == upto and views.has("work_state"):
        return
    acts = [act for _, act in ledger.work_acts(after)]
    states = states_of(views, {(act.episode, act.work) for act in acts})
    for act in acts:
        place = act.episode, act.work
        states[place] = after_act(states.get(place, WorkState(*place)), act)
    keep_states(views, after, upto, states.values())


def after_act(state: WorkState, act: WorkAct) -> WorkState:
    """What is decided about a piece of work after one more act."""
    state = state._replace(by=act.by, at=utc_text(act.at))
    match act:
        case WorkAssigned():
            return state._replace(owner=act.owner)
        case WorkNoted():
            return state._replace(note=act.note, notes=state.notes + 1)
        case WorkDone():
            return state._replace(done_until=act.until.isoformat())
