"""What a rebuild proves: the rows built anew against the live ones, and every difference with its cause.

Live rows are read back and compared with the digests noted when they were written: rows that do not match their own
digest were damaged since. Where the book differs, the patient is judged again by the book the live rows were made with:
from those rows on, the new book is the cause. What neither explains is put down to the code if that changed, and is
*unexplained* if it did not: then there is no switch.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final, Literal, NamedTuple

import msgspec

from ledger.book import Book, book_of_text
from ledger.store import EpisodeLedger
from projections.read_model.tables import ORDER, TABLES
from projections.read_model.trouble import SetAside
from projections.read_model.version import makes_the_same_rows
from projections.read_model.views import Views
from projections.rows.cells import Cells
from projections.rows.digests import Digests, Sums, digest, digests_of
from projections.rows.kept import sheets_upto
from projections.rows.patient import Sheets

Cause = Literal["new book", "new code version", "damaged view", "set aside", "unexplained"]


class ChangedRow(msgspec.Struct, frozen=True):
    """A row that the live read model and the one built anew do not have alike; None where one has none."""

    table: str
    patient: str
    cause: Cause
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Certificate(msgspec.Struct, frozen=True):
    """The result of a rebuild: what was compared, at which position, and what came of it."""

    made_at: str
    outcome: Literal["first", "equal", "explained", "unexplained"]
    switched: bool
    ledger: str
    position: int
    code_before: str | None
    code_after: str
    book_before: str | None
    book_after: str
    book_changes: tuple[str, ...]
    fingerprints_before: dict[str, str]
    fingerprints_after: dict[str, str]
    patients: int
    changed_patients: int
    changed_rows: dict[str, int]
    set_aside: tuple[SetAside, ...]
    rows_file: str | None


class Found(NamedTuple):
    """A patient's digests: of the live rows as they stand, as noted with them, and of the rows built anew."""

    live: Digests | None
    noted: Digests | None
    built: Digests | None


class Comparison:
    """The live read model, held still, beside the one built anew.

    Where the book differs, a third state is between them: the rows that the live book gives now. What differs from the
    live rows to these is damage or the code, what differs from these to the new ones is the book.
    """

    def __init__(self, ledger: EpisodeLedger, live: Views, new: Views, book: Book, code: str) -> None:
        self.ledger, self.live, self.new = ledger, live, new
        noted = live.noted()
        self.position = int(noted["position"])
        self.new_code = not makes_the_same_rows(noted.get("code"), code)
        self.old_book = book_of_text(noted["book_text"]) if noted.get("book") != book.hash else None
        self.sums = _sums_of(live)
        as_noted = live.fingerprints()
        self.digests_damaged = self.sums != as_noted
        self.was_equal = not self.new_code and not self.old_book and as_noted == new.fingerprints()
        self.causes: Counter[str] = Counter()
        self.changed_patients = 0

    def changed_rows(self) -> Iterator[ChangedRow]:
        """Every row that differs, by patient, with its cause."""
        aside = {**self.live.set_aside(), **self.new.set_aside()}
        for patient, *found in self._patients():
            if not found[0] == found[1] == found[2]:
                rows = list(self._changed(patient, Found(*found), patient in aside))
                self.changed_patients += bool(rows)
                yield from self._counted(rows)
        if self.digests_damaged and not self.causes["damaged view"]:
            yield from self._counted(self._damaged_notes())

    def _counted(self, rows: Iterable[ChangedRow]) -> Iterator[ChangedRow]:
        for row in rows:
            self.causes[row.cause] += 1
            yield row

    def _patients(self) -> Iterator[tuple[Any, ...]]:
        """Each patient with the digests of the live rows as read, as noted, and of the rows built anew."""
        noted, built = _noted_digests(self.live.connection), _noted_digests(self.new.connection)
        for patient, live, as_noted, anew in _side_by_side(_read_digests(self.live.connection), noted, built):
            yield patient, live or (as_noted and digests_of(patient, Sheets([], [], []))), as_noted, anew

    def _changed(self, patient: str, found: Found, aside: bool) -> Iterator[ChangedRow]:
        before, after = (_all_rows(views.connection, patient) for views in (self.live, self.new))
        between, digests = after, found.built
        if self.old_book and not aside:
            between, digests = self._judged_by(self.old_book, patient)
        cause = self._cause(found, digests, aside)
        alike = True
        for table in TABLES:
            for row in _changed_rows(patient, table, before[table], between[table], after[table], cause):
                alike = False
                yield row
        if alike and found.noted != found.built:
            yield ChangedRow("digests", patient, cause, _shown(found.noted), _shown(found.built))

    def _cause(self, found: Found, by_old_book: Digests | None, aside: bool) -> Cause:
        """Why the live rows are not those that the live book gives now."""
        lost = found.noted is None and self.digests_damaged
        if found.live == found.noted and not lost and not self.was_equal:
            if aside:
                return "set aside"
            return "new code version" if self.new_code else "unexplained"
        trusted = not (self.new_code or aside or self.digests_damaged or self.was_equal)
        if trusted and by_old_book not in (found.noted, found.live):
            return "unexplained"  # the rows are damaged, but what their digest stood for is not what they are now
        return "damaged view"

    def _judged_by(self, book: Book, patient: str) -> tuple[dict[str, Counter[Cells]], Digests | None]:
        sheets = sheets_upto(self.ledger, patient, book, self.position)
        if sheets is None:
            return {table: Counter() for table in TABLES}, None
        rows = {"days": sheets.days, "lines": sheets.lines, "findings": sheets.findings}
        return {table: Counter(rows[table]) for table in TABLES}, digests_of(patient, sheets)

    def _damaged_notes(self) -> Iterator[ChangedRow]:
        for table, text in self.live.fingerprints().items():
            if text != self.sums[table]:
                key = f"fingerprint {table}"
                yield ChangedRow("model", "", "damaged view", {key: text}, {key: self.sums[table]})


