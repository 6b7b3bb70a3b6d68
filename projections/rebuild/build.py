"""A read model built from the ledger alone: patients complete and in order, judged once, rows and digests written.

With several processes each takes a stretch of the ledger and writes a file of its own; the parts are then put together.
The fingerprints do not depend on how the work was shared.
"""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Final, NamedTuple

from ledger.book import Book, book_of_text
from ledger.facts.entry import UnreadableEntry, statement_of
from ledger.facts.events import EpisodeOpened
from ledger.judge.patients import gather
from ledger.keys.cipher import MasterKey
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger, open_ledger
from projections.read_model.rows_file import RowsFile, lay
from projections.read_model.tables import STORED, index_tables
from projections.read_model.trouble import NotNow, SetAside
from projections.reading.as_known import Streams, load_patient, some_episode
from projections.reading.budget import Budget, TooCostly, set_budget, within_budget
from projections.reading.cohorts import Cohort, cohorts_in, complete, shares
from projections.rows.digests import Sums
from projections.rows.house import house_sheets
from projections.rows.kept import NOBODY
from projections.rows.patient import Sheets, derive_patient

AHEAD_ENTRIES: Final = 10_000
"""What this process gets done while the others start."""
MEMORY_MB: Final = 512
"""How much memory all processes of a rebuild take, at most, unless they are allowed more."""


class Work(NamedTuple):
    """What one process has to do."""

    ledger: str
    book: str
    known_on: date | None
    upto: int
    mapped_mb: int
    quarantine: bool
    master: MasterKey | None = None
    budget: Budget = Budget()


class BuiltPart(NamedTuple):
    """What one process made: a file, its fingerprints, and who had to be set aside."""

    path: str
    sums: list[int]
    patients: int
    set_aside: list[SetAside]


def mapped_mb(memory_mb: int, processes: int) -> int:
    """How much of the ledger's file each of so many processes reads as mapped memory: what is allowed beyond need.

    Mapped pages are read a sixth faster, and count as memory of the process that reads them.
    """
    return max(0, memory_mb - MEMORY_MB) // processes


