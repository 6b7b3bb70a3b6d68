"""Patients whose rows the feed does not have: they cost more to read than there is room for.

Who that is at a position stands in the ledger, as acts of the house: a program that has a position has the rows of
everybody but those, whatever budget the next run has. Leaving out retracts what it had, and taking in inserts what
there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledger.book import Book
from ledger.facts.entry import UnreadableEntry
from ledger.store import FEW, EpisodeLedger
from projections.reading.as_known import load_patient
from projections.reading.budget import TooCostly
from projections.reading.cohorts import cohorts_in
from projections.reading.size import refuse_too_large
from projections.rows.patient import derive_patient


def with_many_entries(ledger: EpisodeLedger, upto: int) -> Iterator[str]:
    """The patients who may be too large to read: others have so few entries that nobody needs to ask."""
    return (name for one in cohorts_in(ledger, upto) if one.entries > FEW for name in one.patients)


def too_large(ledger: EpisodeLedger, names: Iterable[str], upto: int | None = None) -> list[str]:
    """Those of some patients whose entries up to a position there is no memory for."""
    return [name for name in names if _is_too_large(ledger, name, upto)]


def _is_too_large(ledger: EpisodeLedger, name: str, upto: int | None) -> bool:
    try:
        refuse_too_large(ledger, ledger.episodes_of(name), upto)
    except TooCostly:
        return True
    return False


def within_reach(ledger: EpisodeLedger, names: Iterable[str], book: Book) -> list[str]:
    """Those of some patients who can be read, and judged, within the budget."""
    return [name for name in names if _is_within_reach(ledger, name, book)]


def _is_within_reach(ledger: EpisodeLedger, name: str, book: Book) -> bool:
    try:
        if patient := load_patient(ledger, name):
            derive_patient(patient, book)
    except UnreadableEntry:  # TooCostly is one
        return False
    return True
