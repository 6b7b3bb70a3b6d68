"""Which cells a spreadsheet takes for a formula: whoever opens a CSV may run what somebody else wrote into a cell."""

from __future__ import annotations

import re
from typing import Final

_BEGINS: Final = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]|[\t\r]")


def begins_formula(text: str) -> bool:
    """Whether a text begins like a formula: also in full-width signs, and behind blanks that a spreadsheet drops."""
    return _BEGINS.match(text) is not None
