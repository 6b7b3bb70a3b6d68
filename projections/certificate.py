"""What a rebuild proves: the rows built anew against the live ones, and every difference with its cause.

Live rows are read back and compared with the digests noted when they were written: rows that do not match their own
digest were damaged since. Where the book differs, the patient is judged again by the book the live rows were made with:
if that gives the live rows, the new book is the cause. What neither explains is put down to the code if that changed,
and is *unexplained* if it did not: then there is no switch.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, Final, Literal

import msgspec

from ledger.book import Book, book_of_text
from ledger.store import EpisodeLedger
from projections.day_sheet import Cells
from projections.derive import derive_patient
from projections.digests import Digests, digest, digests_of
from projections.load import load_patient
from projections.tables import ORDER, TABLES
from projections.views import SetAside, Views

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


class Comparison:
    """The live read model, held still, beside the one built anew."""

    def __init__(self, ledger: EpisodeLedger, live: Views, new: Views, book: Book, code: str) -> None:
        self.ledger, self.live, self.new = ledger, live, new
        noted = live.noted()
        self.position = int(noted["position"])
        self.new_code = noted.get("code") != code
        self.old_book = book_of_text(noted["book_text"]) if noted.get("book") != book.hash else None
        self.causes: Counter[str] = Counter()
        self.changed_patients = 0

    def changed_rows(self, told: Callable[[int], None] = lambda done: None) -> Iterator[ChangedRow]:
        """Every row that differs, by patient, with its cause."""
        aside = self.new.set_aside()
        for done, (patient, live, noted, built) in enumerate(self._patients(), 1):
            if not live == noted == built:
                cause = self._cause(patient, live, noted, aside)
                self.changed_patients += 1
                for row in self._rows_of(patient, cause):
                    self.causes[row.cause] += 1
                    yield row
            told(done)

    def _patients(self) -> Iterator[tuple[str, Digests | None, Digests | None, Digests | None]]:
        """Each patient with the digests of the live rows as read, as noted, and of the rows built anew."""
        noted, built = _noted_digests(self.live.connection), _noted_digests(self.new.connection)
        read = _read_digests(self.live.connection)
        yield from _side_by_side(read, noted, built)

    def _cause(self, patient: str, live: Digests | None, noted: Digests | None, aside: dict[str, SetAside]) -> Cause:
        if live != noted:
            return "damaged view"
        if patient in aside:
            return "set aside"
        if self.old_book and self._judged_by(self.old_book, patient) == live:
            return "new book"
        return "new code version" if self.new_code else "unexplained"

    def _judged_by(self, book: Book, patient: str) -> Digests | None:
        found = load_patient(self.ledger, patient, upto=self.position)
        return digests_of(patient, derive_patient(found, book)) if found else None

    def _rows_of(self, patient: str, cause: Cause) -> Iterator[ChangedRow]:
        for table in TABLES:
            before = Counter(_rows(self.live.connection, table, patient))
            after = Counter(_rows(self.new.connection, table, patient))
            for row in sorted((before - after).elements(), key=repr):
                yield ChangedRow(table, patient, cause, _named(table, row), None)
            for row in sorted((after - before).elements(), key=repr):
                yield ChangedRow(table, patient, cause, None, _named(table, row))


def _named(table: str, row: Cells) -> dict[str, Any]:
    return dict(zip(TABLES[table], row, strict=True))


def _rows(connection: sqlite3.Connection, table: str, patient: str) -> list[Cells]:
    query = f'SELECT * FROM "{table}" WHERE patient = ? ORDER BY {ORDER[table]}'
    return connection.execute(query, (patient,)).fetchall()


def _noted_digests(connection: sqlite3.Connection) -> Iterator[tuple[str, Digests]]:
    for patient, *digests in connection.execute("SELECT * FROM digests ORDER BY patient"):
        yield patient, tuple(digests)


_EMPTY: Final[list[Cells]] = []


def _read_digests(connection: sqlite3.Connection) -> Iterator[tuple[str, Digests]]:
    """The digests of the rows as they stand, patient by patient."""
    tables = [_by_patient(connection, table) for table in TABLES]
    for patient, *rows in _side_by_side(*tables):
        yield patient, tuple(digest(patient, found or _EMPTY) for found in rows)  # type: ignore[misc]


def _by_patient(connection: sqlite3.Connection, table: str) -> Iterator[tuple[str, list[Cells]]]:
    place = list(TABLES[table]).index("patient")
    rows = connection.execute(f'SELECT * FROM "{table}" ORDER BY {ORDER[table]}')
    for patient, found in groupby(rows, key=lambda row: row[place]):
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
