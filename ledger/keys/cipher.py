"""The master key and what it guards: each episode's own key, wrapped, and the names of patients.

AES-256-GCM throughout, names under AES-SIV so that one name always reads the same and can be looked up. The master key
itself encrypts nothing: from it come one key for each purpose. The library is loaded only when a ledger is encrypted.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ledger.keys.key_file import KeyTrouble, PrivateFile

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

KEY_BYTES: Final = 32
_IV_BYTES: Final = 12
_NAMES_BYTES: Final = 64
_ID_BYTES: Final = 8
_KEY_ID_BYTES: Final = 16
_MARK_BYTES: Final = 16


class MasterKeyError(KeyTrouble):
    """The master key is missing, is none, or is not this ledger's; the hint says what to do."""


_FILE: Final = PrivateFile(
    "master key",
    "look for its copy: only the key it was made with opens a ledger; for a new ledger make one with 'master-key FILE'",
    "whoever copies the folder could read it",
    MasterKeyError,
)


class Unopened(Exception):
    """A text does not open under this key and these circumstances: it was changed, moved, or is another's."""


class WrappedKey(NamedTuple):
    """An episode's key as the ledger keeps it: useless without the master key."""

    id: str
    episode: str
    wrapped: bytes


class EntryKey:
    """The key that an episode's entries are encrypted with, under its id."""

    __slots__ = ("_cipher", "id")

    def __init__(self, id: str, key: bytes) -> None:
        self.id, self._cipher = id, _gcm(key)

    def lock(self, text: bytes, circumstances: bytes) -> bytes:
        """The text encrypted, with random bytes of its own before it; it opens under the same circumstances alone."""
        iv = secrets.token_bytes(_IV_BYTES)
        return iv + self._cipher.encrypt(iv, text, circumstances)

    def unlock(self, locked: bytes, circumstances: bytes) -> bytes:
        """The text again; Unopened if it, the key or the circumstances are others."""
        return _unlocked(self._cipher, locked, circumstances)


class MasterKey:
    """Thirty-two secret bytes that are kept outside the ledger; shown by its id alone."""

    __slots__ = ("_names", "_secret", "_wrapping", "id")

    def __init__(self, secret: bytes) -> None:
        assert len(secret) == KEY_BYTES
        self._secret = secret
        self._wrapping = _gcm(_derived(secret, b"wrapping", KEY_BYTES))
        self._names = _derived(secret, b"names", _NAMES_BYTES)
        self.id = _derived(secret, b"id", _ID_BYTES).hex()

    def __reduce__(self) -> tuple[type[MasterKey], tuple[bytes]]:
        """So that one process of ours can hand it to another, through a pipe of theirs alone."""
        return MasterKey, (self._secret,)

    def new_key(self, ledger: str, episode: str) -> tuple[EntryKey, WrappedKey]:
        """A key for an episode, drawn at random, and the form in which the ledger keeps it."""
        id, key = secrets.token_hex(_KEY_ID_BYTES), secrets.token_bytes(KEY_BYTES)
        iv = secrets.token_bytes(_IV_BYTES)
        wrapped = iv + self._wrapping.encrypt(iv, key, _whose(ledger, id, episode))
        return EntryKey(id, key), WrappedKey(id, episode, wrapped)

    def unwrap(self, ledger: str, kept: WrappedKey) -> EntryKey:
        """The key that the ledger keeps; Unopened if it was changed, or is another ledger's or episode's."""
        return EntryKey(kept.id, _unlocked(self._wrapping, kept.wrapped, _whose(ledger, kept.id, kept.episode)))

    def house_key(self) -> EntryKey:
        """The key of what is kept under no patient's name; it goes with no episode."""
        return EntryKey("house", _derived(self._secret, b"house", KEY_BYTES))

    def mark(self, name: str) -> str:
        """A mark that stands for a name where it must not be read: the same for the same name, and not to be undone."""
        return hmac.digest(_derived(self._secret, b"marks", KEY_BYTES), name.encode(), "sha256")[:_MARK_BYTES].hex()

    def hide_name(self, ledger: str, name: str) -> str:
        """A patient's name as the ledger keeps it, to be looked up by."""
        hidden = _siv(self._names).encrypt(name.encode(), [ledger.encode()]) if name else b""
        return base64.b64encode(hidden).decode()

    def show_name(self, ledger: str, hidden: str) -> str:
        """The name again; Unopened if it was changed, or is another ledger's."""
        from cryptography.exceptions import InvalidTag

        try:
            found = _siv(self._names).decrypt(base64.b64decode(hidden, validate=True), [ledger.encode()])
            return found.decode()
        except (InvalidTag, ValueError):
            raise Unopened from None


def framed(*fields: bytes) -> bytes:
    """Fields with their lengths before them, so that no two lists of fields read the same."""
    return b"".join(len(field).to_bytes(8, "big") + field for field in fields)


def _whose(ledger: str, id: str, episode: str) -> bytes:
    return framed(b"key", ledger.encode(), id.encode(), episode.encode())


def _unlocked(cipher: AESGCM, locked: bytes, circumstances: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(locked[:_IV_BYTES], locked[_IV_BYTES:], circumstances)
    except (InvalidTag, ValueError):
        raise Unopened from None


def _gcm(key: bytes) -> AESGCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise MasterKeyError(
            "an encrypted ledger needs the library 'cryptography', which is not installed",
            "pip install 'episode-ledger[crypto]'",
        ) from None
    return AESGCM(key)


def _siv(key: bytes) -> AESSIV:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    return AESSIV(key)


def _derived(secret: bytes, purpose: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length, salt=None, info=b"episode-ledger " + purpose).derive(secret)


def create_master_key(path: Path, *, away_from: Path | None = None) -> MasterKey:
    """Draw a master key into a file that was not there, for its owner alone."""
    _FILE.refuse_inside(path, away_from)
    secret = secrets.token_bytes(KEY_BYTES)
    key = MasterKey(secret)
    _FILE.write_new(path, secret.hex().encode() + b"\n")
    return key


def passing_master_key() -> MasterKey:
    """A master key that is kept nowhere: what it encrypts is unreadable once the process has ended."""
    return MasterKey(secrets.token_bytes(KEY_BYTES))


def load_master_key(path: Path, *, away_from: Path | None = None) -> MasterKey:
    """The master key of a file; MasterKeyError if it is missing, open to others, none, or beside the ledger."""
    _FILE.refuse_inside(path, away_from)
    return parse_master_key(_FILE.read(path))


def parse_master_key(text: str) -> MasterKey:
    """The master key that 64 hexadecimal digits spell; MasterKeyError if they do not."""
    try:
        secret = binascii.unhexlify(text.strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise MasterKeyError("what should be the master key is none", "it has 64 hexadecimal digits; look for its copy")
    return MasterKey(secret)
