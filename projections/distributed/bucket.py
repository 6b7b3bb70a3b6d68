"""One bucket judged: the whole work of one task, which knows nothing of the engine that has it done.

Its files are checked, its patients read one at a time, each judged as a rebuild judges them, and their rows and digests
written under names of this attempt. Whatever is damaged or missing stops it, and is named; or, where that is wanted,
sets the patient aside.
"""

from __future__ import annotations

import gc
import resource
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from ledger.book import Book, book_of_text
from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry, UnreadableEntry
from ledger.facts.forms import parse_instant
from ledger.facts.stored import JoinedEntries
from ledger.judge.patients import Patient, gather
from projections.archive.folder import folder_at
from projections.archive.reading import patients_in
from projections.archive.segment import ArchivedRow
from projections.distributed.house import House, Row
from projections.distributed.tables import BucketTables
from projections.distributed.task import Report, Task
from projections.export.shapes import SCHEMA_VERSION
from projections.read_model.trouble import SetAside
from projections.read_model.version import code_version
from projections.reading.as_known import book_known, some_episode
from projections.reading.budget import TooCostly, set_budget, within_budget
from projections.reading.joined import UNREAD, entries_seen_in
from projections.rows.digests import Sums, digests_of
from projections.rows.kept import NOBODY
from projections.rows.patient import Sheets, derive_patient


def judge_bucket(task: Task) -> Report:
    """Judge a bucket and write its rows; ArchiveError or UnreadableEntry where that must not be done."""
    set_budget(task.budget)
    book = book_of_text(task.book)
    worker = _Worker(task, book)
    about = {
        "ledger": task.ledger, "position": str(task.upto), "book_hash": book.hash, "code_version": code_version(),
        "schema_version": SCHEMA_VERSION,
    }  # fmt: skip
    sums, patients = Sums(), 0
    gc.disable()  # as in a rebuild: nothing here makes cycles
    try:
        with BucketTables(folder_at(task.out), task.number, task.bucket, about) as tables:
            for patient, sheets in worker.sheets():
                digests = digests_of(patient, sheets)
                sums.add(digests)
                tables.write(patient, sheets, digests)
                patients += 1
    finally:
        gc.enable()
    days, lines, findings = sums.texts()
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Report(
        task.bucket, code_version(), book.hash, (days, lines, findings), patients, tuple(worker.set_aside),
        tables.files(), memory_mb,
    )  # fmt: skip


class _Worker:
    """The patients of a bucket, judged one after the other."""

    def __init__(self, task: Task, book: Book) -> None:
        self._task = task
        self._at = parse_instant(task.known_at) if task.known_at else None
        self._book = book_known(book, self._at)
        self._house = House(task)
        self._merged = self._house.merge_entries(task.upto)
        self.set_aside: list[SetAside] = []

    def sheets(self) -> Iterator[tuple[str, Sheets]]:
        """Everybody's rows, by name; those that are no patient's come with the first bucket."""
        if self._task.bucket == 0 and (kept := self._house.sheets(self._at)):
            yield NOBODY, kept
        for mark, rows in patients_in(folder_at(self._task.archive), self._task.files, self._task.bucket):
            for patient in self._patients(mark, self._stored(rows)):
                try:
                    sheets = derive_patient(patient, self._book)
                except TooCostly as error:
                    self.set_aside.append(SetAside.after(mark, error))
                else:
                    yield patient.name, sheets

    def _stored(self, rows: Sequence[ArchivedRow]) -> dict[str, list[Row]]:
        """The rows of each episode that are wanted: not of the forgotten, nor beyond the position."""
        upto, gone = self._task.upto, self._house.gone
        wanted = (
            (position, episode, version, tag, text)
            for _, episode, version, position, tag, text in rows
            if position <= upto and episode not in gone
        )
        return {episode: list(of_episode) for episode, of_episode in groupby(wanted, itemgetter(1))}

    def _patients(self, mark: str, stored: dict[str, list[Row]]) -> list[Patient]:
        """Whoever is called so; nobody if they were set aside, or no episode is theirs by then."""
        if not stored:
            return []
        try:
            streams = {episode: self._entries(rows) for episode, rows in stored.items()}
            acts = {HOUSE: self._merged} if self._merged else {}
            found = within_budget(some_episode(streams), lambda: gather(streams | acts, self._at, whole=False))
        except TooCostly as error:
            self.set_aside.append(SetAside.after(mark, error))
            return []
        except UnreadableEntry as error:
            if not self._task.quarantine:
                raise
            self.set_aside.append(SetAside.after(mark, self._first_unreadable(stored) or error))
            return []
        return [patient for patient in found if self._house.is_called(mark, patient.name)]

    def _first_unreadable(self, stored: dict[str, list[Row]]) -> UnreadableEntry | None:
        """The first of somebody's entries that cannot be read, be it one that nobody judges by."""
        try:
            for rows in stored.values():
                self._house.entries(rows)
        except UnreadableEntry as error:
            return error
        return None

    def _entries(self, rows: Sequence[Row]) -> list[Entry]:
        """The entries of an episode, at once if they are as they should be, else one by one."""
        texts = self._house.texts([row for row in rows if row[3] not in UNREAD])
        episode, last, tags = rows[0][1], rows[-1][2], ",".join(row[3] for row in rows)
        found = entries_seen_in(JoinedEntries(episode, len(rows), last, tags, texts), last, UNREAD)
        return self._house.entries(rows) if found is None else found
