"""Texts as X12 carries them: capitals of the basic set, accents folded, nothing that a file is cut at."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from ledger.facts import forms

_NOT_BASIC: Final = re.compile(r"[^A-Z0-9 !\"&'()+,\-./;?=]")


@lru_cache(maxsize=65536)
def folded(text: str) -> str:
    """A text in capitals without accents, blanks single; what has no counterpart stays, for ``is_basic`` to find."""
    return " ".join(forms.folded(text).split())


def is_basic(text: str) -> bool:
    """Whether a text is of the basic set, and holds none of the characters that our files are cut at."""
    return not _NOT_BASIC.search(text)


def dollars(cents: int) -> str:
    """An amount as X12 writes it: no more decimals than it needs."""
    whole, part = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return f"{sign}{whole}.{part:02}".rstrip("0").rstrip(".") if part else f"{sign}{whole}"
