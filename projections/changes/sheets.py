"""Claim lines, findings, claimed days and payments that are not what they were at an earlier position, old and new.

Nobody keeps the rows of an earlier position, so they are derived: the cohorts with entries since then are read once and
judged twice, up to each position and by the book of then. Where another book was taken up, that is everybody. Applying
the changes to the rows of a position gives exactly the rows of the later one. What made a day another, ``days.py``
says; these rows name the entries they rest on themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from ledger.book import Book
from ledger.judge.findings import find
from ledger.judge.patients import gather
from ledger.judge.steps import judge
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.answers.exported import payment_cells
from projections.audit.claimed import claims_of_several
from projections.changes.stretch import Stretch, Touched, cohorts_touched, told_stretch
from projections.changes.unaffected import Unaffected
from projections.export.change_shapes import compared_columns
from projections.export.columns import Dataset
from projections.export.judged import claimed_cells
from projections.export.rows import named_findings
from projections.export.shapes import DATASETS
from projections.reading.budget import TooCostly
from projections.reading.unjudged import Streams, judging
from projections.rows.cells import Cells
from projections.rows.finding import finding_cells
from projections.rows.house import house_sheets
from projections.rows.line import line_cells

INSERT: Final = "insert"
RESTATE: Final = "restate"
RETRACT: Final = "retract"

RowsOf = Callable[[Streams, Book, Collection[str]], Iterator[Cells]]
"""Derives the rows of some episodes' patients."""
Key = tuple[Any, ...]


class _Parts(NamedTuple):
    """Where in a row that stands what says which row it is, and what it says."""

    key: list[int]
    named: list[int]
    said: list[int]
    patient: int


class KeptRows(NamedTuple):
    """What is kept of a patient's rows at the first position of a stretch, and at the last; None if nothing is."""

    before: Callable[[str], Iterable[Cells] | None] = lambda patient: None
    after: Callable[[str], Iterable[Cells] | None] = lambda patient: None


NOTHING_KEPT: Final = KeptRows()


def sheet_changes_since(
    ledger: EpisodeLedger, of: str, since: int, upto: int, told: Progress = silent, kept: KeptRows = NOTHING_KEPT
) -> Iterator[Cells]:
    """The changes of ``lines``, ``findings``, ``claimed`` or ``payments`` from a position to a later one, as rows of
    their datasets of changes, cohort by cohort; what is ``kept`` is not worked out again."""
    stretch, parts, rows_of = told_stretch(ledger, since, upto), _parts(DATASETS[of]), _ROWS[of]
    unaffected = Unaffected(stretch.book, stretch.last_book)
    nobodys = (_by_key(_of_nobody(ledger, of, position), parts) for position in (since, upto))
    yield from _differences(stretch, parts, *nobodys)
    for touched in cohorts_touched(ledger, stretch, told):
        if unaffected.are(touched.before, touched.after):
            continue
        before = _before(rows_of, parts, touched, stretch, kept)
        after = _kept(kept.after, parts, touched.after, touched.patients)
        if after is None:
            after = _derived(rows_of, parts, touched.after, stretch.last_book, touched.patients)
        yield from _differences(stretch, parts, before, after)


def _of_nobody(ledger: EpisodeLedger, of: str, upto: int) -> Iterable[Cells]:
    """The rows that are no patient's; before the first position there are none."""
    sheets = house_sheets(ledger, upto) if upto else None
    if sheets is None or of not in ("lines", "findings"):
        return ()
    return sheets.lines if of == "lines" else named_findings(sheets.findings, DATASETS["findings"])


def _kept(
    kept: Callable[[str], Iterable[Cells] | None], parts: _Parts, streams: Streams, patients: Collection[str]
) -> dict[Key, Cells] | None:
    """The rows of the patients with these entries, if they are kept of everybody."""
    found: list[Cells] = []
    for patient in patients if streams else ():
        rows = kept(patient)
        if rows is None:
            return None
        found += rows
    return _by_key(found, parts)


def _before(rows_of: RowsOf, parts: _Parts, touched: Touched, stretch: Stretch, kept: KeptRows) -> dict[Key, Cells]:
    """The rows at the first position; of those left out now none, where they had cost too much before, too."""
    if stretch.since == 0:
        return {}
    if (rows := _kept(kept.before, parts, touched.before, touched.patients)) is not None:
        return rows
    try:
        return _derived(rows_of, parts, touched.before, stretch.book, touched.patients)
    except TooCostly:
        if not stretch.left_out.keys() >= set(touched.patients):
            raise
        return {}


def _derived(
    rows_of: RowsOf, parts: _Parts, streams: Streams, book: Book, patients: Collection[str]
) -> dict[Key, Cells]:
    """The rows of the patients; of their episodes' others, where they are read alone, none."""
    if not streams:
        return {}
    rows = judging(streams, lambda some: list(rows_of(some, book, patients)))
    return _by_key((row for row in rows if row[parts.patient] in patients), parts)


def _by_key(rows: Iterable[Cells], parts: _Parts) -> dict[Key, Cells]:
    return {tuple(row[place] for place in parts.key): row for row in rows}


def _differences(
    stretch: Stretch, parts: _Parts, before: Mapping[Key, Cells], after: Mapping[Key, Cells]
) -> Iterator[Cells]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old != new:
            yield _change(stretch, parts, old, new)


def sheets_inserted(rows: Iterable[Cells], of: str, stretch: Stretch) -> Iterator[Cells]:
    """The rows of a dataset as changes, where nothing was before."""
    parts = _parts(DATASETS[of])
    return (_change(stretch, parts, None, row) for row in rows)


def _change(stretch: Stretch, parts: _Parts, old: Cells | None, new: Cells | None) -> Cells:
    kind = INSERT if old is None else RETRACT if new is None else RESTATE
    either = new or old
    assert either
    was, now = (tuple(row[place] if row else None for place in parts.said) for row in (old, new))
    return (stretch.upto, stretch.last_book.hash, kind, *(either[place] for place in parts.named), *was, *now)


def _parts(dataset: Dataset) -> _Parts:
    places = {column.name: place for place, column in enumerate(dataset.columns)}
    key, named, said = ([places[name] for name in names] for names in (dataset.key, *compared_columns(dataset)))
    return _Parts(key, named, said, places["patient"])


def _lines(streams: Streams, book: Book, patients: Collection[str]) -> Iterator[Cells]:
    for patient in gather(streams, whole=False):
        for case in judge(patient, book):
            yield from line_cells(case)


def _findings(streams: Streams, book: Book, patients: Collection[str]) -> Iterator[Cells]:
    for patient in gather(streams, whole=False):
        found = finding_cells(find(judge(patient, book)))
        yield from named_findings(found, DATASETS["findings"])


def _payments(streams: Streams, book: Book, patients: Collection[str]) -> Iterator[Cells]:
    for patient in gather(streams, whole=False):
        if any(episode.claims or episode.postings for episode in patient.episodes):
            for case in judge(patient, book):
                yield from payment_cells(case)


def _claimed(streams: Streams, book: Book, patients: Collection[str]) -> Iterator[Cells]:
    for told in claims_of_several(streams, patients, book, every=True).values():
        yield from claimed_cells(told.claimed)


_ROWS: Final[dict[str, RowsOf]] = {
    "lines": _lines,
    "findings": _findings,
    "claimed": _claimed,
    "payments": _payments,
}
