"""A ledger that is archived and judged from its archive, beside what the built-in build makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from commands.writing.record import record
from ledger.book import Book
from ledger.facts.administration import PatientsMerged, PatientsParted
from ledger.facts.forms import parse_instant
from ledger.facts.merges import MergeRefused
from ledger.keys.cipher import MasterKey
from ledger.progress import silent
from ledger.recorders.by_name.as_stored import as_stored
from ledger.store import EpisodeLedger, open_ledger
from projections.archive.check import Checked, check
from projections.archive.folder import folder_at
from projections.archive.grow import Source, grow
from projections.archive.manifest import ArchiveManifest
from projections.distributed.encrypted import from_ledger_for
from projections.distributed.local import local_engine
from projections.distributed.run import Judged, Wanted, judge_by_several
from projections.distributed.task import Engine
from projections.read_model.catch_up import fill_as_known
from projections.read_model.trouble import SetAside
from projections.read_model.views import passing_views
from projections.reading.budget import budget
from projections.rebuild.build import build
from projections.rebuild.work import Target, Work
from tests.command_line import Told, lines_of

LATER = datetime(2027, 12, 1, tzinfo=UTC)
Found = tuple[list[str], list[SetAside]]
"""Fingerprints, and who was set aside."""


class Archived:
    """A ledger in a folder, its archive, and what is judged from that."""

    def __init__(
        self, folder: Path, book: Book, *, master: MasterKey | None = None, key_file: Path | None = None
    ) -> None:
        self.folder, self.book, self.master, self.key_file = folder, book, master, key_file
        self.path, self.archive, self.out = folder / "ledger.db", str(folder / "archive"), str(folder / "out")
        with self.open(create=True):
            pass

    def open(self, *, create: bool = False) -> EpisodeLedger:
        return open_ledger(self.path, create=create, master=self.master)

    def tell(self, entries: Sequence[Told]) -> None:
        """Record lines, and acts of the house among them, in their order."""
        with self.open() as ledger:
            for are_lines, some in groupby(entries, lambda entry: bool(entry["episode"])):
                if are_lines:
                    stream = BytesIO(lines_of(some))
                    outcomes = list(record(ledger, stream, keep_recorded_at=True, clock=lambda: LATER))
                    assert {outcome.outcome for outcome in outcomes} <= {"recorded"}, outcomes
                else:
                    for act in some:
                        _act(ledger, act)

    def grow(self, buckets: int | None = None) -> ArchiveManifest:
        """Archive what is new."""
        with self.open() as ledger, as_stored(str(self.path)) as stored:
            return grow(folder_at(self.archive), Source(ledger, stored, self.master), buckets)

    def check(self) -> Checked:
        """Hold the archive against the ledger."""
        with self.open() as ledger, as_stored(str(self.path)) as stored:
            return check(folder_at(self.archive), Source(ledger, stored, self.master))

    def judge(self, engine: Engine | None = None, out: str | None = None, **wanted: Any) -> Judged:
        """Judge the archive."""
        asked = Wanted(**({"book": self.book} | wanted))
        (made,) = self.judge_by({out or self.out: asked.book}, asked, engine)
        return made

    def judge_by(self, books: dict[str, Book], asked: Wanted, engine: Engine | None = None) -> list[Judged]:
        """Judge the archive by several books in one pass."""
        from_ledger = None
        if self.master:
            with self.open() as ledger, as_stored(str(self.path)) as stored:
                source = Source(ledger, stored, self.master)
                from_ledger = from_ledger_for(folder_at(self.archive), source, str(self.key_file))
        return judge_by_several(self.archive, books, asked, engine or local_engine(1), from_ledger)

    def judged(self, **wanted: Any) -> Found:
        """What judging the archive comes to."""
        made = self.judge(**wanted).manifest
        return list(made.fingerprints.values()), list(made.set_aside)

    def judged_by(self, book: Book, other: Book) -> list[list[str]]:
        """The fingerprints that two books come to in one pass."""
        books = {self.out: book, f"{self.out}-b": other}
        return [list(made.manifest.fingerprints.values()) for made in self.judge_by(books, Wanted(book))]

    def built(self, book: Book | None = None, upto: int | None = None, *, quarantine: bool = False) -> Found:
        """What the built-in build comes to."""
        with self.open() as ledger:
            head = ledger.position() if upto is None else upto
        file = self.folder / "built.db"
        file.unlink(missing_ok=True)
        work = Work(str(self.path), None, head, 0, quarantine, self.master, budget=budget())
        ((sums, aside),) = build([Target(file, (book or self.book).text)], work, 1, silent)
        return sums.texts(), sorted(aside, key=lambda one: one.patient)

    def as_known(self, at: str) -> list[str]:
        """The fingerprints of what was known at an instant."""
        with self.open() as ledger, closing(passing_views()) as views:
            fill_as_known(ledger, views, self.book, parse_instant(at))
            return list(views.fingerprints().values())


def _act(ledger: EpisodeLedger, entry: Told) -> None:
    fact, at, by = entry["fact"], parse_instant(entry["recorded_at"]), entry["by"]
    patient, reason, nonce = fact["patient"], fact["reason"], "0" * 32
    with suppress(MergeRefused):  # the teller knows of no patient without an episode
        if fact["type"] == "PatientsMerged":
            ledger.record_merging(PatientsMerged(at, by, patient, fact["into"], reason, nonce))
        else:
            ledger.record_parting(PatientsParted(at, by, patient, reason, nonce))
