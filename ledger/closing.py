"""A closed month: what was reported, and all it takes to report it again (an act of the house, not of an episode).

It is recorded, sealed and kept like an entry, under no episode's name: a name is never empty.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

HOUSE: Final = ""
"""Where the house's own acts stand instead of an episode."""
TAG: Final = "MonthClosed"


class MonthClosed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=TAG, tag_field="type"):
    """A month was closed: the entries up to ``position`` and the terms published by ``closed_at`` made this report.

    ``month`` is ``YYYY-MM``, ``book`` the canonical text of the whole book then in use, ``code`` the version of the
    judge, ``report`` the SHA-256 of the report in hex.
    """

    month: str
    closed_at: datetime
    by: str
    position: int
    book: str
    code: str
    report: str
    nonce: str


def encode_closing(closing: MonthClosed) -> bytes:
    """The stored text of a closing."""
    return msgspec.json.encode(closing)


def decode_closing(text: bytes | str) -> MonthClosed:
    """The closing of a stored text; ``msgspec.MsgspecError`` if it cannot be read."""
    return msgspec.json.decode(text, type=MonthClosed)
