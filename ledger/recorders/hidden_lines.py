"""What acts of the house keep of patients, in an encrypted ledger: under a key of the house, never in the open.

The numbers of claims, and what a payer says of one that nobody knows, are patients' data. The lines of somebody who was
forgotten say where somebody was treated how, on which dates and for how much, and the keys of their episodes are gone:
in the open they would tell more than could be read before. What the store and a verifier need stays in the open: when,
which episodes, which keys. An act that was recorded before this was so is read as it stands.
"""

from __future__ import annotations

import base64
from typing import Any, Final

import msgspec

from ledger.facts.administration import (
    BatchWritten,
    PatientForgotten,
    RemittanceAssigned,
    RemittanceUnmatched,
    decode_act,
    encode_act,
)
from ledger.keys.cipher import EntryKey, Unopened, framed

_HIDDEN: Final = {
    PatientForgotten.__name__: ("by", "reason", "lines"),
    BatchWritten.__name__: ("claims",),
    RemittanceUnmatched.__name__: ("key", "posting"),
    RemittanceAssigned.__name__: ("control", "claim", "key"),
}
KEEPING: Final = frozenset(_HIDDEN)
"""The acts of the house that keep something of a patient."""
_KEPT: Final = "kept"
"""Where the hidden fields stand, as base64 of the random bytes, cipher text and tag."""


def hide(key: EntryKey, ledger: str, version: int, text: bytes) -> bytes:
    """An act with what it keeps encrypted; it opens in its place alone."""
    act: dict[str, Any] = msgspec.json.decode(text)
    kept = msgspec.json.encode({name: act.pop(name) for name in _HIDDEN[act["type"]]})
    locked = key.lock(kept, _circumstances(ledger, version, act))
    return msgspec.json.encode(act | {_KEPT: base64.b64encode(locked).decode()})


def show(key: EntryKey, ledger: str, version: int, text: bytes | str) -> bytes:
    """The act again, to the byte; Unopened if it was changed."""
    try:
        act: dict[str, Any] = msgspec.json.decode(text)
        if _KEPT not in act:
            return text.encode() if isinstance(text, str) else text
        locked = base64.b64decode(act.pop(_KEPT), validate=True)
        kept = key.unlock(locked, _circumstances(ledger, version, act))
        return encode_act(decode_act(msgspec.json.encode(act | msgspec.json.decode(kept, type=dict[str, Any]))))
    except (msgspec.MsgspecError, UnicodeError, ValueError, TypeError, AttributeError):
        raise Unopened from None


def _circumstances(ledger: str, version: int, act: dict[str, Any]) -> bytes:
    """Its place, and everything in the open beside it: a reader is never shown the one with another's other."""
    return framed(b"kept in act", ledger.encode(), version.to_bytes(8, "big"), msgspec.json.encode(act, order="sorted"))
