"""Checkpoints: what the ledger was at one moment, in a text to be signed and given away.

The layout is C2SP's: a checkpoint (origin, size, Merkle root, further lines) inside a signed note. Whoever holds an
earlier checkpoint can show that what it stood for is still there, or is not. Reading is strict: one checkpoint has one
text. Signatures are only taken apart here, not checked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from ledger.proof.seals import SEAL_BYTES

ED25519: Final = b"\x01"
"""The kind of key and signature, as a C2SP note says it."""

KEY_ID_BYTES: Final = 4
LARGEST_NOTE_BYTES: Final = 1 << 20
"""What a note may weigh: far more than the signatures of sixteen witnesses, far less than what would hurt."""

_NAME = re.compile(r"[^\s+\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DASH = "\u2014 "
_OWN = ("ledger", "head", "time")


class CheckpointError(Exception):
    """Not a checkpoint; the message says in which line, and what was expected there."""


class Checkpoint(Struct, frozen=True):
    """The ledger at one moment: ``head`` is the last entry's seal (the first seal if there is none)."""

    origin: str
    ledger: str
    size: int
    root: bytes
    head: bytes
    at: datetime


class Signature(Struct, frozen=True):
    """One line below a note: who claims to have signed it, with which key."""

    name: str
    key_id: bytes
    signature: bytes


class Note(Struct, frozen=True):
    """A checkpoint as it was given away: the signed text, what it says, and the signatures below it."""

    text: str
    checkpoint: Checkpoint
    signatures: tuple[Signature, ...]


class VerifierKey(Struct, frozen=True):
    """The public half of a signing key, under the name it signs with."""

    name: str
    key_id: bytes
    public: bytes


def origin_of(ledger_id: str) -> str:
    """Under which name a ledger's checkpoints go out."""
    return f"episode-ledger/{ledger_id}"


def text_of(checkpoint: Checkpoint) -> str:
    """The text that is signed; CheckpointError for what it cannot say, such as a time with a fraction of a second."""
    text = "".join(
        f"{line}\n"
        for line in (
            checkpoint.origin,
            checkpoint.size,
            _base64(checkpoint.root),
            f"ledger {checkpoint.ledger}",
            f"head {_base64(checkpoint.head)}",
            f"time {checkpoint.at.isoformat().replace('+00:00', 'Z')}",
        )
    )
    assert parse_text(text) == checkpoint, "what is signed says what was meant"
    return text


def parse_text(text: str) -> Checkpoint:
    """What a note's text says; CheckpointError if it is not exactly a checkpoint's."""
    lines = _lines_of(text)
    if len(lines) < 6:
        raise CheckpointError(f"line {len(lines) + 1}: missing; a checkpoint's text has at least six lines")
    values = [_extension(number, name, lines[number - 1]) for number, name in enumerate(_OWN, start=4)]
    for number, line in enumerate(lines, start=1):
        if number > 6 and line.split(" ")[0] in _OWN:
            raise CheckpointError(f"line {number}: says again what an earlier line says")
    return Checkpoint(
        _name(1, lines[0]), _name(4, values[0]), _size(2, lines[1]), _hash(3, lines[2]), _hash(5, values[1]),
        _time(6, values[2]),
    )  # fmt: skip


