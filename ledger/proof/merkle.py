"""The Merkle tree over the entries' leaves (RFC 6962): its root, and the proof that an entry is one of them.

The leaves are hashes already, and come in the order of the entries: position 1 is index 0. All of it streams, holding
the roots of the full subtrees so far (one for each one-bit of the size) and never the leaves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from ledger.proof.seals import SEAL_BYTES, node_of

EMPTY_ROOT: Final = hashlib.sha256().digest()
"""The root of no leaves at all."""


class Frontier:
    """A growing tree's right edge: takes leaf after leaf, and gives the root at any size on the way."""

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Take in the next leaf."""
        full = self.size
        while full & 1:  # each one-bit from below is a full subtree that has now found its right sibling
            leaf = node_of(self._peaks.pop(), leaf)
            full >>= 1
        self._peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root over the leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        *peaks, root = self._peaks
        for peak in reversed(peaks):
            root = node_of(peak, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over all leaves."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    return frontier.root()


Proof = list[bytes]
"""The hashes beside the way from a leaf to the root, the lowest first."""


class _Subtree(NamedTuple):
    root: bytes
    wanted: tuple[int, ...]


def proofs_of(leaves: Iterable[bytes], wanted: Collection[int]) -> tuple[bytes, dict[int, Proof]]:
    """The root over all leaves, and the proof of each leaf whose index is wanted; ValueError if one is not there."""
    proofs: dict[int, Proof] = {index: [] for index in wanted}
    size, peaks = 0, list[_Subtree]()
    for index, leaf in enumerate(leaves):
        tree, full = _Subtree(leaf, (index,) if index in proofs else ()), index
        while full & 1:
            tree = _join(peaks.pop(), tree, proofs)
            full >>= 1
        peaks.append(tree)
        size = index + 1
    if not all(0 <= index < size for index in proofs):
        raise ValueError(f"a proof is wanted of a leaf that is not among the {size}")
    if not peaks:
        return EMPTY_ROOT, proofs
    whole = peaks.pop()
    while peaks:
        whole = _join(peaks.pop(), whole, proofs)
    return whole.root, proofs


def _join(left: _Subtree, right: _Subtree, proofs: dict[int, Proof]) -> _Subtree:
    """The tree of two; what is wanted on one side is proved with the root of the other."""
    for index in left.wanted:
        proofs[index].append(right.root)
    for index in right.wanted:
        proofs[index].append(left.root)
    return _Subtree(node_of(left.root, right.root), left.wanted + right.wanted)


def consistency_of(size: int, leaf: bytes, proof: Proof) -> Proof:
    """The proof that a tree of a size is the beginning of a larger one (RFC 6962, section 2.1.2), out of the proof of
    that tree's last leaf in the larger one.

    Beside the way up from that leaf stand the same hashes; only the first of them, as far as they belong to one full
    subtree, are put together.
    """
    full = (size & -size).bit_length() - 1
    root = leaf
    for beside in proof[:full]:
        root = node_of(beside, root)
    return proof[full:] if size & (size - 1) == 0 else [root, *proof[full:]]


def root_from_proof(index: int, size: int, leaf: bytes, proof: Iterable[bytes]) -> bytes | None:
    """The root that a proof leads to, to be compared with the one that was signed (RFC 9162, section 2.1.3.2).

    None if no tree of that size has a proof of that shape for that index.
    """
    if not 0 <= index < size or len(leaf) != SEAL_BYTES:
        return None
    root, place, last = leaf, index, size - 1
    for beside in proof:
        if last == 0 or len(beside) != SEAL_BYTES:
            return None
        if place & 1 or place == last:
            root = node_of(beside, root)
            while not place & 1 and place:  # levels at which this subtree had no sibling
                place, last = place >> 1, last >> 1
        else:
            root = node_of(root, beside)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None
