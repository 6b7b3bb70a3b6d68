"""Every leaf of a ledger in order, made from its stored rows, and the rows that are to be proved: one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ledger.facts.stored import StoredRow
from ledger.progress import Progress
from ledger.proof.merkle import Proof
from ledger.proof.seals import first_seal, leaf_of, seal_of
from ledger.recorders import StoreError

LeafRow = tuple[int, bytes, int, bytes, bytes, bytes]
"""Position, episode, version, tag, text and seal, as their bytes stand in the database."""


class Proven(NamedTuple):
    """The ledger up to a size: its Merkle root and last seal, and the wanted rows with their proofs by position."""

    root: bytes
    head: bytes
    rows: dict[int, StoredRow]
    proofs: dict[int, Proof]


class LeafWalk:
    """One pass over the entries: gives their leaves, and keeps the wanted rows and the last seal."""

    def __init__(self, ledger_id: str, size: int, wanted: frozenset[int], tell: Progress) -> None:
        self.size, self.wanted, self.tell = size, wanted, tell
        self.seal = first_seal(ledger_id)
        self.rows: dict[int, StoredRow] = {}

    def leaves(self, pages: Iterable[Sequence[LeafRow]]) -> Iterator[bytes]:
        """The leaves from the first entry on; StoreError where a seal does not fit, or the ledger is shorter."""
        last = 0
        for page in pages:
            for position, episode, version, tag, text, seal in page:
                leaf = leaf_of(position, episode, version, tag, text)
                self.seal = seal_of(self.seal, leaf)
                last += 1
                if position != last or self.seal != seal:
                    raise _not_whole(last)
                if position in self.wanted:
                    self.rows[position] = position, episode.decode(), version, tag.decode(), text.decode()
                yield leaf
            self.tell(last, self.size)
        if last != self.size:
            raise _not_whole(last + 1)


def _not_whole(position: int) -> StoreError:
    return StoreError(
        f"the ledger does not hold at position {position}: nothing is proven from it; 'verify' says what is wrong"
    )
