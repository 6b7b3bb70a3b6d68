"""What deciding needs to know of one episode, folded from its entries: small, so that many can be held at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import IntEnum
from typing import Final, NamedTuple

from ledger.facts.entry import Entry
from ledger.facts.events import EpisodeOpened, FactCorrected, FactRetracted, ProviderChanged


class EntryKind(IntEnum):
    """What an entry is to those that would retract or correct it."""

    STATEMENT = 0
    OPENING = 1
    OPENING_CORRECTION = 2
    RETRACTION = 3


_KIND_BITS: Final = 2
_LOOKED_INTO: Final = frozenset({EpisodeOpened, ProviderChanged, FactCorrected, FactRetracted})


def _key(source: str, id: str) -> str:
    return f"{source}\0{id}"  # neither holds a control character


class _Stated(NamedTuple):
    """What an opening, a change of provider or a correction states, in the chain that began with version ``root``."""

    version: int
    root: int
    opening: tuple[str, str] | None = None
    change: tuple[date, str] | None = None


class EpisodeHead:
    """One episode as deciding sees it: how far it is, what its entries are known by, and what stands of its opening.

    It holds as many identities as its version says.
    """

    __slots__ = ("_known", "_retractions", "_standing", "_stated", "forgotten", "last_recorded_at", "version")

    def __init__(self, *, forgotten: bool = False) -> None:
        self.version = 0
        self.forgotten = forgotten
        self.last_recorded_at: datetime | None = None
        self._known: dict[str, int] = {}  # version and kind in one number: a head of 400 entries takes 60 kB, not 100
        self._stated: dict[int, _Stated] = {}
        self._standing: list[_Stated] | None = None
        self._retractions: list[tuple[int, int]] = []

    def version_of(self, source: str, id: str) -> int | None:
        """The version of the entry known by this identity."""
        known = self._known.get(f"{source}\0{id}")
        return None if known is None else known >> _KIND_BITS

    def kind_of(self, source: str, id: str) -> EntryKind | None:
        """What the entry known by this identity is to its corrections."""
        known = self._known.get(_key(source, id))
        return None if known is None else EntryKind(known & (1 << _KIND_BITS) - 1)

    def is_mended(self, source: str, id: str) -> bool:
        """Whether the entry known by this identity was corrected or retracted, be it that this was undone since."""
        if not (self._retractions or self._stated):
            return False
        version = self.version_of(source, id)
        return any(target == version for _, target in self._retractions) or any(
            each.root == version != each.version for each in self._stated.values()
        )

    def has_gone_past(self, at: datetime) -> bool:
        """Whether something was recorded after that instant."""
        return self.last_recorded_at is not None and at < self.last_recorded_at

    @property
    def provider(self) -> str | None:
        """The provider of the opening that is live now."""
        opening = self._opening()
        return opening[0] if opening else None

    @property
    def zone(self) -> str | None:
        """The zone of the opening that is live now."""
        opening = self._opening()
        return opening[1] if opening else None

    def _opening(self) -> tuple[str, str] | None:
        return next((each.opening for each in reversed(self._live()) if each.opening), None)

    def provider_on(self, on: date) -> str | None:
        """The provider of a date (rulebook section 4), as the entries stand."""
        changes = [each.change for each in self._live() if each.change and each.change[0] <= on]
        return sorted(changes, key=lambda change: change[0])[-1][1] if changes else self.provider  # stable

    def providers(self, first: date, last: date) -> set[str | None]:
        """The providers of the dates of a span."""
        starts = [each.change[0] for each in self._live() if each.change and first < each.change[0] <= last]
        return {self.provider_on(on) for on in (first, *starts)}

    def _live(self) -> list[_Stated]:
        """What stands of each chain that was looked into, in order: of those not retracted, the one recorded last."""
        if self._standing is None:
            retracted = self._retracted()
            last = {each.root: each for each in self._stated.values() if each.version not in retracted}
            self._standing = sorted(last.values())
        return self._standing

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
        kind = self._take_in(version, fact) if type(fact) in _LOOKED_INTO else 0
        self._known[f"{entry.source}\0{entry.id}"] = version << _KIND_BITS | kind
        self.version = version
        self.last_recorded_at = entry.recorded_at

    def _take_in(self, version: int, fact: object) -> EntryKind:
        self._standing = None
        if isinstance(fact, FactRetracted):
            target = self.version_of(fact.target_source, fact.target_id)
            self._retractions.append((version, target or 0))
            return EntryKind.RETRACTION
        if isinstance(fact, FactCorrected):
            found = _stated(version, self._root_of(fact), fact.fact)
        else:
            found = _stated(version, version, fact)
        self._stated[version] = found
        if found.opening is None:
            return EntryKind.STATEMENT
        return EntryKind.OPENING_CORRECTION if isinstance(fact, FactCorrected) else EntryKind.OPENING

    def _root_of(self, fact: FactCorrected) -> int:
        """The version of the first entry of the chain that a correction belongs to."""
        target = self.version_of(fact.target_source, fact.target_id) or 0
        return self._stated[target].root if target in self._stated else target


def _stated(version: int, root: int, fact: object) -> _Stated:
    if isinstance(fact, EpisodeOpened):
        return _Stated(version, root, opening=(fact.provider, fact.zone))
    if isinstance(fact, ProviderChanged):
        return _Stated(version, root, change=(fact.from_, fact.provider))
    return _Stated(version, root)


def fold(head: EpisodeHead | None, entries: Iterable[Entry]) -> EpisodeHead:
    """A head brought forward by the entries that follow it; a projector in the event store's sense."""
    head = head or EpisodeHead()
    for entry in entries:
        head.apply(entry)
    return head
