"""What deciding needs to know of one episode, folded from its entries: small, so that many can be held at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from typing import Final

from ledger.facts.entry import Entry
from ledger.facts.events import EpisodeOpened, FactCorrected, FactRetracted


class Kind(IntEnum):
    """What an entry is to those that would retract or correct it."""

    STATEMENT = 0
    OPENING = 1
    OPENING_CORRECTION = 2
    RETRACTION = 3


_KIND_BITS: Final = 2
_CHAIN_ACTS: Final = frozenset({EpisodeOpened, FactCorrected, FactRetracted})


def _key(source: str, id: str) -> str:
    return f"{source}\0{id}"  # neither holds a control character


class Head:
    """One episode as deciding sees it: how far it is, what its entries are known by, and its opening now.

    It holds as many identities as its version says.
    """

    __slots__ = ("_known", "_openings", "_retractions", "forgotten", "last_recorded_at", "version")

    def __init__(self, *, forgotten: bool = False) -> None:
        self.version = 0
        self.forgotten = forgotten
        self.last_recorded_at: datetime | None = None
        self._known: dict[str, int] = {}  # version and kind in one number: a head of 400 entries takes 60 kB, not 100
        self._openings: list[tuple[int, str]] = []
        self._retractions: list[tuple[int, int]] = []

    def version_of(self, source: str, id: str) -> int | None:
        """The version of the entry known by this identity."""
        known = self._known.get(f"{source}\0{id}")
        return None if known is None else known >> _KIND_BITS

    def kind_of(self, source: str, id: str) -> Kind | None:
        """What the entry known by this identity is to its corrections."""
        known = self._known.get(_key(source, id))
        return None if known is None else Kind(known & (1 << _KIND_BITS) - 1)

    @property
    def provider(self) -> str | None:
        """The provider of the opening that is live now."""
        retracted = self._retracted() if len(self._openings) > 1 else set()
        live = [provider for version, provider in self._openings if version not in retracted]
        return live[-1] if live else None

    def _retracted(self) -> set[int]:
        """The versions that a live retraction names; later retractions are settled before those they name."""
        retracted: set[int] = set()
        for version, target in reversed(self._retractions):
            if version not in retracted:
                retracted.add(target)
        return retracted

    def apply(self, entry: Entry) -> None:
        """Take in the episode's next entry."""
        version = entry.version
        assert version == self.version + 1, "an episode's entries in order, without a gap"
        fact = entry.fact
        kind = self._take_in(version, fact) if type(fact) in _CHAIN_ACTS else 0
        self._known[f"{entry.source}\0{entry.id}"] = version << _KIND_BITS | kind
        self.version = version
        self.last_recorded_at = entry.recorded_at

    def _take_in(self, version: int, fact: object) -> Kind:
        if isinstance(fact, EpisodeOpened):
            self._openings.append((version, fact.provider))
            return Kind.OPENING
        if isinstance(fact, FactRetracted):
            target = self.version_of(fact.target_source, fact.target_id)
            self._retractions.append((version, target or 0))
            return Kind.RETRACTION
        if isinstance(fact, FactCorrected) and isinstance(fact.fact, EpisodeOpened):
            self._openings.append((version, fact.fact.provider))
            return Kind.OPENING_CORRECTION
        return Kind.STATEMENT


def fold(head: Head | None, entries: Iterable[Entry]) -> Head:
    """A head brought forward by the entries that follow it; a projector in the event store's sense."""
    head = head or Head()
    for entry in entries:
        head.apply(entry)
    return head
