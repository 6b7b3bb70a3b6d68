"""Whose rows another book cannot have changed: nothing was told of them, and no payer that they name has other terms.

A book that is taken up mostly changes the terms of one payer; everybody is asked about, and most need not be judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ledger.book import Book
from ledger.facts.entry import Entry
from ledger.facts.events import FactCorrected


class Unaffected:
    """Tells, by what the judge reads of some patients, that two books judge them alike."""

    def __init__(self, before: Book, after: Book) -> None:
        alike = before.but(payers=()).hash == after.but(payers=()).hash
        named = before.payers.keys() | after.payers.keys()
        changed = {name for name in named if before.payers.get(name) != after.payers.get(name)}
        self._changed = changed if alike else None

    def are(self, before: Mapping[str, Sequence[Entry]], after: Mapping[str, Sequence[Entry]]) -> bool:
        """Whether patients with these entries, before and after, have the same rows."""
        if self._changed is None or _counts(before) != _counts(after):
            return False
        return self._changed.isdisjoint(_payers_named(after))


def _counts(streams: Mapping[str, Sequence[Entry]]) -> dict[str, int]:
    return {name: len(entries) for name, entries in streams.items() if entries}


def _payers_named(streams: Mapping[str, Sequence[Entry]]) -> Iterator[str]:
    for entries in streams.values():
        for entry in entries:
            fact = entry.fact.fact if isinstance(entry.fact, FactCorrected) else entry.fact
            if (payer := getattr(fact, "payer", None)) is not None:
                yield payer
