"""Rows sealed as they are appended, the same for every database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eventsourcing.persistence import StoredEvent

from ledger.proof.seals import leaf_of, seal_of

SealedRow = tuple[str, int, str, bytes, bytes]
"""Episode, version, tag, text and seal."""


def sealed(stored_events: Iterable[StoredEvent], before: int, seal: bytes) -> Iterator[SealedRow]:
    """The rows of entries that follow a position and its seal, each with its own seal."""
    for position, stored in enumerate(stored_events, before + 1):
        episode, version, tag, text = (
            str(stored.originator_id), stored.originator_version, stored.topic, stored.state,
        )  # fmt: skip
        seal = seal_of(seal, leaf_of(position, episode.encode(), version, tag.encode(), text))
        yield episode, version, tag, text, seal
