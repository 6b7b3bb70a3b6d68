"""The signing key: a file of its own outside the ledger's folder, and the signatures it makes.

Whoever can change the ledger must not be able to sign what it became, so the key stays away from it. The file is C2SP's
private key line. The library that signs is loaded only when something is signed.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ledger.keys.key_file import KeyTrouble, PrivateFile
from ledger.proof.checkpoint import ED25519, CheckpointError, check_key_name, format_vkey, key_id, signature_line

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_BEGINNING: Final = "PRIVATE+KEY+"


class SigningError(KeyTrouble):
    """Nothing can be signed; the message says why in one sentence, the hint what to do."""


_FILE: Final = PrivateFile(
    "signing key", "make one: checkpoint --init-key", "whoever can change the ledger could sign it", SigningError
)


class SigningKey(NamedTuple):
    """A key that signs, under its name. It is never shown: its parts print as where they are in memory."""

    name: str
    public: bytes
    private: Ed25519PrivateKey

    @property
    def vkey(self) -> str:
        """The public half, as a line to hand out."""
        return format_vkey(self.name, self.public)


def create_key(path: Path, name: str, *, away_from: Path | None = None) -> str:
    """Make a new key in a file that was not there, for its owner alone; returns the verifier key to hand out."""
    try:
        check_key_name(name)
    except CheckpointError as error:
        raise SigningError(str(error), "choose another name, such as example.com/ledger") from None
    _FILE.refuse_inside(path, away_from)
    private = _library().generate()
    key = SigningKey(name, private.public_key().public_bytes_raw(), private)
    seed = base64.b64encode(ED25519 + private.private_bytes_raw()).decode()
    _FILE.write_new(path, f"{_BEGINNING}{name}+{key_id(name, key.public).hex()}+{seed}\n".encode())
    return key.vkey


def load_key(path: Path, *, away_from: Path | None = None) -> SigningKey:
    """The key of a file; SigningError if it is missing, open to others, no key, or too near to what it signs."""
    _FILE.refuse_inside(path, away_from)
    text = _FILE.read(path)
    if not text.startswith(_BEGINNING):
        raise _FILE.not_one()
    name, _, rest = text[len(_BEGINNING) : -1].partition("+")
    _, _, value = rest.partition("+")
    private = _library().from_private_bytes(_seed(value))
    key = SigningKey(name, private.public_key().public_bytes_raw(), private)
    if text != f"{_BEGINNING}{name}+{key_id(name, key.public).hex()}+{value}\n":
        raise SigningError(
            "the key file is damaged: its mark does not belong to its name and key",
            "restore the key file from where it is kept safe",
        )
    try:
        check_key_name(name)
    except CheckpointError:
        raise _FILE.not_one() from None
    return key


def sign(text: str, key: SigningKey) -> str:
    """The line that signs a text."""
    return signature_line(key.name, key.public, key.private.sign(text.encode()))


def _library() -> type[Ed25519PrivateKey]:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError:
        raise SigningError(
            "signing needs the library 'cryptography', which is not installed",
            "pip install 'episode-ledger[crypto]'",
        ) from None
    return Ed25519PrivateKey


def _seed(value: str) -> bytes:
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _FILE.not_one() from None
    if len(decoded) != 1 + 32 or decoded[:1] != ED25519:
        raise _FILE.not_one()
    return decoded[1:]
