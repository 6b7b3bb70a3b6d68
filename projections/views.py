"""The read model: its tables, and how one patient's rows get in.

It lives in its own file beside the ledger and can be thrown away at any time. ``sqlite-utils`` lays the tables; rows
and the position they stand for are written in one transaction, patient by patient.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from projections.derive import Sheets

SHAPE: Final = "1"
"""The shape of the tables; a read model of another shape is built anew."""

BUSY_TIMEOUT_SECONDS: Final = 60

DAY_COLUMNS: Final = {
    "patient": str, "episode": str, "date": str, "status": str, "reason": str, "code": str, "payer": str,
    "terms_from": str, "terms_published": str, "rate_cents": int, "authorization": str, "because": str,
}  # fmt: skip
LINE_COLUMNS: Final = {
    "patient": str, "episode": str, "payer": str, "code": str, "from": str, "to": str, "units": int,
    "rate_cents": int, "charge_cents": int, "authorization": str, "terms_from": str, "modifiers": str,
}  # fmt: skip
FINDING_COLUMNS: Final = {
    "rule": str, "level": str, "patient": str, "episodes": str, "dates": str, "codes": str, "because": str,
    "message": str, "payers": str, "first_date": str,
}  # fmt: skip
TABLES: Final[Mapping[str, Mapping[str, type]]] = {
    "days": DAY_COLUMNS,
    "lines": LINE_COLUMNS,
    "findings": FINDING_COLUMNS,
}


class ViewsError(Exception):
    """The read model cannot be used; it can be deleted without loss, and is built anew at the next read."""


class NotViews(ViewsError):
    """The file where the read model should be is somebody else's database: it is left untouched."""


class Views:
    """One read model: an open database of rows derived from a ledger and a book."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if names and "model" not in names:
            raise NotViews("it is another program's database, not a read model")
        if not names:
            _lay_all_tables(connection)

    def close(self) -> None:
        """Let the database go."""
        self.connection.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction that holds the write lock from its start; everything in it lands, or nothing."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One snapshot: every query in it sees the same rows."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def noted(self) -> dict[str, str]:
        """What the read model says of itself: position, book, code version."""
        return dict(self.connection.execute("SELECT key, value FROM model"))

    def note(self, **values: str) -> None:
        """Write what the read model says of itself, in the caller's transaction."""
        self.connection.executemany("INSERT OR REPLACE INTO model (key, value) VALUES (?, ?)", values.items())

    def clear(self) -> None:
        """Forget every row, in the caller's transaction; the tables are laid afresh, for their shape may be old."""
        for table in TABLES:
            self.connection.execute(f'DROP TABLE IF EXISTS "{table}"')
        _lay_tables(self.connection)

    def forget(self, patients: Iterable[str]) -> None:
        """Take some patients' rows out, in the caller's transaction."""
        names = [(patient,) for patient in patients]
        for table in TABLES:
            self.connection.executemany(f'DELETE FROM "{table}" WHERE patient = ?', names)

    def write(self, sheets: Sheets) -> None:
        """Put one patient's rows in, in the caller's transaction."""
        self.connection.executemany(_INSERT["days"], sheets.days)
        self.connection.executemany(_INSERT["lines"], sheets.lines)
        self.connection.executemany(_INSERT["findings"], sheets.findings)


def _insert_into(table: str) -> str:
    columns = TABLES[table]
    names = ", ".join(f'"{name}"' for name in columns)
    return f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(columns))})'


_INSERT: Final = {table: _insert_into(table) for table in TABLES}


def _lay_tables(connection: sqlite3.Connection) -> None:
    from sqlite_utils import Database

    database = Database(connection)
    clustered = database.create_table_sql("days", DAY_COLUMNS, pk=("patient", "episode", "date"), strict=True)
    connection.execute(clustered.rstrip().rstrip(";") + ", WITHOUT ROWID")
    database.table("lines").create(LINE_COLUMNS, strict=True)
    database.table("lines").create_index(["patient", "episode", "from"])
    database.table("findings").create(FINDING_COLUMNS, strict=True)
    database.table("findings").create_index(["patient"])


def _lay_all_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():  # another process may have been faster
            _lay_tables(connection)
            connection.execute("CREATE TABLE model (key TEXT PRIMARY KEY, value TEXT) STRICT")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def views_path(ledger: Path) -> Path:
    """Where a ledger's read model is: ``ledger.views.db`` beside ``ledger.db``."""
    return ledger.with_name(ledger.name.removesuffix(".db") + ".views.db")


def open_views(path: Path) -> Views:
    """The read model of a file, created with access for its owner alone if it is not there."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_SECONDS)
    except (OSError, sqlite3.Error) as error:
        raise ViewsError(f"{path}: the read model cannot be opened ({_told(error)})") from error
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA trusted_schema = OFF")
        views = Views(connection)  # first, so that a foreign database is left as it is
        _switch_to_wal(connection)
        return views
    except (sqlite3.Error, NotViews) as error:
        connection.close()
        kind = NotViews if isinstance(error, NotViews) else ViewsError
        raise kind(f"{path}: the read model cannot be opened ({error})") from error


def _told(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Write-ahead mode; SQLite does not wait by itself when another connection is in the way of the switch."""
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def passing_views() -> Views:
    """A read model for one answer, gone when it is closed."""
    return Views(sqlite3.connect("", isolation_level=None))
