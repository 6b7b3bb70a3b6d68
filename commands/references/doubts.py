"""What a fact refers to, looked up softly: a fact is a fact and is recorded, but it may name what nobody knows.

Pure: from what its episode has told before it, with the nearest known name where one is near.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any, Final, Literal, NamedTuple

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

DoubtKind = Literal["payer", "uncovered", "undone", "order", "unsigned", "claim", "hold", "idle"]
"""What is doubtful of a reference; ``idle`` is a decision that changes nothing."""


class Doubt(NamedTuple):
    """A reference to what nobody knows: the field, what it names, and the names that are known instead."""

    kind: DoubtKind
    field: str
    name: str
    known: Collection[str] = ()

    @property
    def near(self) -> str | None:
        """The nearest known name, if one is near."""
        return nearest(self.name, self.known)

    def __str__(self) -> str:
        meant = f'; did you mean "{near}"?' if (near := self.near) else "."
        return f"{self.field}: {SAYS[self.kind].one}{meant}"


class Words(NamedTuple):
    """How a doubt is told of one fact, and, before their number, of many."""

    one: str
    many: str


SAYS: Final[dict[DoubtKind, Words]] = {
    "payer": Words(
        "the book has no payer of this id, and its days are on hold until it has",
        "a payer that the book does not have, so that its days are on hold, is named by",
    ),
    "uncovered": Words(
        "no coverage of the patient by this payer is recorded; it has nothing to go with",
        "a payer by whom no coverage of the patient is recorded is named by",
    ),
    "undone": Words(
        "coverage by this payer was ended on or after that date, and this undoes the end",
        "an end of coverage that was recorded before is undone by",
    ),
    "order": Words(
        "the episode has no order of this name",
        "an order that the episode does not have is named by",
    ),
    "unsigned": Words(
        "the order is not signed; where the payer asks for a signature, its days are on hold",
        "an order that is not signed, so that its days may be on hold, is named by",
    ),
    "claim": Words(
        "the episode has no claim of this number",
        "a claim that the episode does not have is named by",
    ),
    "hold": Words(
        "the episode has no hold of this name",
        "a hold that the episode does not have is named by",
    ),
    "idle": Words(
        "the decision changes nothing on this date",
        "nothing on its date is changed by",
    ),
}  # fmt: skip


class KnownNames:
    """What the live facts of an episode have named, and how many did: orders, those of them that are signed, payers,
    claims, holds."""

    __slots__ = ("claims", "ends", "holds", "orders", "payers", "signed")

    def __init__(self, facts: Iterable[Event] = ()) -> None:
        self.orders: dict[str, int] = {}
        self.signed: dict[str, int] = {}
        self.payers: dict[str, int] = {}
        self.claims: dict[str, int] = {}
        self.holds: dict[str, int] = {}
        self.ends: dict[str, list[date]] = {}
        """The dates that each payer's coverage was said to end on, in order."""
        for fact in facts:
            self.take(fact)

    def take(self, fact: Event) -> None:
        """One more live fact."""
        if isinstance(fact, CoverageEnded):
            insort(self.ends.setdefault(fact.payer, []), fact.last_date)
        for named, name in self._named_by(fact):
            named[name] = named.get(name, 0) + 1

    def drop(self, fact: Event) -> None:
        """One of them is live no longer."""
        if isinstance(fact, CoverageEnded):
            ends = self.ends[fact.payer]
            del ends[bisect_left(ends, fact.last_date)]
            if not ends:
                del self.ends[fact.payer]
        for named, name in self._named_by(fact):
            named[name] -= 1
            if not named[name]:
                del named[name]

    def _named_by(self, fact: Event) -> list[tuple[dict[str, int], str]]:
        match fact:
            case TherapyOrdered():
                order = [(self.orders, fact.order)]
                return order if fact.signed_on is UNSET else [*order, (self.signed, fact.order)]
            case CoverageVerified():
                return [(self.payers, fact.payer)]
            case ClaimSubmitted():
                return [(self.claims, fact.claim)]
            case TherapyHeld():
                return [(self.holds, fact.hold)]
        return []


