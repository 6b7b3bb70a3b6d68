"""The rows that no table of the read model holds: claims, what came back for them, authorizations, patient by patient;
and rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from ledger.book import Book
from ledger.facts.entry import UnreadableEntry
from ledger.judge.patients import episodes_in
from ledger.progress import Progress
from ledger.store import EpisodeLedger
from projections.answers.exported import exported_rows
from projections.audit.claimed import claimed_of, nothing_kept
from projections.audit.claimed_rows import ClaimedDay
from projections.read_model.trouble import SetAside
from projections.reading.around import entries_around
from projections.reading.as_known import AsKnown, book_known
from projections.reading.authorizations import authorizations_in
from projections.reading.budget import TooCostly
from projections.reading.rates import rates_of
from projections.reading.unjudged import Streams
from projections.rows.cells import Cells, json_list
from projections.rows.day import DAY_ORDER
from projections.rows.several_days import for_itself
from projections.words import iso, utc_text

CLAIMED: Final = "claimed"
AUTHORIZATIONS: Final = "authorizations"
EPISODES: Final = "episodes"
ANSWERED: Final = ("claims", "payments", "remittances", "remittance_lines", "remittance_adjustments")
JUDGED: Final = (CLAIMED, AUTHORIZATIONS, EPISODES, *ANSWERED)
"""What is judged for the export alone."""
PROVIDERS: Final = "providers"
RATES: Final = "rates"


class AsOf(NamedTuple):
    """What is judged: the ledger up to a position and the book, both as known at an instant if there is one; and what
    is kept of a patient's claimed days."""

    ledger: EpisodeLedger
    position: int
    book: Book
    known_at: datetime | None
    kept: Callable[[str], list[Cells] | None] = nothing_kept


LeftOut = Callable[[SetAside], None]
"""Told of a patient who cannot be read."""


def rate_rows(book: Book, known_at: datetime | None) -> Iterator[Cells]:
    """The rates of every edition published by then."""
    known_on = book_known(book, known_at).known_on
    return (_cells(rate) for rate in rates_of(book) if known_on is None or rate.terms_published <= known_on.isoformat())


def judged_rows(
    dataset: str, as_of: AsOf, aside: Mapping[str, SetAside], left_out: LeftOut, progress: Progress
) -> Iterator[Cells]:
    """The rows of one of ``JUDGED``, each patient's together; those of ``CLAIMED`` stand for several days.

    Patients set aside have none, nor have those who share an episode with them where that is needed and cannot be read.
    """
    known_aside = {name for one in aside.values() for name in (one.patient, one.episode)}
    names = sorted(as_of.ledger.patients_since(0, as_of.position) - aside.keys())
    for done, name in enumerate(names, 1):
        try:
            found = list(_rows_of_patient(dataset, as_of, name))
        except UnreadableEntry as error:
            if error.episode not in known_aside and not isinstance(error, TooCostly):
                raise
            left_out(SetAside.after(name, error))
            continue
        yield from found
        progress(done, len(names))


def _rows_of_patient(dataset: str, as_of: AsOf, patient: str) -> Iterable[Cells]:
    if dataset == CLAIMED and (kept := as_of.kept(patient)) is not None:
        return kept
    theirs = as_of.ledger.episodes_of(patient)
    if dataset == CLAIMED:
        streams = entries_around(as_of.ledger, theirs, as_of.position)
        found = claimed_cells(claimed_of(streams, patient, as_of.book, as_of.known_at, every=True))
        return map(for_itself, found)
    streams = AsKnown(as_of.ledger, as_of.book, upto=as_of.position).entries(theirs)
    if dataset in ANSWERED:
        return exported_rows(dataset, streams, patient, as_of.book, as_of.known_at)
    if dataset == EPISODES:
        return map(_cells, _episodes(as_of, streams, patient))
    granted = authorizations_in(streams, patient, as_of.book, as_of.known_at)
    return (_cells(one) for of_episode in granted for one in of_episode)


def branch_of(book: Book, npi: str) -> str | None:
    """The branch that a provider is, if the book says."""
    return book.providers[npi].branch if npi in book.providers else None


def provider_rows(book: Book) -> Iterator[Cells]:
    """The providers of the book."""
    return ((npi, provider.name, provider.branch) for npi, provider in sorted(book.providers.items()))


class _Episode(msgspec.Struct):
    """``ExportedEpisode`` in cells."""

    episode: str
    patient: str
    provider: str
    branch: str | None
    zone: str
    opened: str
    discharged: str | None
    voided: bool
    payers: tuple[str, ...]


def _episodes(as_of: AsOf, streams: Streams, patient: str) -> Iterator[_Episode]:
    """A patient's episodes, by name."""
    for name, episode in sorted(episodes_in(streams, as_of.known_at).items()):
        if episode.patient == patient:
            entry, opening = episode.opening
            _, provider, _ = max(episode.providers, key=itemgetter(0), default=(0, opening.provider, entry))
            ended = min((one.date for one in episode.discharges), default=None)
            yield _Episode(
                name, patient, provider, branch_of(as_of.book, provider), opening.zone, utc_text(entry.recorded_at),
                None if ended is None else iso(ended), bool(episode.voided),
                tuple(spell.payer for spell in episode.spells()),
            )  # fmt: skip


def claimed_cells(rows: Iterable[msgspec.Struct]) -> Iterator[Cells]:
    """A patient's claimed days, given by episode and date, each with the number it has among the rows of its date."""
    nth, last = 0, None
    for row in rows:
        cells = list(msgspec.structs.astuple(row))
        cells[_REVEALED_BY] = json_list(cells[_REVEALED_BY])
        nth = nth + 1 if cells[_DAY] == last else 1
        last = cells[_DAY]
        cells.append(nth)
        yield tuple(cells)


_DAY: Final = slice(0, len(DAY_ORDER))
"""Where in a claimed day its patient, episode and date stand."""
_REVEALED_BY: Final = ClaimedDay.__struct_fields__.index("revealed_by")


def _cells(row: msgspec.Struct) -> Cells:
    return tuple(json_list(cell) if isinstance(cell, tuple) else cell for cell in msgspec.structs.astuple(row))