def _changed_rows(
    patient: str, table: str, before: Counter[Cells], between: Counter[Cells], after: Counter[Cells], cause: Cause
) -> Iterator[ChangedRow]:
    gone, come = before - after, after - before
    gone_first, come_last = gone & (before - between), come & (after - between)
    for row in sorted(gone.elements(), key=repr):
        why = cause if gone_first[row] else "new book"
        gone_first[row] -= 1
        yield ChangedRow(table, patient, why, _named(table, row), None)
    for row in sorted(come.elements(), key=repr):
        why = "new book" if come_last[row] else cause
        come_last[row] -= 1
        yield ChangedRow(table, patient, why, None, _named(table, row))


def _named(table: str, row: Cells) -> dict[str, Any]:
    return dict(zip(TABLES[table], row, strict=True))


def _shown(digests: Digests | None) -> dict[str, Any] | None:
    return dict(zip(TABLES, (found.hex() for found in digests), strict=True)) if digests else None


def _all_rows(connection: sqlite3.Connection, patient: str) -> dict[str, Counter[Cells]]:
    whose = "patient = ?" if patient else "patient = ? OR patient IS NULL"
    return {
        table: Counter(connection.execute(f'SELECT * FROM "{table}" WHERE {whose}', (patient,)).fetchall())
        for table in TABLES
    }


def _sums_of(views: Views) -> dict[str, str]:
    """The fingerprints that the noted digests make."""
    sums = Sums()
    for _, digests in _noted_digests(views.connection):
        sums.add(digests)
    return dict(zip(TABLES, sums.texts(), strict=True))


def _noted_digests(connection: sqlite3.Connection) -> Iterator[tuple[str, Digests]]:
    for patient, *digests in connection.execute("SELECT * FROM digests ORDER BY patient"):
        yield patient or "", tuple(found or b"" for found in digests)  # type: ignore[misc]


_EMPTY: Final[list[Cells]] = []


def _read_digests(connection: sqlite3.Connection) -> Iterator[tuple[str, Digests]]:
    """The digests of the rows as they stand, patient by patient."""
    tables = [_by_patient(connection, table) for table in TABLES]
    for patient, *rows in _side_by_side(*tables):
        yield patient, tuple(digest(patient, found or _EMPTY) for found in rows)  # type: ignore[misc]


def _by_patient(connection: sqlite3.Connection, table: str) -> Iterator[tuple[str, list[Cells]]]:
    place = list(TABLES[table]).index("patient")
    rows = connection.execute(f'SELECT * FROM "{table}" ORDER BY {ORDER[table]}')
    for patient, found in groupby(rows, key=lambda row: row[place] or ""):  # damaged rows may lack it
        yield patient, list(found)


def _side_by_side(*streams: Iterator[tuple[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """Streams in order of their keys, as (key, value of the first or None, value of the second or None, ...)."""
    heads = [next(stream, None) for stream in streams]
    while keys := [head[0] for head in heads if head]:
        key = min(keys)
        yield key, *(head[1] if head and head[0] == key else None for head in heads)
        heads = [
            next(stream, None) if head and head[0] == key else head for stream, head in zip(streams, heads, strict=True)
        ]


def book_changes(before: Book, after: Book) -> tuple[str, ...]:
    """What differs between two books, by name: codes, editions of terms, providers."""
    named = [_parts(before), _parts(after)]
    words = []
    for name in sorted({*named[0], *named[1]}):
        old, new = (part.get(name) for part in named)
        if old != new:
            words.append(f"{name}: {'added' if old is None else 'removed' if new is None else 'changed'}")
    return tuple(words)


def _parts(book: Book) -> dict[str, Any]:
    parts: dict[str, Any] = {f"code {code}": listed for code, listed in book.codes.items()}
    for payer in book.payers.values():
        parts[f"payer {payer.id}"] = (payer.name, payer.kind)
        for terms in payer.terms:
            parts[f"payer {payer.id}, terms from {terms.from_}, published {terms.published}"] = terms
    return parts | {f"provider {npi}": provider for npi, provider in book.providers.items()}