NAMING: Final = frozenset({TherapyOrdered, CoverageVerified, CoverageEnded, ClaimSubmitted, TherapyHeld})
"""The facts that name something for others to refer to."""

Ask = Callable[[Any, KnownNames], Iterator[Doubt]]


def _order(fact: Any, known: KnownNames) -> Iterator[Doubt]:
    if fact.order not in known.orders:
        yield Doubt("order", "order", fact.order, known.orders)
    elif fact.order not in known.signed:
        yield Doubt("unsigned", "order", fact.order)


def _signature(fact: TherapyOrdered, known: KnownNames) -> Iterator[Doubt]:
    if fact.signed_on is UNSET:
        yield Doubt("unsigned", "signed_on", fact.order)


def _payer(fact: Any, known: KnownNames) -> Iterator[Doubt]:
    """An authorization or an end of coverage by a payer who does not cover the patient here."""
    if fact.payer not in known.payers:
        yield Doubt("uncovered", "payer", fact.payer)


def _end(fact: CoverageVerified, known: KnownNames) -> Iterator[Doubt]:
    if known.ends and (ends := known.ends.get(fact.payer)) and fact.from_ <= ends[-1]:
        yield Doubt("undone", "from", fact.payer)


def _replaced(fact: ClaimSubmitted, known: KnownNames) -> Iterator[Doubt]:
    if fact.replaces is not UNSET and fact.replaces not in known.claims:
        yield Doubt("claim", "replaces", fact.replaces, known.claims)


def _claim(fact: DrugBilledSeparately, known: KnownNames) -> Iterator[Doubt]:
    if fact.claim is not UNSET and fact.claim not in known.claims:
        yield Doubt("claim", "claim", fact.claim, known.claims)


def _hold(fact: TherapyResumed, known: KnownNames) -> Iterator[Doubt]:
    if fact.hold not in known.holds:
        yield Doubt("hold", "hold", fact.hold, known.holds)


ASKS: Final[dict[type, Ask]] = {
    DayServed: _order, DaysServed: _order, InfusionLogged: _order, TherapyStopped: _order, TherapyOrdered: _signature,
    AuthorizationGranted: _payer, CoverageEnded: _payer, CoverageVerified: _end, ClaimSubmitted: _replaced,
    DrugBilledSeparately: _claim, TherapyResumed: _hold,
}  # fmt: skip
"""The facts that refer to what others have named."""
OF_PAYER: Final = frozenset({CoverageVerified, CoverageEnded, AuthorizationGranted, ClaimSubmitted})
"""The facts that name a payer of the book."""


def doubts(fact: Event, episode: str, streams: Mapping[str, Sequence[Entry]], book: Book) -> list[str]:
    """What of a fact refers to nothing known; ``streams`` are the entries, before it, of the episode and of all that
    its patient's episodes have to do with."""
    stated = fact.fact if isinstance(fact, FactCorrected) else fact
    known = KnownNames(live.fact for live in live_entries(streams.get(episode, ())))
    for name, entries in streams.items():
        for live in live_entries(entries) if name not in (HOUSE, episode) else ():
            if isinstance(live.fact, CoverageVerified):
                known.take(live.fact)
    unknown = payer_doubt(stated.payer, book.payers) if type(stated) in OF_PAYER else None  # type: ignore[union-attr]
    found = [unknown, *doubts_of(stated, known)]
    # a correction keeps its place, before an end that was told after what it corrects
    return [str(doubt) for doubt in found if doubt and (doubt.kind != "undone" or stated is fact)]


def doubts_of(fact: Event, known: KnownNames) -> Iterator[Doubt]:
    """What of a fact refers to nothing that its episode has told."""
    ask = ASKS.get(type(fact))
    return ask(fact, known) if ask else iter(())


def payer_doubt(payer: str, known: Collection[str]) -> Doubt | None:
    """A payer that is none of the book's."""
    return None if payer in known else Doubt("payer", "payer", payer, known)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that one resembles, whatever its capitals; None if none is near."""
    by_lower = {each.lower(): each for each in sorted(known, reverse=True)}
    found = get_close_matches(name.lower(), sorted(by_lower), n=1, cutoff=NEAR)
    return by_lower[found[0]] if found else None
