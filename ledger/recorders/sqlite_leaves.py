"""Every leaf of a ledger's file in order, and proofs of some of its entries: one pass that holds little in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from typing import Final, NamedTuple

from ledger.merkle import Proof, proofs_of
from ledger.recorders import StoreError
from ledger.recorders.sqlite_file import connect, plain_errors, plain_path
from ledger.seals import first_seal, leaf_of, seal_of
from ledger.stored import Row

Told = Callable[[int, int], None]

_PAGE_ROWS: Final = 2_000
_ROWS: Final = (
    "SELECT position, CAST(originator_id AS BLOB), originator_version, CAST(topic AS BLOB), CAST(state AS BLOB), seal"
    " FROM entries WHERE position <= ? ORDER BY position"
)


class Proven(NamedTuple):
    """The ledger up to a size: its Merkle root and last seal, and the wanted rows with their proofs by position."""

    root: bytes
    head: bytes
    rows: dict[int, Row]
    proofs: dict[int, Proof]


def prove_entries(
    name: str, ledger_id: str, size: int, wanted: Collection[int], tell: Told = lambda done, of: None
) -> Proven:
    """The entries at the wanted positions as they are stored, each with its proof in the tree of that size.

    Every seal on the way is made anew; StoreError where one does not fit, or the ledger is shorter.
    """
    walk = _Walk(name, ledger_id, size, frozenset(wanted), tell)
    root, proofs = proofs_of(walk.leaves(), [position - 1 for position in wanted])
    return Proven(root, walk.seal, walk.rows, {index + 1: proof for index, proof in proofs.items()})


class _Walk:
    """One pass over the entries: gives their leaves, and keeps the wanted rows and the last seal."""

    def __init__(self, name: str, ledger_id: str, size: int, wanted: frozenset[int], tell: Told) -> None:
        self.path, self.size, self.wanted, self.tell = plain_path(name), size, wanted, tell
        self.seal = first_seal(ledger_id)
        self.rows: dict[int, Row] = {}

    def leaves(self) -> Iterator[bytes]:
        """The leaves from the first entry on, each made from what stands in the file."""
        last = 0
        with plain_errors(self.path), closing(connect(self.path)) as connection:
            cursor = connection.execute(_ROWS, (self.size,))
            while page := cursor.fetchmany(_PAGE_ROWS):
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
