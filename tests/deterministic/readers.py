"""Those who read: the real read model, the real feed, and somebody who only follows positions."""

from __future__ import annotations

from random import Random
from typing import Any

from ledger.book import Book
from ledger.facts.entry import Entry, decode
from ledger.judge.patients import by_episode, gather
from ledger.recorders import StoreError
from ledger.store import EpisodeLedger
from projections.changes.days import changes_since
from projections.export.shapes import DATASETS
from projections.read_model.catch_up import catch_up
from projections.read_model.tables import ORDER
from projections.read_model.views import passing_views
from projections.rows.cells import Cells
from projections.rows.patient import Sheets, derive_patient
from tests.deterministic.lagging import Lagging
from tests.deterministic.model import Model, must

Days = dict[tuple[Any, ...], Cells]
_NAMES = [column.name for column in DATASETS["changes"].columns]
_OLD, _NEW = ([at for at, name in enumerate(_NAMES) if name.startswith(age)] for age in ("old_", "new_"))
"""Where in a change the old row's cells are, and the new one's."""


class Scratch:
    """Every patient's rows judged from nothing but the entries that stand, the long way round."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.entries: list[Entry | None] = []

    def sheets(self, upto: int, book: Book) -> dict[str, Sheets]:
        for row in self.model.rows[len(self.entries) :]:
            self.entries.append(decode(row[4]) if row[1] else None)
        streams = by_episode(entry for entry in self.entries[:upto] if entry is not None)
        return {patient.name: derive_patient(patient, book) for patient in gather(streams)}

    def days(self, upto: int, book: Book) -> Days:
        return {row[:3]: row[3:] for sheets in self.sheets(upto, book).values() for row in sheets.days}


class Reader:
    """One process that reads, over a store that it may see late."""

    def __init__(self, ledger: EpisodeLedger, lagging: Lagging, scratch: Scratch, book: Book) -> None:
        self.ledger, self.lagging, self.scratch, self.book = ledger, lagging, scratch, book
        self.model = scratch.model
        self.views = passing_views()
        self.position = 0
        self.seen = 0
        self.days: Days = {}
        self.days_at = 0

    def tail(self, rng: Random) -> None:
        """Read on from the last entry seen, perhaps not to the end."""
        wanted = rng.choice((3, 20, 1000))
        after, given = self.seen, []
        decoded = rng.random() < 0.2
        try:
            rows = self.ledger.follow(after) if decoded else self.ledger.scan(after)
            for row in rows:
                given.append(row)
                self.seen = row[0]
                if len(given) == wanted:
                    break
        finally:
            self.after_tail(after, given)

    def after_tail(self, after: int, given: list[Any]) -> None:
        due = self.model.entries_between(after, self.seen)
        got = [row if len(row) == 5 else (row[0], row[1].episode, row[1].version) for row in given]
        must(
            len(got) == len(due) and all(row == other[: len(row)] for row, other in zip(got, due, strict=True)),
            f"a reader after {after} was given {[row[0] for row in given]} where {[row[0] for row in due]} stand",
        )

    def catch_up(self) -> None:
        """Bring the read model up to what this reader can see."""
        before = self.views.noted().get("position", "0")
        try:
            reached = catch_up(self.ledger, self.views, self.book)
        except StoreError:
            must(self.views.noted().get("position", "0") == before, "a read model half caught up")
            raise
        must(int(self.views.noted()["position"]) == reached >= self.position, "a read model went back")
        must(reached <= self.lagging.seen, "a read model ahead of what was seen")
        self.position = reached

    def compare(self) -> None:
        """The rows caught up with are those judged from scratch."""
        if not self.views.noted():
            return
        afresh = passing_views()
        with afresh.writing():
            for patient, sheets in self.scratch.sheets(self.position, self.book).items():
                afresh.write(patient, sheets)
        for table, order in (*ORDER.items(), ("digests", "patient")):
            found, due = (
                views.connection.execute(f'SELECT * FROM "{table}" ORDER BY {order}').fetchall()
                for views in (self.views, afresh)
            )
            must(found == due, f"the {table} of the read model are not those judged from scratch")
        must(self.views.fingerprints() == afresh.fingerprints(), "the read model's fingerprints are others")
        afresh.close()

    def feed(self, books: list[tuple[int, Book]]) -> None:
        """Take the changes since the last position; what comes of them must be the rows judged from scratch."""
        upto = self.ledger.position()
        if self.days_at and upto < self.days_at:
            return
        changes = list(changes_since(self.ledger, self.days_at, upto))
        for change in changes:
            key = change[3:6]
            old = self.days.pop(key, None)
            was, now = (tuple(change[at] for at in places) for places in (_OLD, _NEW))
            must(old == (was if change[2] != "insert" else None), "a change of a row that is not so")
            if change[2] != "retract":
                self.days[key] = now
        self.days_at = upto
        book = [each for position, each in books if position <= upto][-1]
        must(self.days == self.scratch.days(upto, book), "rows and changes are not the rows of the later position")

    def close(self) -> None:
        self.views.close()
        self.ledger.close()
