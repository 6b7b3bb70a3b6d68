"""What a fact refers to, looked up softly: a fact is a fact and is recorded, but it may name what nobody knows.

Pure: from the live facts of its episode and the book, with the nearest known name where one is near.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from msgspec import UNSET

from ledger.book import Book
from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry
from ledger.facts.events import (
    AuthorizationGranted,
    ClaimSubmitted,
    CoverageEnded,
    CoverageVerified,
    DayServed,
    DaysServed,
    DrugBilledSeparately,
    Event,
    FactCorrected,
    InfusionLogged,
    TherapyHeld,
    TherapyOrdered,
    TherapyResumed,
    TherapyStopped,
)
from ledger.facts.liveness import live_entries

NEAR: Final = 0.6
"""How alike a known name must be to be asked for (``difflib``)."""

_UNDER_ORDER: Final = (DayServed, DaysServed, InfusionLogged, TherapyStopped)
_OF_PAYER: Final = (CoverageVerified, CoverageEnded, AuthorizationGranted, ClaimSubmitted)


def doubts(fact: Event, episode: str, streams: Mapping[str, Sequence[Entry]], book: Book) -> list[str]:
    """What of a fact refers to nothing known, a sentence each; ``streams`` are the entries, before it, of the episode
    and of all that its patient's episodes have to do with."""
    stated = fact.fact if isinstance(fact, FactCorrected) else fact
    known = [live.fact for live in live_entries(streams.get(episode, ()))]
    theirs = [live.fact for name, entries in streams.items() if name != HOUSE for live in live_entries(entries)]
    return [*_payer(stated, book), *_coverage(stated, theirs), *_order(stated, known), *_claim(stated, known),
            *_hold(stated, known)]  # fmt: skip


def _payer(fact: Event, book: Book) -> Iterator[str]:
    if isinstance(fact, _OF_PAYER) and fact.payer not in book.payers:
        near = nearest(fact.payer, book.payers)
        yield f"payer: the book has no payer of this id, and its days are on hold until it has{_meant(near)}"


def _coverage(fact: Event, known: Sequence[Event]) -> Iterator[str]:
    """An authorization or an end of coverage by a payer who does not cover the patient here."""
    if isinstance(fact, AuthorizationGranted | CoverageEnded):
        payers = {each.payer for each in known if isinstance(each, CoverageVerified)}
        if fact.payer not in payers:
            what = "authorization" if isinstance(fact, AuthorizationGranted) else "end of coverage"
            yield f"payer: no coverage of the patient by this payer is recorded; the {what} has nothing to go with."


def _order(fact: Event, known: Sequence[Event]) -> Iterator[str]:
    if isinstance(fact, TherapyOrdered):
        if fact.signed_on is UNSET:
            yield "signed_on: the order is not signed; where the payer asks for a signature, its days are on hold."
        return
    if not isinstance(fact, _UNDER_ORDER):
        return
    orders = [each for each in known if isinstance(each, TherapyOrdered)]
    mine = [each for each in orders if each.order == fact.order]
    if not mine:
        near = nearest(fact.order, {each.order for each in orders})
        yield f"order: the episode has no order of this name{_meant(near)}"
    elif all(each.signed_on is UNSET for each in mine):
        yield "order: the order is not signed; where the payer asks for a signature, its days are on hold."


def _claim(fact: Event, known: Sequence[Event]) -> Iterator[str]:
    claims = {each.claim for each in known if isinstance(each, ClaimSubmitted)}
    if isinstance(fact, ClaimSubmitted) and fact.replaces is not UNSET and fact.replaces not in claims:
        yield f"replaces: the episode has no claim of this number{_meant(nearest(fact.replaces, claims))}"
    if isinstance(fact, DrugBilledSeparately) and fact.claim is not UNSET and fact.claim not in claims:
        yield f"claim: the episode has no claim of this number{_meant(nearest(fact.claim, claims))}"


def _hold(fact: Event, known: Sequence[Event]) -> Iterator[str]:
    if isinstance(fact, TherapyResumed):
        holds = {each.hold for each in known if isinstance(each, TherapyHeld)}
        if fact.hold not in holds:
            yield f"hold: the episode has no hold of this name{_meant(nearest(fact.hold, holds))}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that one resembles, whatever its capitals; None if none is near."""
    by_lower = {each.lower(): each for each in sorted(known, reverse=True)}
    found = get_close_matches(name.lower(), sorted(by_lower), n=1, cutoff=NEAR)
    return by_lower[found[0]] if found else None


def _meant(near: str | None) -> str:
    return f'; did you mean "{near}"?' if near else "."
