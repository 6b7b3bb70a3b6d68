"""What colleagues decide about open work, checked and recorded: whose it is, a note, done until a date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from commands.outside import random_nonces, utc_now
from ledger.facts.desk_acts import WorkAct, WorkAssigned, WorkDone, WorkNoted
from ledger.facts.names import is_name
from ledger.facts.texts import LONGEST_FREE_TEXT, fault_of
from ledger.store import EpisodeLedger, RecordConflictError, StoreError

ATTEMPTS: Final = 100


class WorkRefused(Exception):
    """A decision that cannot be recorded; the message says why, without a patient's data."""


def assign(ledger: EpisodeLedger, by: str, episode: str, work: str, owner: str) -> None:
    """Give a piece of open work to somebody, or to nobody. WorkRefused if that is no name, or no such episode is."""
    if owner and not is_name(owner):
        raise WorkRefused("the owner's name has 1 to 128 characters, no control characters")
    _record(ledger, episode, lambda: WorkAssigned(utc_now(), by, episode, work, owner, _nonce()))


def note(ledger: EpisodeLedger, by: str, episode: str, work: str, text: str) -> None:
    """Note something about a piece of open work. WorkRefused if the text is none of that form."""
    fault = fault_of(text, "free") if 0 < len(text) <= LONGEST_FREE_TEXT else "text of 1 to 1,000 characters"
    if fault:
        raise WorkRefused(f"the note: expected {fault}")
    _record(ledger, episode, lambda: WorkNoted(utc_now(), by, episode, work, text, _nonce()))


def done_until(ledger: EpisodeLedger, by: str, episode: str, work: str, until: date) -> None:
    """Put a piece of open work away until a date; one that has come opens it again."""
    _record(ledger, episode, lambda: WorkDone(utc_now(), by, episode, work, until, _nonce()))


def _nonce() -> str:
    return random_nonces(1)[0]


def _record(ledger: EpisodeLedger, episode: str, act: Callable[[], WorkAct]) -> None:
    """Try until nobody else was faster."""
    if not ledger.patients_of(episode):
        raise WorkRefused("the ledger knows no such episode, or has forgotten it")
    for _ in range(ATTEMPTS):
        try:
            ledger.record_work(act())
            return
        except RecordConflictError:
            continue
    raise StoreError("others kept recording, and nothing was done; try again when they are done")
