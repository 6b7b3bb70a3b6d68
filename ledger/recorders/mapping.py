"""The event store library's seams, with entries in them: what a ledger offers of each, and what it does not.

Entries are mapped by a closed table of tags, never by import paths.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from eventsourcing.application import Repository
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    EventStore,
    JSONTranscoder,
    Mapper,
    Notification,
    Recording,
    StoredEvent,
    Subscription,
    Tracking,
)
from msgspec import Struct

from ledger.facts.entry import Entry, encode, patient_named
from ledger.facts.heads import EpisodeHead, fold
from ledger.facts.stored import TAGS, read_stored

PAGE_ENTRIES: Final = 500

Insert = Callable[[Sequence[StoredEvent], Iterable[tuple[str, str]]], list[int]]
"""The one way in: appends entries with the (patient, episode) pairs they name; gives their positions."""


class NotOffered:
    """A name of the library's that a ledger does not have; whoever asks for it is told why."""

    def __init__(self, why: str) -> None:
        self._why = why

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        """AttributeError, always."""
        raise AttributeError(f"{owner.__name__} has no {self._name!r}: {self._why}")


class OneRecorder:
    """What a factory does not build: a ledger has one recorder; the library's others would make tables beside it."""

    aggregate_recorder = NotOffered("a ledger keeps no snapshots; what is made from entries can be made again")
    tracking_recorder = NotOffered("who reads a ledger keeps their position with what they made of it")
    process_recorder = NotOffered("a ledger follows no other application")


class ReadByPosition(ApplicationRecorder, ABC):
    """A recorder whose readers ask by position, which cannot miss an entry."""

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[Any]:
        """Not offered."""
        raise NotImplementedError("readers of a ledger ask by position, with 'follow' or the notification log")


class Stored(Struct, frozen=True, gc=False):
    """An entry as it is stored: the library's StoredEvent, which takes eight times as long to make."""

    originator_id: str
    originator_version: int
    topic: str
    state: bytes


class EntryMapper(Mapper[str]):
    """Entry to stored event and back; the topic is the tag of the fact."""

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())  # the library asks for one; entries bring their own encoding

    def to_stored_event(self, domain_event: Entry) -> StoredEvent:  # type: ignore[override]  # entries only
        """The stored form of an entry."""
        tag = TAGS[type(domain_event.fact)]
        return Stored(  # type: ignore[return-value]  # it has the same fields, and nothing asks for more
            domain_event.episode, domain_event.version, tag, encode(domain_event)
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Entry:
        """The entry of a stored event; ``UnreadableEntry`` if text and columns disagree."""
        return read_stored(
            str(stored_event.originator_id), stored_event.originator_version, stored_event.topic, stored_event.state
        )


class EntryStore(EventStore[str]):
    """Entries by episode; what is put goes in as ``append`` does it, with the patients that it names."""

    def __init__(self, mapper: Mapper[str], recorder: AggregateRecorder, insert: Insert) -> None:
        super().__init__(mapper, recorder)
        self._insert = insert

    def get(
        self, originator_id: str, *, gt: int | None = None, lte: int | None = None, desc: bool = False,
        limit: int | None = None,
    ) -> Iterator[Entry]:  # fmt: skip
        """An episode's entries in order; all of them a page at a time, so that who folds them holds none."""
        if desc or limit is not None:
            some = self.recorder.select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)
            return iter([self.mapper.to_domain_event(each) for each in some])  # type: ignore[misc]  # entries alone
        first = self.recorder.select_events(originator_id, gt=gt, lte=lte, limit=PAGE_ENTRIES)
        return self._from(first, originator_id, lte)

    def _from(self, page: Sequence[StoredEvent], originator_id: str, lte: int | None) -> Iterator[Entry]:
        """The entries of a page, and of those after it."""
        while page:
            yield from map(self.mapper.to_domain_event, page)
            if len(page) < PAGE_ENTRIES:
                return
            page = self.recorder.select_events(
                originator_id, gt=page[-1].originator_version, lte=lte, limit=PAGE_ENTRIES
            )

    def put(  # type: ignore[override]  # entries, and nothing beside them
        self, domain_events: Sequence[Entry], *, tracking: Tracking | None = None
    ) -> list[Recording[str]]:
        """Record entries; each with its notification, which has its position."""
        if tracking is not None:
            raise NotImplementedError("a ledger keeps no positions in other applications")
        stored = [self.mapper.to_stored_event(entry) for entry in domain_events]
        named = [(patient_named(entry), entry.episode) for entry in domain_events]
        positions = self._insert(stored, [(patient, episode) for patient, episode in named if patient is not None])
        return [
            Recording(entry, Notification(each.originator_id, each.originator_version, each.topic, each.state, at))
            for entry, each, at in zip(domain_events, stored, positions, strict=True)
        ]


def head_of(head: EpisodeHead | None, entries: Iterable[Entry]) -> EpisodeHead | None:
    """An episode as deciding sees it, or None if it has no entry; a projector in the library's sense."""
    folded = fold(head, entries)
    return folded if folded.version else None


class EpisodeRepository(Repository[str]):
    """Episodes made from their entries: heads, unless a projector makes something else of them."""

    def get(  # type: ignore[override]  # what it gives is what the projector gives
        self, aggregate_id: str, *, version: int | None = None, projector_func: Callable[..., Any] = head_of
    ) -> Any:
        """An episode, as of a version if one is given; AggregateNotFoundError if the projector gives nothing."""
        return super().get(aggregate_id, version=version, projector_func=projector_func)
