"""The form of text (rulebook section 2, "Forms"): one normal form, and nothing in it that cannot be seen.

Two strings that look alike must be one string: patients, orders and claims are told apart by them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
LONGEST_TEXT: Final = 128
LONGEST_FREE_TEXT: Final = 1_000

TextKind = Literal["text", "name", "free"]
"""What a text is: any text; a name or number by which the ledger knows something; free text, which may hold Cf."""

_FAULTS: Final = {
    "Cc": "text without control characters such as tabs and line ends",
    "Cs": "text without control characters such as tabs and line ends",
    "Cf": "text without invisible characters, such as a zero-width space or a byte-order mark",
    "Co": "text without characters of private use, which mean nothing elsewhere",
    "Zl": "text without line and paragraph separators",
    "Zp": "text without line and paragraph separators",
    "Zs": "text with plain spaces only (here is another, such as a no-break space)",
}
_AT_THE_ENDS: Final = "text with no space at either end"
_NOT_NFC: Final = (
    "text in Unicode normal form NFC (here it is in another, such as NFD, which writes an accent apart from its letter)"
)


def fits(text: str) -> bool:
    """Whether a text has the form that every text may have; free text may hold more."""
    return text.isprintable() and text[:1] != " " != text[-1:] and unicodedata.is_normalized("NFC", text)


def fault_of(text: str, kind: TextKind = "text") -> str | None:
    """What is wrong with the characters of a text, as what is expected instead; None if nothing is."""
    if fits(text):
        return None
    for mark in text:
        category = "" if mark == " " else unicodedata.category(mark)
        if category in _FAULTS and not (kind == "free" and category == "Cf"):
            return _FAULTS[category]
    if text[:1] == " " or text[-1:] == " ":
        return _AT_THE_ENDS
    return None if unicodedata.is_normalized("NFC", text) else _NOT_NFC
