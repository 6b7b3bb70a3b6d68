"""Acts of the house, not of an episode: a month was closed, another book was taken up.

They are recorded, sealed and kept like entries, under no episode's name: a name is never empty.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

HOUSE: Final = ""
"""Where the house's own acts stand instead of an episode."""


class MonthClosed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
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


class BookAdopted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """From here on verdicts were given to others as this book makes them; ``book`` is its whole canonical text."""

    adopted_at: datetime
    by: str
    book: str
    hash: str
    nonce: str


HouseAct = MonthClosed | BookAdopted

_decoder: Final = msgspec.json.Decoder(HouseAct)


def encode_act(act: HouseAct) -> bytes:
    """The stored text of an act of the house."""
    return msgspec.json.encode(act)


def decode_act(text: bytes | str) -> HouseAct:
    """The act of a stored text; ``msgspec.MsgspecError`` if it cannot be read."""
    act: HouseAct = _decoder.decode(text)
    return act
