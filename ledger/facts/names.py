"""What may stand where somebody or something is named."""

from __future__ import annotations

import msgspec

from ledger.facts.forms import Text


def is_name(by: str) -> bool:
    """Whether somebody can be called so, by the rulebook's form of a short text."""
    try:
        msgspec.convert(by, Text)
        by.encode()
    except (msgspec.ValidationError, UnicodeEncodeError):
        return False
    return all(mark.isprintable() for mark in by)
