"""What the ledger asks of its recorder, whatever the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from eventsourcing.persistence import Notification, StoredEvent

from ledger.facts.stored import JoinedEntries, StoredRow
from ledger.keys.cipher import WrappedKey

FEW: Final = 160
"""So many entries have 10 MB of text at most, for the door takes no line that is longer than 65,536 bytes."""


class Entries(Protocol):
    """The entries of one ledger, and the patients of its episodes."""

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        patients: Iterable[tuple[str, str]] = ...,
        right_after: int | None = ...,
        keys: Sequence[WrappedKey] = ...,
        forgotten: Sequence[str] = ...,
    ) -> Sequence[int] | None:
        """Append entries, sealed, with the (patient, episode) pairs they name, in one transaction; their positions.

        With ``right_after`` a position only as the very next entry after it, else IntegrityError.
        In an encrypted ledger ``keys`` are those of episodes that begin, and ``forgotten`` episodes whose keys and
        patients are destroyed by what is appended.
        """

    def keys_of(self, episodes: Iterable[str]) -> list[WrappedKey]:
        """The keys that an encrypted ledger keeps of these episodes, as far as they are there."""

    def scrub(self) -> bool:
        """See to it that nothing of a destroyed key is left in the database's own files; whether that was possible."""

    def max_position(self) -> int:
        """The position of the last entry, 0 in an empty ledger."""

    def seal_at(self, position: int) -> bytes:
        """The seal of the entry at a position; empty where there is none."""

    def count_of(self, episode: str, upto: int) -> int:
        """How many entries an episode has up to a position."""

    def text_bytes(self, episodes: Sequence[str], upto: int, few: int = ...) -> int:
        """How many bytes the texts of these episodes have as they are stored, up to a position; 0 where there are so
        few that nobody needs to ask (``FEW``, unless told otherwise)."""

    def scan(self, after: int = ..., upto: int | None = ...) -> Iterator[StoredRow]:
        """Entries after a position, in order, up to the last one there is now, unless told otherwise."""

    def joined(self, episodes: Sequence[str], upto: int, without: Collection[str] = ...) -> list[JoinedEntries]:
        """These episodes up to a position, each as one row, without the texts of some tags; nothing of one without
        entries. In what order the episodes come is left open."""

    def extents(self, upto: int) -> list[tuple[str, str, int, int]]:
        """Each (episode, patient it ever named) with the episode's first position and its last version up to one."""

    def rows_at(self, places: Iterable[tuple[str, int]], settled_within: float = ...) -> list[StoredRow]:
        """The entries at these places (episode, version), as far as they exist.

        With ``settled_within`` seconds: once no append is under way any more, over a new connection if need be;
        StoreError if that cannot be had in this time.
        """

    def rows_of(self, episodes: Iterable[str], after_version: int = ..., upto: int | None = ...) -> list[StoredRow]:
        """The entries of these episodes, each episode's in the order of versions, up to a position."""

    def rows_of_kinds(self, episode: str, tags: Collection[str], after_version: int = ...) -> list[StoredRow]:
        """The entries of an episode that have one of these tags, after a version, in the order of versions."""

    def versions_without(self, tags: Collection[str], upto: int) -> list[tuple[str, str]]:
        """Each episode that has entries up to a position with other tags than these, and their versions with commas
        between them, in any order: all entries are walked once, which is quicker than episode by episode."""

    def versions(self, after: int) -> list[tuple[str, int]]:
        """Each episode with entries after a position, with its last version."""

    def episodes_of(self, patient: str) -> list[str]:
        """Every episode that ever named this patient."""

    def patients_of(self, episode: str) -> list[str]:
        """Every patient that this episode ever named."""

    def patients_between(self, after: int, upto: int) -> set[str]:
        """Every patient of the episodes that have entries after a position, up to another."""

    def page_when_opened(self) -> dict[str, str]:
        """What the ledger said of itself when it was opened."""

    def about(self) -> dict[str, str]:
        """What the ledger says of itself: its id, format and time of creation."""

    def settings(self) -> dict[str, str]:
        """The settings of the engine in force, read back from it."""


class StoredEntries(Entries, Protocol):
    """The entries of one ledger, as the event store library asks for them, too."""

    def select_events(
        self, originator_id: Any, *, gt: int | None = ..., lte: int | None = ..., desc: bool = ...,
        limit: int | None = ...,
    ) -> Sequence[StoredEvent]:  # fmt: skip
        """An episode's stored events."""

    def select_notifications(
        self, start: int | None, limit: int, stop: int | None = ..., topics: Sequence[str] = ..., *,
        inclusive_of_start: bool = ...,
    ) -> Sequence[Notification]:  # fmt: skip
        """Entries in the order of their positions."""

    def max_notification_id(self) -> int | None:
        """The position of the last entry, if there is one."""
