"""The rows that no table of the read model holds: claimed days and authorizations, patient by patient, and rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from ledger.book import Book
from ledger.facts.entry import UnreadableEntry
from ledger.progress import Progress
from ledger.store import EpisodeLedger
from projections.audit.claimed import Kept, claimed_of, nothing_kept
from projections.read_model.trouble import SetAside
from projections.reading.around import entries_around
from projections.reading.as_known import AsKnown, book_known
from projections.reading.authorizations import authorizations_in
from projections.reading.budget import TooCostly
from projections.reading.rates import rates_of
from projections.rows.cells import Cells, json_list

CLAIMED: Final = "claimed"
AUTHORIZATIONS: Final = "authorizations"
RATES: Final = "rates"


class AsOf(NamedTuple):
    """What is judged: the ledger up to a position and the book, both as known at an instant if there is one; and what
    is kept of it."""

    ledger: EpisodeLedger
    position: int
    book: Book
    known_at: datetime | None
    kept: Kept = nothing_kept


LeftOut = Callable[[SetAside], None]
"""Told of a patient who cannot be read."""


def rate_rows(book: Book, known_at: datetime | None) -> Iterator[Cells]:
    """The rates of every edition published by then."""
    known_on = book_known(book, known_at).known_on
    return (_cells(rate) for rate in rates_of(book) if known_on is None or rate.terms_published <= known_on.isoformat())


def judged_rows(
    dataset: str, as_of: AsOf, aside: Mapping[str, SetAside], left_out: LeftOut, progress: Progress
) -> Iterator[Cells]:
    """The rows of ``claimed`` or ``authorizations``, each patient's together.

    Patients set aside have none, nor have those who share an episode with them where that is needed and cannot be read.
    """
    known_aside = {name for one in aside.values() for name in (one.patient, one.episode)}
    names = sorted(as_of.ledger.patients_since(0, as_of.position) - aside.keys())
    for done, name in enumerate(names, 1):
        try:
            found = _rows_of_patient(dataset, as_of, name)
        except UnreadableEntry as error:
            if error.episode not in known_aside and not isinstance(error, TooCostly):
                raise
            left_out(SetAside.after(name, error))
            continue
        yield from map(_cells, found)
        progress(done, len(names))


def _rows_of_patient(dataset: str, as_of: AsOf, patient: str) -> Iterable[msgspec.Struct]:
    theirs = as_of.ledger.episodes_of(patient)
    if dataset == CLAIMED:
        if (kept := as_of.kept(patient)) is not None:
            return kept
        streams = entries_around(as_of.ledger, theirs, as_of.position)
        return claimed_of(streams, patient, as_of.book, as_of.known_at, every=True)
    streams = AsKnown(as_of.ledger, as_of.book, upto=as_of.position).entries(theirs)
    found = authorizations_in(streams, patient, as_of.book, as_of.known_at)
    return (one for of_episode in found for one in of_episode)


def _cells(row: msgspec.Struct) -> Cells:
    return tuple(json_list(cell) if isinstance(cell, tuple) else cell for cell in msgspec.structs.astuple(row))
