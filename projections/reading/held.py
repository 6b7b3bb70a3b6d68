"""The entries of a patient, held in memory: each episode read as one row, as far as the patient's budget allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.facts.entry import Entry
from ledger.store import FEW, EpisodeLedger
from projections.reading.joined import as_rows, entries_or_one_by_one
from projections.reading.size import MANY, refuse_too_large, refuse_too_large_rows
from projections.reading.turn import turn

_NOTHING: Final = frozenset[str]()


def held_entries(ledger: EpisodeLedger, episodes: Sequence[str], upto: int | None = None) -> dict[str, list[Entry]]:
    """The entries of some episodes up to a position, by episode; TooCostly if they are too many."""
    refuse_too_large(ledger, episodes, upto, MANY)
    turn.take()
    rows = as_rows(ledger, episodes, upto, _NOTHING)
    if FEW < sum([row.versions for row in rows.values()]) <= MANY:
        refuse_too_large_rows(ledger, episodes, [rows.get(name) for name in episodes], upto, _NOTHING)
    found = {}
    for name in episodes:
        row = rows.pop(name, None)
        found[name] = entries_or_one_by_one(ledger, row, name, row.versions if row else 0, upto, _NOTHING)
    return found
