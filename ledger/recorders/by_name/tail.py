"""The end of a ledger, held against its seals: what is recorded next is sealed to it."""

from __future__ import annotations

from typing import Final

from ledger.facts.administration import HOUSE
from ledger.proof.seals import first_seal, leaf_of, seal_of
from ledger.recorders import StoreError
from ledger.recorders.by_name.as_stored import as_stored

ENTRIES_LOOKED_AT: Final = 1_000


def refuse_broken_tail(name: str) -> None:
    """StoreError if the last entry of the ledger so named is not as it was sealed; no key is needed.

    The next one is sealed to that alone: damage further back, which can be read around, keeps nobody from recording.
    """
    if (position := broken_in_tail(name, 1)) is not None:
        raise StoreError(
            f"the ledger does not hold at position {position}, and nothing is to be recorded after that;"
            " 'episode-ledger verify' says what is wrong"
        )


def broken_in_tail(name: str, entries_looked_at: int = ENTRIES_LOOKED_AT) -> int | None:
    """The first of the last positions that does not hold; None if they hold."""
    with as_stored(name) as entries:
        head = entries.max_position()
        after = max(0, head - entries_looked_at)
        rows = [*entries.scan(after, head), *entries.rows_of([HOUSE], 0, head)]
        found = {row[0]: row for row in rows if row[0] > after}
        seal = entries.seal_at(after) or first_seal(entries.about().get("id", ""))
        for position in range(after + 1, head + 1):
            if position not in found:
                return position
            _, episode, version, tag, text = found[position]
            try:
                leaf = leaf_of(position, _bytes(episode), version, _bytes(tag), _bytes(text))
            except (AttributeError, OverflowError):  # of a type, or below zero, as no column is
                return position
            seal = seal_of(seal, leaf)
            if seal != entries.seal_at(position):
                return position
    return None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
