"""A read model built from the ledger alone: patients complete and in order, judged once, rows and digests written.

With several processes each takes a stretch of the ledger and writes a file of its own; the parts are then put together.
The fingerprints do not depend on how the work was shared.
"""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from ledger.book import book_of_text
from ledger.entry import UnreadableEntry
from ledger.patients import gather
from ledger.store import EpisodeLedger, open_ledger
from projections.derive import Sheets, derive_patient
from projections.digests import Sums, digests_of
from projections.kin import Kin, complete, kin_of, shares
from projections.tables import INSERT, TABLES, index_tables, lay_notes, lay_tables
from projections.views import SetAside

ROWS_AT_ONCE: Final = 2_000
MEMORY_MB: Final = 512
_PROCESS_MB: Final = 90
_ENTRY_BYTES: Final = 900
"""What a process takes by itself, and what one held entry costs, with what is made of it: measured, rounded up."""


class Work(NamedTuple):
    """What one process has to do."""

    ledger: str
    book: str
    known_on: date | None
    upto: int
    held_entries: int
    quarantine: bool


class Part(NamedTuple):
    """What one process made: a file, its fingerprints, and who had to be set aside."""

    path: str
    sums: list[int]
    patients: int
    set_aside: list[SetAside]


def held_entries(memory_mb: int, processes: int) -> int:
    """How many entries each of so many processes may hold back within the memory allowed to all."""
    each = memory_mb / processes - _PROCESS_MB
    return max(2_000, int(each * 2**20 / _ENTRY_BYTES))


def build(path: Path, work: Work, processes: int, told: Callable[[int, int], None]) -> tuple[Sums, list[SetAside]]:
    """Build every row into a new file; the caller notes what it was made of. UnreadableEntry stops it."""
    with open_ledger(work.ledger, create=False) as ledger:
        parts = shares(kin_of(ledger.extents(work.upto)), processes)
    total = sum(map(len, parts))
    paths = [path, *(path.with_name(f"part-{number}") for number in range(1, processes))]
    with ProcessPoolExecutor(max(1, processes - 1), mp_context=get_context("spawn")) as pool:
        away: list[Future[Part]] = [
            pool.submit(build_part, str(place), work, part) for place, part in zip(paths[1:], parts[1:], strict=True)
        ]
        done = [build_part(str(path), work, parts[0], lambda done: told(done * processes, total))]
        done += [part.result() for part in away]
    sums = Sums()
    for part in done:
        sums.join(Sums(part.sums))
    _put_together(path, paths[1:])
    return sums, [patient for part in done for patient in part.set_aside]


def build_part(path: str, work: Work, kin: Sequence[Kin], told: Callable[[int], None] = lambda done: None) -> Part:
    """Judge some kin and write their rows into a file of their own."""
    book = book_of_text(work.book).known(work.known_on)
    writer = _Writer(path)
    set_aside: list[SetAside] = []
    gc.disable()  # nothing here makes cycles, and the collector would walk every held entry again and again
    try:
        with open_ledger(work.ledger, create=False) as ledger:
            unreadable = _Quarantine(ledger, set_aside) if work.quarantine else None
            for done, streams in enumerate(complete(ledger, kin, work.upto, work.held_entries, unreadable), 1):
                for patient in gather(streams):
                    writer.write(patient.name, derive_patient(patient, book))
                told(done)
        writer.close()
    finally:
        gc.enable()
    return Part(path, writer.sums.numbers, writer.patients, set_aside)


class _Quarantine:
    """Notes whose entries cannot be read, so that the others can be gone on with."""

    def __init__(self, ledger: EpisodeLedger, found: list[SetAside]) -> None:
        self.ledger, self.found = ledger, found

    def __call__(self, episodes: Iterable[str], error: UnreadableEntry) -> None:
        names = {patient for episode in episodes for patient in self.ledger.patients_of(episode)}
        self.found += [SetAside(name, error.episode, error.version, error.position) for name in sorted(names)]


class _Writer:
    """Rows into a file that nobody else knows of yet: no journal, no waiting for the disk."""

    def __init__(self, path: str) -> None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -32000"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("BEGIN")
        lay_notes(self.connection)
        lay_tables(self.connection)
        self.sums, self.patients = Sums(), 0
        self.rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in INSERT}

    def write(self, patient: str, sheets: Sheets) -> None:
        """Take one patient's rows."""
        digests = digests_of(patient, sheets)
        self.sums.add(digests)
        self.patients += 1
        self.rows["days"] += sheets.days
        self.rows["lines"] += sheets.lines
        self.rows["findings"] += sheets.findings
        self.rows["digests"].append((patient, *digests))
        if len(self.rows["days"]) > ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        for table, rows in self.rows.items():
            self.connection.executemany(INSERT[table], rows)
            rows.clear()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self.connection.execute("COMMIT")
        self.connection.close()


def _put_together(path: Path, parts: Sequence[Path]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -64000")
    try:
        for part in parts:
            connection.execute("ATTACH ? AS part", (str(part),))
            for table in (*TABLES, "digests"):
                connection.execute(f'INSERT INTO main."{table}" SELECT * FROM part."{table}"')
            connection.execute("DETACH part")
            part.unlink()
        connection.execute("BEGIN")
        index_tables(connection)
        connection.execute("COMMIT")
    finally:
        connection.close()
