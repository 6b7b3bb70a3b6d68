"""Entry to stored event and back: by a closed table of tags, never by import paths."""

from __future__ import annotations

from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent

from ledger.facts.entry import Entry, encode
from ledger.facts.stored import TAGS, read_stored


class EntryMapper(Mapper[str]):
    """Entry to stored event and back; the topic is the tag of the fact."""

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())  # the library asks for one; entries bring their own encoding

    def to_stored_event(self, domain_event: Entry) -> StoredEvent:  # type: ignore[override]  # entries only
        """The stored form of an entry."""
        tag = TAGS[type(domain_event.fact)]
        return StoredEvent(domain_event.episode, domain_event.version, tag, encode(domain_event))

    def to_domain_event(self, stored_event: StoredEvent) -> Entry:
        """The entry of a stored event; ``UnreadableEntry`` if text and columns disagree."""
        return read_stored(
            str(stored_event.originator_id), stored_event.originator_version, stored_event.topic, stored_event.state
        )
