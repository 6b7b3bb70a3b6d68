"""Watches what is recorded for references to what nobody knows, over whole files: told by kind at the end, not by line.

What an episode has named is known from the entries that recording reads anyway, and forgotten with its head; so memory
is bounded, and nothing is read twice. A name that is told later in the run was known in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from msgspec import Struct

from commands.references.doubts import ASKS, NAMING, OF_PAYER, Doubt, DoubtKind, KnownNames, doubts_of
from commands.references.named import EpisodeNames
from ledger.facts.entry import Entry, statement_of
from ledger.facts.events import (
    ClaimSubmitted,
    ConflictResolved,
    CoverageVerified,
    DayServed,
    DaysServed,
    Event,
    FactCorrected,
    FactRetracted,
    TherapyHeld,
    TherapyOrdered,
)

MOST_OPEN: Final = 20_000
"""So many doubtful names are kept in mind, in case they are told later."""
MOST_PAYERS: Final = 1_000
MOST_DECISIONS: Final = 500
SHOWN_PLACES: Final = 3
_SERVICE: Final = frozenset({DayServed, DaysServed})
_MENDING: Final = frozenset({FactCorrected, FactRetracted})

Place = tuple[str | None, int]
"""Where a fact was told: a file, if there are several, and a line or row."""


class Doubtful(Struct):
    """Facts that refer to one thing that nobody knows, or to several of a kind; ``near`` counts those of which a
    known name is near."""

    kind: DoubtKind
    facts: int
    near: int
    places: list[Place]


class Decided(NamedTuple):
    """A decision that was recorded: where it was told, and what it decides."""

    place: Place
    date: date
    bill: str | None


class _Named(Struct):
    """How often a doubtful name was referred to, where first, in which order, and whether a known one is near."""

    order: int
    place: Place
    is_near: bool
    facts: int = 0


class Watch:
    """Watches a run of recording. The recorder says what it reads, what it records and which episodes it lets go."""

    def __init__(self, most_open: int = MOST_OPEN) -> None:
        self._most_open = most_open
        self._episodes: dict[str, EpisodeNames] = {}
        self._open: dict[str, dict[tuple[DoubtKind, str], _Named]] = {}
        self._count = self._seen = 0
        self._settled: dict[DoubtKind, Doubtful] = {}
        self._payers: dict[str, _Named] = {}
        self._decided: dict[str, list[Decided]] = {}
        self._decisions = 0

    # What the recorder says

    def begin(self, episodes: Iterable[str]) -> None:
        """All entries of these episodes are read next."""
        for episode in episodes:
            self._episodes[episode] = EpisodeNames()

    def read(self, entry: Entry) -> None:
        """An entry that stands in the ledger."""
        if type(entry.fact) in NAMING or type(entry.fact) in _MENDING:
            self._episodes[entry.episode].take(entry)

    def let_go(self, episode: str) -> None:
        """An episode that is read again, should it come again."""
        self._episodes.pop(episode, None)

    def recorded(self, entries: Iterable[tuple[Place, Entry]]) -> None:
        """Entries that were recorded, in order, each with where it was told."""
        for place, entry in entries:
            fact = entry.fact
            kind = type(fact)
            if kind in _SERVICE:  # most
                names, order = self._episodes[entry.episode].names, str(fact.order)  # type: ignore[union-attr]
                if order not in names.signed and not self._is_open(entry.episode, order, names):
                    self._ask(entry, fact, place)
            elif kind in ASKS or kind in _MENDING or kind in NAMING or kind is ConflictResolved:
                self._look_at(entry, place)

    # What it makes of that

    def _look_at(self, entry: Entry, place: Place) -> None:
        fact = statement_of(entry) if isinstance(entry.fact, FactCorrected) else entry.fact
        if isinstance(fact, ConflictResolved):
            self._decide(entry.episode, Decided(place, fact.date, fact.bill))
        if type(fact) in OF_PAYER:
            self._name_payer(fact.payer, place)  # type: ignore[union-attr]
        self._ask(entry, fact, place)
        self._episodes[entry.episode].take(entry)
        if self._open and entry.episode in self._open:
            self._answer(entry.episode, fact)

    def _ask(self, entry: Entry, fact: Event, place: Place) -> None:
        for doubt in doubts_of(fact, self._episodes[entry.episode].names):
            if doubt.kind != "undone" or entry.fact is fact:  # a correction keeps its place before the end
                self._keep(entry.episode, doubt, place)

    def _is_open(self, episode: str, order: str, names: KnownNames) -> bool:
        """Whether a doubt about an order is kept in mind; then it is one fact more."""
        named = self._open.get(episode, {}).get(("unsigned" if order in names.orders else "order", order))
        if named is None:
            return False
        named.facts += 1
        return True

    def _keep(self, episode: str, doubt: Doubt, place: Place) -> None:
        named = self._open.setdefault(episode, {})
        key = doubt.kind, doubt.name
        if key not in named:
            self._seen += 1
            self._count += 1
            named[key] = _Named(self._seen, place, doubt.near is not None)
        named[key].facts += 1
        if self._count > self._most_open:
            self._settle(next(iter(self._open)))

    def _answer(self, episode: str, fact: Event) -> None:
        """What was doubtful is known now, if this fact names it."""
        match fact:
            case TherapyOrdered():
                self._known(episode, "order", fact.order)
                if fact.order in self._episodes[episode].names.signed:
                    self._known(episode, "unsigned", fact.order)
            case CoverageVerified():
                self._known(episode, "uncovered", fact.payer)
            case ClaimSubmitted():
                self._known(episode, "claim", fact.claim)
            case TherapyHeld():
                self._known(episode, "hold", fact.hold)

    def _known(self, episode: str, kind: DoubtKind, name: str) -> None:
        named = self._open.get(episode, {})
        if named.pop((kind, name), None):
            self._count -= 1
            if not named:
                del self._open[episode]

    def _name_payer(self, payer: str, place: Place) -> None:
        if payer in self._payers or len(self._payers) < MOST_PAYERS:
            self._seen += 1
            self._payers.setdefault(payer, _Named(self._seen, place, False)).facts += 1

    def _decide(self, episode: str, decided: Decided) -> None:
        if self._decisions < MOST_DECISIONS:
            self._decisions += 1
            self._decided.setdefault(episode, []).append(decided)

    def _settle(self, episode: str) -> None:
        for (kind, _), named in self._open.pop(episode).items():
            self._count -= 1
            told = self._settled.setdefault(kind, Doubtful(kind, 0, 0, []))
            told.facts += named.facts
            told.near += named.facts * named.is_near
            if len(told.places) < SHOWN_PLACES:
                told.places.append(named.place)

    # What is asked of it in the end

    @property
    def uncovered(self) -> list[tuple[str, str]]:
        """Episodes and payers whose coverage was not told there; the patient's other episodes may have it."""
        return [(episode, name) for episode, named in self._open.items() for kind, name in named if kind == "uncovered"]

    def covered(self, episode: str, payer: str) -> None:
        """That coverage is known after all."""
        self._known(episode, "uncovered", payer)

    @property
    def payers(self) -> list[str]:
        """Every payer that was named."""
        return list(self._payers)

    def times(self, payer: str) -> tuple[int, Place]:
        """How many facts named a payer, and where the first of them was told."""
        return self._payers[payer].facts, self._payers[payer].place

    @property
    def decided(self) -> dict[str, list[Decided]]:
        """The decisions that were recorded, by episode."""
        return self._decided

    def doubtful(self) -> Iterator[Doubtful]:
        """What is doubtful, by kind."""
        for episode in sorted(self._open, key=lambda name: min(each.order for each in self._open[name].values())):
            self._settle(episode)
        yield from self._settled.values()
