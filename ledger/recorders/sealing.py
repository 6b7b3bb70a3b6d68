"""Rows sealed as they are appended, the same for every database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eventsourcing.persistence import StoredEvent

from ledger.proof.seals import leaf_of, seal_of
from ledger.recorders import StoreError

SealedRow = tuple[str, int, str, str, bytes]
"""Episode, version, tag, text and seal."""


def sealed(stored_events: Iterable[StoredEvent], before: int, seal: bytes) -> Iterator[SealedRow]:
    """The rows of entries that follow a position and its seal, each with its own seal.

    Texts are bound as texts: SQLite takes a tenth of an insert to make one of bytes.
    """
    for position, stored in enumerate(stored_events, before + 1):
        episode, version, tag, text = (
            str(stored.originator_id), stored.originator_version, stored.topic, stored.state,
        )  # fmt: skip
        seal = seal_of(seal, leaf_of(position, episode.encode(), version, tag.encode(), text))
        yield episode, version, tag, _in_text(text), seal


def _in_text(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeError:
        raise StoreError("an entry's text is no UTF-8: a ledger keeps no other") from None
