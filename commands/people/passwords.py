"""Passwords: what one must be, how it is kept (Argon2id, never as it was typed), and the first one, drawn at random."""

from __future__ import annotations

import base64
import secrets
import threading
from typing import Final

import argon2

SHORTEST: Final = 12
LONGEST: Final = 128
AT_ONCE: Final = 2
"""How many passwords are looked at at once: each takes 64 MB of memory and a while of a core."""
FIRST_BYTES: Final = 10

_hasher: Final = argon2.PasswordHasher()
_turns: Final = threading.Semaphore(AT_ONCE)


def first_password() -> str:
    """A password to begin with: random, easy to copy, and to be changed at its first use."""
    text = base64.b32encode(secrets.token_bytes(FIRST_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def hashed(password: str) -> str:
    """How a password is kept."""
    with _turns:
        return _hasher.hash(password)


def is_right(kept: str | None, password: str) -> bool:
    """Whether a password is the one that is kept so. With none kept it takes as long, and is wrong."""
    with _turns:
        try:
            return _hasher.verify(kept or _nobodys(), password) and kept is not None
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def fault_of_password(password: str, name: str) -> str | None:
    """What is wrong with a new password of a user, if anything is."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"A password has {SHORTEST} to {LONGEST} characters; a few words make a good one."
    if name.casefold() in password.casefold():
        return "A password does not contain the user's name."
    if len(set(password)) < 5:
        return "A password has at least 5 different characters."
    return None


_kept: list[str] = []


def _nobodys() -> str:
    """A password that nobody has."""
    if not _kept:
        _kept.append(_hasher.hash(secrets.token_urlsafe(16)))
    return _kept[0]
