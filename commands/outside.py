"""What comes from outside the program: the time, and chance."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

NONCE_BYTES: Final = 16


def utc_now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def random_nonces(count: int) -> Sequence[str]:
    """Random bytes for each entry, in hex, so that its hash cannot be guessed back."""
    text = os.urandom(NONCE_BYTES * count).hex()
    width = 2 * NONCE_BYTES
    return [text[start : start + width] for start in range(0, width * count, width)]
