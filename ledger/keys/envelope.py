"""How an entry is stored in an encrypted ledger: its place in the open, everything else in an envelope.

The envelope is JSON, like the entry in it. It names its episode, version and type, which the store needs for its order,
the key it opens with, and the SHA-256 of the text inside: that text holds 16 random bytes, so that nobody can guess it
from its hash, and whoever is given it can be shown that it is what was sealed. The cipher binds the envelope to its
ledger, episode, version, type and key, so that it opens nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

import msgspec

from ledger.keys.cipher import EntryKey, Unopened, framed


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """An entry's stored text where it is encrypted; ``sealed`` is base64 of the random bytes, cipher text and tag."""

    episode: str
    version: int
    type: str
    key: str
    content: str
    sealed: str


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Envelope).decode


def enclose(key: EntryKey, ledger: str, episode: str, version: int, tag: str, text: bytes) -> bytes:
    """The envelope of an entry's text."""
    locked = key.lock(text, _circumstances(ledger, episode, version, tag, key.id))
    content = hashlib.sha256(text).hexdigest()
    return _encode(Envelope(episode, version, tag, key.id, content, base64.b64encode(locked).decode()))


def read_envelope(text: bytes | str) -> Envelope:
    """The envelope that was stored; Unopened if the text is none, as where a damaged file has a number for one."""
    if not isinstance(text, bytes | str):
        raise Unopened
    stored = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    try:
        found = _decode(stored)
    except (msgspec.MsgspecError, UnicodeError):
        raise Unopened from None
    if _encode(found) != stored:  # a repeated key, or spaces: read by others it might say something else
        raise Unopened
    return found


def open_envelope(envelope: Envelope, key: EntryKey, ledger: str, episode: str, version: int, tag: str) -> bytes:
    """The text in an envelope that stands under these columns; Unopened if it does not belong there."""
    if (envelope.episode, envelope.version, envelope.type, envelope.key) != (episode, version, tag, key.id):
        raise Unopened
    try:
        locked = base64.b64decode(envelope.sealed, validate=True)
    except ValueError:
        raise Unopened from None
    text = key.unlock(locked, _circumstances(ledger, episode, version, tag, key.id))
    if hashlib.sha256(text).hexdigest() != envelope.content:
        raise Unopened
    return text


def _circumstances(ledger: str, episode: str, version: int, tag: str, key: str) -> bytes:
    return framed(b"entry", ledger.encode(), episode.encode(), version.to_bytes(8, "big"), tag.encode(), key.encode())
