"""Seals: what makes a change of the past show. SHA-256 only; no type of ours and no key is needed to check them.

Each entry has a *leaf*, a hash over its stored columns, and a *seal*, a hash over the seal before it and its leaf. So a
seal stands for everything up to its entry. Leaves and nodes carry the prefixes of RFC 6962, that one is never taken for
the other. Fields are hashed with their kind and length, that no two rows read as the same bytes. An entry's text holds
16 random bytes (its ``nonce``), so that nobody can guess a patient's data until a leaf comes out.
"""

from __future__ import annotations

import hashlib
from typing import Final

SEAL_BYTES: Final = 32

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"
_TEXT: Final = b"t"
_WHOLE: Final = b"i" + (8).to_bytes(8, "big")
_LEAF_WHOLE: Final = _LEAF + _WHOLE

_sha256 = hashlib.sha256


def leaf_of(position: int, episode: bytes, version: int, tag: bytes, text: bytes) -> bytes:
    """The leaf of an entry: over its columns as they are stored, in this order.

    A whole number is hashed as ``i``, its length (8) and its bytes, a text as ``t``, its length and its UTF-8; lengths
    and numbers take eight bytes, the highest first.
    """
    fields = (
        _LEAF_WHOLE, position.to_bytes(8, "big"),
        _TEXT, len(episode).to_bytes(8, "big"), episode,
        _WHOLE, version.to_bytes(8, "big"),
        _TEXT, len(tag).to_bytes(8, "big"), tag,
        _TEXT, len(text).to_bytes(8, "big"), text,
    )  # fmt: skip
    return _sha256(b"".join(fields)).digest()


def node_of(left: bytes, right: bytes) -> bytes:
    """The hash of two hashes: a node of the Merkle tree, and a link of the chain of seals."""
    return _sha256(_NODE + left + right).digest()


def seal_of(before: bytes, leaf: bytes) -> bytes:
    """The seal of an entry: over the seal of the entry before it, and its own leaf."""
    return node_of(before, leaf)


def first_seal(ledger_id: str) -> bytes:
    """What the first entry is sealed to: the ledger's own id, hashed as a leaf of one text."""
    name = ledger_id.encode()
    return _sha256(_LEAF + _TEXT + len(name).to_bytes(8, "big") + name).digest()
