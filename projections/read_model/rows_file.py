"""A file of rows that nobody else knows of yet: tables laid, rows written in large handfuls, digests beside them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from ledger.files import create
from projections.read_model.tables import INSERT, lay_notes, lay_tables
from projections.rows.digests import Sums, digests_of
from projections.rows.patient import Sheets

ROWS_AT_ONCE: Final = 2_000


def lay(path: Path) -> None:
    """A new file with empty tables."""
    os.close(create(path))
    with closing(_connect(path)) as connection:
        connection.execute("BEGIN")
        lay_notes(connection)
        lay_tables(connection)
        connection.execute("COMMIT")


def _connect(path: str | Path) -> sqlite3.Connection:
    """A file that nobody else knows of yet: no journal, no waiting for the disk."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -32000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class RowsFile:
    """Rows into a file whose tables are laid."""

    def __init__(self, path: str) -> None:
        self.connection = _connect(path)
        self.connection.execute("BEGIN")
        self.sums, self.patients = Sums(), 0
        self.rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in INSERT}

    def write(self, patient: str, sheets: Sheets) -> None:
        """Take one patient's rows."""
        digests = digests_of(patient, sheets)
        self.sums.add(digests)
        self.patients += 1
        self.rows["day_runs"] += sheets.runs
        self.rows["lines"] += sheets.lines
        self.rows["findings"] += sheets.findings
        self.rows["digests"].append((patient, *digests))
        if max(map(len, self.rows.values())) > ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        for table, rows in self.rows.items():
            self.connection.executemany(INSERT[table], map(tuple, rows))  # named ones are bound half as fast
            rows.clear()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self.connection.execute("COMMIT")
        self.connection.close()
