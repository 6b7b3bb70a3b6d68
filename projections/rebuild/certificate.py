"""What a rebuild proves: the rows built anew against the live ones, and every difference with its cause.

Live rows are read back and compared with the digests noted when they were written: rows that do not match their own
digest were damaged since. Where the book differs, the patient is judged again by the book the live rows were made with:
from those rows on, the new book is the cause. What neither explains is put down to the code if that changed, and is
*unexplained* if it did not: then there is no switch. A read model that has other columns is compared by those that
both have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from ledger.book import Book, book_of_text
from ledger.store import EpisodeLedger
from projections.read_model.tables import TABLES
from projections.read_model.trouble import SetAside
from projections.read_model.version import differs_by_zones_alone, makes_the_same_rows
from projections.read_model.views import Views
from projections.rebuild.read_back import (
    columns_added,
    digests_of_those,
    digests_read,
    noted_digests,
    only,
    patients_unlike,
    rows_of,
    shared_columns,
    side_by_side,
    sums_of,
)
from projections.rows.cells import Cells
from projections.rows.digests import Digests, digests_of
from projections.rows.house import sheets_upto
from projections.rows.patient import Sheets

Cause = Literal["new book", "new code version", "new zone data", "damaged view", "set aside", "unexplained"]


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
    code_changes: tuple[str, ...] = ()
    columns_added: tuple[str, ...] = ()
    not_compared: str | None = None
    """Why the read model that was there was not compared with: its file is damaged, it is of another ledger."""


class PatientDigests(NamedTuple):
    """A patient's digests: of the live rows as they stand, as noted with them, and of the rows built anew."""

    live: Digests | None
    noted: Digests | None
    built: Digests | None


class Comparison:
    """The live read model, held still, beside the one built anew.

    Where the book differs, a third state is between them: the rows that the live book gives now. What differs from the
    live rows to these is damage or the code, what differs from these to the new ones is the book.
    """

    def __init__(self, ledger: EpisodeLedger, live: Views, new: Views, book: Book) -> None:
        self.ledger, self.live, self.new = ledger, live, new
        noted = live.noted()
        self.position = int(noted["position"])
        self.new_code = _new_code(noted.get("code"), new.noted()["code"])
        self.columns = shared_columns(live.connection)
        self.columns_added = columns_added(live.connection)
        self.old_book = book_of_text(noted["book_text"]) if noted.get("book") != book.hash else None
        self.sums = sums_of(live)
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
                rows = list(self._changed(patient, PatientDigests(*found), patient in aside))
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
        live, new = self.live.connection, self.new.connection
        unlike = patients_unlike(live, new)
        read = digests_read(live) if unlike is None else digests_of_those(live, sorted(unlike))
        for patient, found, as_noted, anew in side_by_side(read, noted_digests(live), noted_digests(new)):
            as_read = found if unlike is None or patient in unlike else anew
            yield patient, as_read or (as_noted and digests_of(patient, Sheets([], [], []))), as_noted, anew

    def _changed(self, patient: str, found: PatientDigests, aside: bool) -> Iterator[ChangedRow]:
        before, after = (rows_of(views.connection, patient, self.columns) for views in (self.live, self.new))
        between, digests = after, found.built
        if self.old_book and not aside:
            between, digests = self._judged_by(self.old_book, patient)
        cause = self._cause(found, digests, aside)
        alike = True
        for table in TABLES:
            for row, had, why in _changed_rows(before[table], between[table], after[table], cause):
                alike, named = False, dict(zip(self.columns[table], row, strict=True))
                yield ChangedRow(table, patient, why, named if had else None, None if had else named)
        if alike and found.noted != found.built and not self.columns_added:
            yield ChangedRow("digests", patient, cause, _digests_row(found.noted), _digests_row(found.built))

    def _cause(self, found: PatientDigests, by_old_book: Digests | None, aside: bool) -> Cause:
        """Why the live rows are not those that the live book gives now."""
        lost = found.noted is None and self.digests_damaged
        if found.live == found.noted and not lost and not self.was_equal:
            if aside:
                return "set aside"
            return self.new_code or "unexplained"
        trusted = not (self.new_code or aside or self.digests_damaged or self.was_equal)
        if trusted and by_old_book not in (found.noted, found.live):
            return "unexplained"  # the rows are damaged, but what their digest stood for is not what they are now
        return "damaged view"

    def _judged_by(self, book: Book, patient: str) -> tuple[dict[str, Counter[Cells]], Digests | None]:
        sheets = sheets_upto(self.ledger, patient, book, self.position)
        if sheets is None:
            return {table: Counter() for table in TABLES}, None
        rows = {"days": sheets.days, "lines": sheets.lines, "findings": sheets.findings}
        named = {table: Counter(only(self.columns, table, row) for row in found) for table, found in rows.items()}
        return named, digests_of(patient, sheets)

    def _damaged_notes(self) -> Iterator[ChangedRow]:
        for table, text in self.live.fingerprints().items():
            if text != self.sums[table]:
                key = f"fingerprint {table}"
                yield ChangedRow("model", "", "damaged view", {key: text}, {key: self.sums[table]})


def _new_code(before: str | None, after: str) -> Cause | None:
    """What of the version is a cause, if it makes other rows."""
    if makes_the_same_rows(before, after):
        return None
    return "new zone data" if before and differs_by_zones_alone(before, after) else "new code version"


def _changed_rows(
    before: Counter[Cells], between: Counter[Cells], after: Counter[Cells], cause: Cause
) -> Iterator[tuple[Cells, bool, Cause]]:
    """Every row that only one side has: the row, whether it was there before, and the cause."""
    gone, come = before - after, after - before
    gone_first, come_last = gone & (before - between), come & (after - between)
    for row in sorted(gone.elements(), key=repr):
        yield row, True, cause if gone_first[row] else "new book"
        gone_first[row] -= 1
    for row in sorted(come.elements(), key=repr):
        yield row, False, "new book" if come_last[row] else cause
        come_last[row] -= 1


def _digests_row(digests: Digests | None) -> dict[str, Any] | None:
    return dict(zip(TABLES, (found.hex() for found in digests), strict=True)) if digests else None


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
