"""A claim as it was when it left: a void takes back what was sent, whatever is known of the episode by now."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import UNSET

from ledger.book import Book
from ledger.facts.administration import BatchWritten
from ledger.facts.events import ClaimSubmitted
from ledger.judge.answers import OwnNumbers
from ledger.judge.case import Case
from ledger.store import EpisodeLedger
from projections.answers.restated import VOID
from projections.reading.as_known import AsKnown, JudgedPatient


class AsLeft(NamedTuple):
    """The episode of a claim, judged as it was known when the claim was written."""

    judged: JudgedPatient
    case: Case


def as_left(ledger: EpisodeLedger, book: Book, case: Case, frequency: str, replaces: str | None) -> AsLeft | None:
    """Of a void, what was known when the claim it takes back was written here; None for all others."""
    voided = case.episode.claims.get(OwnNumbers(case.episode).of(replaces or "")) if frequency == VOID else None
    if voided is None or voided.fact.batch is UNSET:
        return None
    act = next((act for _, act in ledger.acts_of(BatchWritten) if act.batch == voided.fact.batch), None)
    if act is None:
        return None
    past = AsKnown(ledger, book, upto=act.position)
    owner = past.owner(case.episode.name)
    judged = past.judged(owner) if owner is not None else None
    return AsLeft(judged, judged.case(case.episode.name)) if judged else None


def as_rendered(ledger: EpisodeLedger, book: Book, judged: JudgedPatient, case: Case, claim: ClaimSubmitted) -> AsLeft:
    """What a recorded claim's file says of its patient: as it was when a void's claim left, else as it is."""
    replaces = None if claim.replaces is UNSET else claim.replaces
    return as_left(ledger, book, case, claim.frequency, replaces) or AsLeft(judged, case)
