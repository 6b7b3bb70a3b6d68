"""Entries held in memory, as far as the budget of a patient allows: one who has too many is not read at all.

What an entry takes in memory grows with its text, at most by this much for each byte. So how much reading would take is
known before anything is read, where the watch of the budget would see it only when it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.facts.entry import Entry
from ledger.store import EpisodeLedger
from projections.reading.budget import TooCostly, budget

HELD_PER_BYTE: Final = 6
"""Bytes of memory for each byte of text: 5.9 were measured for claims of 50 short lines, 1.5 for long notes."""
_PART: Final = 2
"""Of the budget's memory one part in so many may be what is read; the judge needs the rest."""


def refuse_too_large(ledger: EpisodeLedger, episodes: Sequence[str], upto: int | None = None) -> None:
    """TooCostly if the entries of some episodes would take more memory than there is for reading a patient."""
    if ledger.text_bytes(episodes, upto) * HELD_PER_BYTE * _PART > budget().memory_mb * 2**20:
        raise TooCostly(min(episodes))


def held_entries(ledger: EpisodeLedger, episodes: Sequence[str], upto: int | None = None) -> dict[str, list[Entry]]:
    """The entries of some episodes up to a position, by episode; TooCostly if they are too many."""
    refuse_too_large(ledger, episodes, upto)
    return {name: ledger.entries_of(name, upto=upto) for name in episodes}