def build(path: Path, work: Work, processes: int, told: Progress) -> tuple[Sums, list[SetAside]]:
    """Build every row into a new file; the caller notes what it was made of. UnreadableEntry stops it."""
    paths = [path, *(path.with_name(f"part-{number}") for number in range(1, processes))]
    with _helpers(processes - 1) as helpers:  # they load what they need while the work is shared out
        with open_ledger(work.ledger, create=False, master=work.master) as ledger:
            kept = house_sheets(ledger, work.upto)
            parts = shares(cohorts_in(ledger, work.upto), processes, min(AHEAD_ENTRIES, work.upto // 4))
        total = sum(map(len, parts))
        for place in paths:
            lay(place)  # here, so that the others need not load what it takes
        try:
            for helper, place, part in zip(helpers, paths[1:], parts[1:], strict=True):
                helper.send((str(place), work, part))
            mine = parts[0]
            parts.clear()  # the others' work is theirs to hold
            done = [build_part(str(path), work, mine, lambda done, of: told(done * processes, total), kept)]
            done += [_answer_of(helper) for helper in helpers]
        except (EOFError, ConnectionError) as error:
            raise NotNow("a process of the rebuild was ended from outside, or for want of memory") from error
    sums = Sums()
    for made in done:
        sums.join(Sums(made.sums))
    _put_together(path, paths[1:])
    return sums, [patient for made in done for patient in made.set_aside]


@contextmanager
def _helpers(count: int) -> Iterator[list[Connection]]:
    """Processes that build a part each, by the connections to them; none outlives this.

    No pool: a pool whose process is killed while it starts may wait for ever, and this one must say so.
    """
    context = get_context("spawn")
    started: list[tuple[SpawnProcess, Connection]] = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_help, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            started.append((process, ours))
        yield [connection for _, connection in started]
    finally:
        for process, connection in started:
            connection.close()
            process.kill()
            process.join()


def _help(connection: Connection) -> None:
    """Build the part that is sent, and send back what was made or what stopped it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that asked ends its helpers itself
    threading.Thread(target=_end_with_parent, daemon=True).start()
    path, work, cohorts = connection.recv()
    made: BuiltPart | Exception
    try:
        made = build_part(path, work, cohorts)
    except Exception as error:
        made = error
    connection.send(made)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)  # it was killed: nobody waits for this part any more


def _answer_of(helper: Connection) -> BuiltPart:
    made: BuiltPart | Exception = helper.recv()
    if isinstance(made, Exception):
        raise made
    return made


def build_part(
    path: str,
    work: Work,
    cohorts: Sequence[Cohort],
    told: Progress = silent,
    kept: Sheets | None = None,
) -> BuiltPart:
    """Judge some cohorts and write their rows into a file of their own, beside those that are no patient's."""
    set_budget(work.budget)
    book = book_of_text(work.book).known(work.known_on)
    writer = RowsFile(path)
    if kept:
        writer.write(NOBODY, kept)
    set_aside: list[SetAside] = []
    gc.disable()  # nothing here makes cycles, and the collector would walk a large patient's entries again and again
    try:
        with open_ledger(work.ledger, create=False, master=work.master, mapped_mb=work.mapped_mb) as ledger:
            quarantine = _Quarantine(ledger, book, work.upto, writer, set_aside) if work.quarantine else None

            def leave_out(cohort: Cohort, error: UnreadableEntry) -> None:
                if isinstance(error, TooCostly):
                    set_aside.extend(SetAside.after(name, error) for name in sorted(cohort.patients))
                elif quarantine is None:
                    raise error
                else:
                    quarantine(cohort)

            passing = complete(ledger, cohorts, work.upto, leave_out, whole=False)
            for done, streams in enumerate(passing, 1):
                set_aside += _write_all(writer, streams, book)
                told(done, len(cohorts))
        writer.close()
    finally:
        gc.enable()
    return BuiltPart(path, writer.sums.numbers, writer.patients, set_aside)


def _write_all(writer: RowsFile, streams: Streams, book: Book) -> Iterator[SetAside]:
    """Judge and write everybody of some episodes; gives those who cost more than the budget."""
    try:
        patients = within_budget(some_episode(streams), lambda: gather(streams, whole=False))
    except TooCostly as error:
        yield from (SetAside.after(name, error) for name in _named(streams))
        return
    for patient in patients:
        try:
            writer.write(patient.name, derive_patient(patient, book))
        except TooCostly as error:
            yield SetAside.after(patient.name, error)


def _named(streams: Streams) -> list[str]:
    """Everybody whom an opening of these episodes names."""
    facts = (statement_of(entry) for entries in streams.values() for entry in entries)
    return sorted({fact.patient for fact in facts if isinstance(fact, EpisodeOpened)})


class _Quarantine:
    """Sets those aside whose entries cannot be read, and goes on with the others of their cohort."""

    def __init__(
        self, ledger: EpisodeLedger, book: Book, upto: int, writer: RowsFile, set_aside: list[SetAside]
    ) -> None:
        self.ledger, self.book, self.upto, self.writer, self.set_aside = ledger, book, upto, writer, set_aside

    def __call__(self, cohort: Cohort) -> None:
        for name in sorted(cohort.patients):
            try:
                patient = load_patient(self.ledger, name, upto=self.upto)
                sheets = derive_patient(patient, self.book) if patient else None
            except UnreadableEntry as error:
                self.set_aside.append(SetAside.after(name, error))
                continue
            if sheets:
                self.writer.write(name, sheets)


def _put_together(path: Path, parts: Sequence[Path]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -16000")
    try:
        for part in parts:
            connection.execute("ATTACH ? AS part", (str(part),))
            for table in STORED:
                connection.execute(f'INSERT INTO main."{table}" SELECT * FROM part."{table}"')
            connection.execute("DETACH part")
            part.unlink()
        connection.execute("BEGIN")
        index_tables(connection)
        connection.execute("COMMIT")
    finally:
        connection.close()
