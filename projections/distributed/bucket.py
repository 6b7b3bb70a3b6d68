"""One bucket judged: the whole work of one task, which knows nothing of the engine that has it done.

Its files are checked, its patients read one at a time, each judged as a rebuild judges them, by one book or by several,
and their rows and digests written under names of this attempt. Whatever is damaged or missing stops it, and is named;
or, where that is wanted, sets the patient aside.
"""

from __future__ import annotations

import gc
import resource
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from ledger.book import book_of_text
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
from projections.distributed.task import ByBook, Made, Report, Task
from projections.export.shapes import SCHEMA_VERSION
from projections.read_model.trouble import SetAside
from projections.read_model.version import code_version
from projections.reading.as_known import book_known
from projections.reading.budget import TooCostly, set_budget
from projections.reading.joined import UNREAD, entries_seen_in
from projections.reading.size import most_text_bytes
from projections.reading.unjudged import Streams, judging
from projections.rows.digests import Sums, digests_of
from projections.rows.kept import NOBODY
from projections.rows.patient import Sheets, derive_from


def judge_bucket(task: Task) -> Report:
    """Judge a bucket and write its rows; ArchiveError or UnreadableEntry where that must not be done."""
    set_budget(task.budget)
    results, worker = [_Result(task, by) for by in task.by], _Worker(task)
    gc.disable()  # as in a rebuild: nothing here makes cycles
    try:
        with ExitStack() as stack:
            for result in results:
                stack.enter_context(result.tables)
            if task.bucket == 0 and (kept := worker.kept()):
                for result in results:
                    result.write(NOBODY, kept)
            for mark, patient, streams in worker.patients():
                for result in results:
                    result.take(mark, patient, streams)
    finally:
        gc.enable()
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Report(
        task.bucket, code_version(), tuple(result.made(worker.set_aside) for result in results), memory_mb
    )  # fmt: skip


class _Result:
    """What one book makes of the bucket: rows, and who cannot be judged by it."""

    def __init__(self, task: Task, by: ByBook) -> None:
        book = book_of_text(by.book)
        self._hash, self._book = book.hash, book_known(book, _instant(task))
        self._quarantine = task.quarantine
        about = {
            "ledger": task.ledger, "position": str(task.upto), "book_hash": book.hash, "code_version": code_version(),
            "schema_version": SCHEMA_VERSION,
        }  # fmt: skip
        self.tables = BucketTables(folder_at(by.out), by.number, task.bucket, about)
        self._sums, self._patients, self._set_aside = Sums(), 0, list[SetAside]()

    def take(self, mark: str, patient: Patient, streams: Streams) -> None:
        """Judge a patient; the streams have the entries of all their episodes."""
        try:
            sheets = derive_from(patient, self._book, lambda: streams)
        except UnreadableEntry as error:
            if not isinstance(error, TooCostly) and not self._quarantine:
                raise
            self._set_aside.append(SetAside.after(mark, error))
        else:
            self.write(patient.name, sheets)

    def write(self, patient: str, sheets: Sheets) -> None:
        """Take somebody's rows."""
        digests = digests_of(patient, sheets)
        self._sums.add(digests)
        self.tables.write(patient, sheets, digests)
        self._patients += 1

    def made(self, unread: Sequence[SetAside]) -> Made:
        """What to report, once the files are closed."""
        days, lines, findings = self._sums.texts()
        aside = (*unread, *self._set_aside)
        return Made(self._hash, (days, lines, findings), self._patients, aside, self.tables.files())


def _instant(task: Task) -> datetime | None:
    return parse_instant(task.known_at) if task.known_at else None


class _Worker:
    """The patients of a bucket, read one after the other."""

    def __init__(self, task: Task) -> None:
        self._task, self._at = task, _instant(task)
        self._house = House(task)
        self._merged = self._house.merge_entries(task.upto)
        self.set_aside: list[SetAside] = []

    def kept(self) -> Sheets | None:
        """The rows that are no patient's; they come with the first bucket."""
        return self._house.sheets(self._at)

    def patients(self) -> Iterator[tuple[str, Patient, Streams]]:
        """Everybody of the bucket, by mark, each with the entries of all their episodes; those are set aside of whom
        nobody has the memory to read everything."""
        task = self._task
        folder, most = folder_at(task.archive), most_text_bytes()
        for mark, rows, is_too_large in patients_in(folder, task.files, task.bucket, self._is_wanted, most):
            if is_too_large:
                self.set_aside.append(SetAside.after(mark, TooCostly(rows[0].episode)))
            else:
                found, streams = self._patients(mark, _by_episode(rows))
                yield from ((mark, patient, streams) for patient in found)

    def _is_wanted(self, row: ArchivedRow) -> bool:
        """Not of the forgotten, nor beyond the position."""
        return row.position <= self._task.upto and row.episode not in self._house.gone

    def _patients(self, mark: str, stored: dict[str, list[Row]]) -> tuple[list[Patient], Streams]:
        """Whoever is called so, and the entries; nobody if they were set aside, or no episode is theirs by then."""
        if not stored:
            return [], {}
        try:
            streams = {episode: self._entries(rows) for episode, rows in stored.items()}
            heard = streams | ({HOUSE: self._merged} if self._merged else {})
            found = judging(heard, lambda some: gather(some, self._at, whole=False))
        except TooCostly as error:
            self.set_aside.append(SetAside.after(mark, error))
            return [], {}
        except UnreadableEntry as error:
            if not self._task.quarantine:
                raise
            self.set_aside.append(SetAside.after(mark, self._first_unreadable(stored) or error))
            return [], {}
        return [patient for patient in found if self._house.is_called(mark, patient.name)], heard

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


def _by_episode(rows: Sequence[ArchivedRow]) -> dict[str, list[Row]]:
    stored = ((position, episode, version, tag, text) for _, episode, version, position, tag, text in rows)
    return {episode: list(of_episode) for episode, of_episode in groupby(stored, itemgetter(1))}
