"""How much memory reading a patient takes: one who has too many entries is not read at all.

What an entry takes in memory grows with its text, at most by this much for each byte. So how much reading would take is
known before anything is read, where the watch of the budget would see it only when it is there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from ledger.facts.stored import JoinedEntries
from ledger.store import FEW, EpisodeLedger
from projections.reading.budget import TooCostly, budget

HELD_PER_BYTE: Final = 6
"""Bytes of memory for each byte of text: 5.9 were measured for claims of 50 short lines, 1.5 for long notes."""
MANY: Final = 4 * FEW
"""Episodes with more entries than that together are asked for their size before they are read as rows: so many have
40 MB of text at most. Asking looks at every entry, which takes half as long as reading it."""
_PART: Final = 2
"""Of the budget's memory one part in so many may be what is read; the judge needs the rest."""
_LONGEST_BYTES: Final = 65_536
"""The door takes no longer line."""
_MOST_BYTES_A_CHARACTER: Final = 4


def refuse_too_large(ledger: EpisodeLedger, episodes: Sequence[str], upto: int | None = None, few: int = FEW) -> None:
    """TooCostly if the entries of some episodes would take more memory than there is for reading a patient; where they
    have so few, that is not asked."""
    if _is_too_large(ledger.text_bytes(episodes, upto, few)):
        raise TooCostly(min(episodes))


def refuse_too_large_rows(
    ledger: EpisodeLedger,
    episodes: Sequence[str],
    rows: Sequence[JoinedEntries | None],
    upto: int | None,
    without: Collection[str],
) -> None:
    """``refuse_too_large`` of episodes that have been read as rows: they are asked only where these leave it open."""
    if ledger.encrypted or None in rows or _is_too_large(sum(_most_bytes(row, without) for row in rows if row)):
        refuse_too_large(ledger, episodes, upto)


def refuse_too_large_row(row: JoinedEntries) -> None:
    """TooCostly if what was read of an episode would take more memory, decoded, than there is for a patient."""
    if _is_too_large(len(row.texts)):
        raise TooCostly(row.episode)


def most_text_bytes() -> int:
    """How many bytes of text a patient may have to be read, who has more than a few entries."""
    return budget().memory_mb * 2**20 // (HELD_PER_BYTE * _PART)


def _is_too_large(text_bytes: int) -> bool:
    return text_bytes > most_text_bytes()


def _most_bytes(row: JoinedEntries, without: Collection[str]) -> int:
    """How many bytes the entries of an episode have at most, with the texts that were left out."""
    left_out = sum(map(row.tags.count, without))  # or more, where one tag is in another
    seen = len(row.texts) * (_MOST_BYTES_A_CHARACTER if isinstance(row.texts, str) else 1)
    return seen + left_out * _LONGEST_BYTES
