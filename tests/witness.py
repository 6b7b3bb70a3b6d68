"""A witness of checkpoints, as C2SP's tlog-cosignature has it: a time, and a signature over it and the note's text."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEEN_AT = 1_795_000_000
"""2026-11-18T11:06:40Z."""


def cosigned(note: bytes, name: str = "witness.example/w", at: int = SEEN_AT) -> tuple[bytes, str]:
    """A note with the cosignature of a new witness below it, and the witness's verifier key."""
    key = Ed25519PrivateKey.generate()
    public = b"\x04" + key.public_key().public_bytes_raw()
    mark = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
    text = note.decode().partition("\n\n")[0] + "\n"
    signature = key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
    line = base64.b64encode(mark + at.to_bytes(8, "big") + signature).decode()
    return note + f"\u2014 {name} {line}\n".encode(), f"{name}+{mark.hex()}+{base64.b64encode(public).decode()}"
