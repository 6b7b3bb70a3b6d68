"""The signing key: a file of its own outside the ledger's folder, and the signatures it makes.

Whoever can change the ledger must not be able to sign what it became, so the key stays away from it. The file is C2SP's
private key line. The library that signs is loaded only when something is signed.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ledger.checkpoint import ED25519, CheckpointError, check_key_name, format_vkey, key_id, signature_line

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_BEGINNING: Final = "PRIVATE+KEY+"
_LARGEST_KEY_BYTES: Final = 4096
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class SigningError(Exception):
    """Nothing can be signed; the message says why in one sentence, the hint what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


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
    _refuse_inside(path, away_from)
    private = _library().generate()
    key = SigningKey(name, private.public_key().public_bytes_raw(), private)
    seed = base64.b64encode(ED25519 + private.private_bytes_raw()).decode()
    _write_new(path, f"{_BEGINNING}{name}+{key_id(name, key.public).hex()}+{seed}\n".encode())
    return key.vkey


def load_key(path: Path, *, away_from: Path | None = None) -> SigningKey:
    """The key of a file; SigningError if it is missing, open to others, no key, or too near to what it signs."""
    _refuse_inside(path, away_from)
    text = _read_private(path)
    if not text.startswith(_BEGINNING):
        raise _not_a_key()
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
        raise _not_a_key() from None
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


def _not_a_key() -> SigningError:
    return SigningError(
        "the key file does not hold a signing key", "name another file, or make a key: checkpoint --init-key"
    )


def _seed(value: str) -> bytes:
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _not_a_key() from None
    if len(decoded) != 1 + 32 or decoded[:1] != ED25519:
        raise _not_a_key()
    return decoded[1:]


def _refuse_inside(path: Path, folder: Path | None) -> None:
    """Where the file is, and where a link to it is: neither may be beside what it vouches for."""
    if folder is None:
        return
    places = os.path.realpath(path), os.path.join(os.path.realpath(path.parent), path.name)
    if any(Path(place).is_relative_to(os.path.realpath(folder)) for place in places):
        raise SigningError(
            "the key is inside the ledger's folder: whoever can change the ledger could sign it",
            "keep the key in another folder",
        )


def _write_new(path: Path, content: bytes) -> None:
    """The file and its folder, whole and on disk, or no file."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    except FileExistsError:
        raise SigningError(
            "something is already where the key should go; it is left as it is", "name another place for the new key"
        ) from None
    except OSError as error:
        raise SigningError(
            f"the key could not be written ({error.strerror})", "name a place you may write to, or make room"
        ) from None
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(file.fileno(), stat.S_IRUSR | stat.S_IWUSR)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _sync(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise SigningError(
            f"the key could not be written ({error.strerror})", "make room, and make the key again"
        ) from None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_private(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not keep us waiting
    except FileNotFoundError:
        raise SigningError(f"there is no signing key at {path}", "make one: checkpoint --init-key") from None
    except OSError as error:
        raise SigningError(f"the signing key cannot be read ({error.strerror})", "look at its rights") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _not_a_key()
        if status.st_mode & _OTHERS:
            raise SigningError("the key file is open to others than its owner", "chmod 600 it; better, make a new key")
        content = os.read(descriptor, _LARGEST_KEY_BYTES)
    finally:
        os.close(descriptor)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _not_a_key() from None
