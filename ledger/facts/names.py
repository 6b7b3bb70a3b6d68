"""What may stand where somebody or something is named."""

from __future__ import annotations

from ledger.facts.texts import LONGEST_TEXT, fits


def is_name(by: str) -> bool:
    """Whether somebody can be called so, by the rulebook's form of a short text."""
    return 0 < len(by) <= LONGEST_TEXT and fits(by)