def _lines_of(text: str) -> list[str]:
    if not text.endswith("\n"):
        raise CheckpointError(f"line {text.count(chr(10)) + 1}: does not end with a newline")
    lines = text[:-1].split("\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            raise CheckpointError(f"line {number}: empty; only the line before the signatures is")
        if line != line.strip():
            raise CheckpointError(f"line {number}: begins or ends with a space")
    return lines


def _extension(number: int, name: str, line: str) -> str:
    if not line.startswith(name + " "):
        raise CheckpointError(f"line {number}: expected '{name}', a space and its value")
    return line[len(name) + 1 :]


def _name(number: int, value: str) -> str:
    if not _NAME.fullmatch(value):
        raise CheckpointError(f"line {number}: expected a name without spaces and plus signs")
    return value


def _size(number: int, value: str) -> int:
    if not _SIZE.fullmatch(value):
        raise CheckpointError(f"line {number}: expected the number of entries, without sign or leading zero")
    return int(value)


def _hash(number: int, value: str) -> bytes:
    decoded = _unbase64(value)
    if decoded is None or len(decoded) != SEAL_BYTES:
        raise CheckpointError(f"line {number}: expected a hash: {SEAL_BYTES} bytes in base64")
    return decoded


def _time(number: int, value: str) -> datetime:
    try:
        at = datetime.strptime(value, _TIME).replace(tzinfo=UTC)
    except ValueError:
        at = None
    if at is None or at.isoformat().replace("+00:00", "Z") != value:  # strptime also reads one digit for two
        raise CheckpointError(f"line {number}: expected a time such as 2026-11-23T16:00:00Z")
    return at


def note_of(text: str, *signature_lines: str) -> bytes:
    """The note to give away: a text, and the lines that sign it."""
    return f"{text}\n{''.join(signature_lines)}".encode()


def parse_note(data: bytes) -> Note:
    """A note taken apart; CheckpointError if it is not one of a checkpoint. Who signed it is not checked here."""
    if len(data) > LARGEST_NOTE_BYTES:
        raise CheckpointError("too long for a checkpoint")
    note = _decoded(data)
    text, empty, below = note.rpartition("\n\n")
    if not empty:
        raise CheckpointError("there is no empty line between text and signatures")
    text += "\n"
    checkpoint = parse_text(text)
    first = text.count("\n") + 2
    if not below.endswith("\n"):
        raise CheckpointError(f"line {note.count(chr(10)) + 1}: expected a signature line that ends with a newline")
    lines = below[:-1].split("\n")
    return Note(text, checkpoint, tuple(_signature(number, line) for number, line in enumerate(lines, start=first)))


def _decoded(data: bytes) -> str:
    try:
        note = data.decode()
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise CheckpointError(f"line {number}: not UTF-8") from None
    control = _CONTROL.search(note)
    if control is not None:
        number = note.count("\n", 0, control.start()) + 1
        raise CheckpointError(f"line {number}: a control character; lines end with a newline alone")
    return note


def _signature(number: int, line: str) -> Signature:
    name, _, value = line.removeprefix(_DASH).partition(" ")
    decoded = _unbase64(value)
    if not (line.startswith(_DASH) and _NAME.fullmatch(name)) or decoded is None:
        raise CheckpointError(f"line {number}: expected a signature: a long dash, the key's name, base64")
    if len(decoded) <= KEY_ID_BYTES:
        raise CheckpointError(f"line {number}: too short for a signature")
    return Signature(name, decoded[:KEY_ID_BYTES], decoded[KEY_ID_BYTES:])


def signature_line(name: str, public: bytes, signature: bytes) -> str:
    """The line that says: the key of this name signed the text above."""
    return f"{_DASH}{name} {_base64(key_id(name, public) + signature)}\n"


def key_id(name: str, public: bytes) -> bytes:
    """A short mark of a key: enough to find it, not to trust it."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:KEY_ID_BYTES]


def check_key_name(name: str) -> str:
    """The name, if a key can bear it; CheckpointError if not."""
    if not _NAME.fullmatch(name):
        raise CheckpointError("a key's name has neither spaces nor plus signs, and is not empty")
    return name


def format_vkey(name: str, public: bytes) -> str:
    """The public key as a line to hand to whoever checks: name, mark, key."""
    return f"{check_key_name(name)}+{key_id(name, public).hex()}+{_base64(ED25519 + public)}"


def parse_vkey(text: str) -> VerifierKey:
    """A public key read from its line; CheckpointError if it is none, or its mark is another key's."""
    name, _, rest = text.partition("+")
    mark, _, value = rest.partition("+")
    decoded = _unbase64(value)
    if not _NAME.fullmatch(name) or decoded is None or len(decoded) != 1 + 32 or decoded[:1] != ED25519:
        raise CheckpointError("not a verifier key: expected its name, '+', its mark, '+', an Ed25519 key in base64")
    if mark != key_id(name, decoded[1:]).hex():
        raise CheckpointError("not a verifier key: its mark does not belong to that name and key")
    return VerifierKey(name, bytes.fromhex(mark), decoded[1:])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unbase64(value: str) -> bytes | None:
    """The bytes, or None if this is not the one way to write them."""
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if _base64(decoded) == value else None
