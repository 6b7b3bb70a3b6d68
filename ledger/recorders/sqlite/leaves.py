"""Proofs of some of the entries of a ledger's file: one pass over it that holds little in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from ledger.progress import Progress, silent
from ledger.proof.merkle import proofs_of
from ledger.recorders.leaves import LeafRow, LeafWalk, Proven
from ledger.recorders.sqlite.file import connect, plain_errors, plain_path

_PAGE_ROWS: Final = 500
_ROWS: Final = (
    "SELECT position, CAST(originator_id AS BLOB), originator_version, CAST(topic AS BLOB), CAST(state AS BLOB), seal"
    " FROM entries WHERE position <= ? ORDER BY position"
)


def prove_entries(name: str, ledger_id: str, size: int, wanted: Collection[int], tell: Progress = silent) -> Proven:
    """The entries at the wanted positions as they are stored, each with its proof in the tree of that size.

    Every seal on the way is made anew; StoreError where one does not fit, or the ledger is shorter.
    """
    walk = LeafWalk(ledger_id, size, frozenset(wanted), tell)
    pages = _pages(plain_path(name), size)
    root, proofs = proofs_of(walk.leaves(pages), [position - 1 for position in wanted])
    return Proven(root, walk.seal, walk.rows, {index + 1: proof for index, proof in proofs.items()})


def _pages(path: Path, size: int) -> Iterator[list[LeafRow]]:
    with plain_errors(path), closing(connect(path)) as connection:
        cursor = connection.execute(_ROWS, (size,))
        while page := cursor.fetchmany(_PAGE_ROWS):
            yield page
