"""The read model: its tables, and how one patient's rows get in.

It lives in its own file beside the ledger and can be thrown away at any time. ``sqlite-utils`` lays the tables; rows
and the position they stand for are written in one transaction, patient by patient.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec.structs import astuple

from ledger.recorders import without_quotes
from projections.read_model.tables import (
    INSERT,
    STORED,
    TABLES,
    drop_tables,
    index_tables,
    lay_notes,
    lay_tables,
)
from projections.read_model.trouble import DamagedViews, NotViews, SetAside, ViewsError, damage_of
from projections.rows.digests import Sums, digests_of
from projections.rows.patient import Sheets

BUSY_TIMEOUT_SECONDS: Final = 60
OF_PATIENTS: Final = ("claims", "work", "found_by", "worked")
"""Tables that are laid when somebody asks for what is in them, and whose rows go with the patient's others."""
BESIDE: Final = (*OF_PATIENTS, "work_state", "claim_numbers", "house_answers", "numbers_upto")
"""All that are laid when somebody asks (``kept_claims``, ``kept_work``, ``numbers``): no fingerprint covers them, and
they go with the rows."""


class Views:
    """One read model: an open database of rows derived from a ledger and a book."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.sums = Sums()
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if names and "model" not in names:
            if len(names & {*STORED, "set_aside"}) > 1:
                raise DamagedViews("the file of the read model is damaged: its notes are missing")
            raise NotViews("it is another program's database, not a read model")
        if not names:
            lay_all_tables(connection)
        elif "set_aside" not in names:  # it is of an older shape; its rows are built anew before they are read
            lay_notes(connection)

    def close(self) -> None:
        """Let the database go."""
        self.connection.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction that holds the write lock from its start; everything in it lands, or nothing."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            self.sums = Sums.read(list(self.fingerprints().values()))
            yield
            self.note(**{f"fingerprint {table}": text for table, text in zip(TABLES, self.sums.texts(), strict=True)})
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

    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each table, as noted with its rows."""
        return {table: self.noted().get(f"fingerprint {table}", "0" * 64) for table in TABLES}

    def noted(self) -> dict[str, str]:
        """What the read model says of itself: position, book, code version."""
        return dict(self.connection.execute("SELECT key, value FROM model"))

    def stand_at(self, position: int, book_hash: str) -> bool:
        """Whether every row of that position and book is there: nobody is set aside."""
        noted = self.noted()
        return (noted.get("position"), noted.get("book")) == (str(position), book_hash) and not self.set_aside()

    def note(self, **values: str) -> None:
        """Write what the read model says of itself, in the caller's transaction."""
        self.connection.executemany("INSERT OR REPLACE INTO model (key, value) VALUES (?, ?)", values.items())

    def clear(self) -> None:
        """Forget every row, in the caller's transaction; the tables are laid afresh, for their shape may be old."""
        drop_tables(self.connection)
        for table in BESIDE:
            self.connection.execute(f'DROP TABLE IF EXISTS "{table}"')
        lay_tables(self.connection)
        index_tables(self.connection)
        self.sums = Sums()

    def empty_log(self) -> None:
        """Copy the log back and cut it, as far as nobody reads: it still has what was taken out."""
        with suppress(sqlite3.OperationalError):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def forget(self, patients: Iterable[str]) -> None:
        """Take some patients' rows out, in the caller's transaction."""
        tables = (*STORED, *(table for table in OF_PATIENTS if self.has(table)))
        for patient in patients:
            found = self.connection.execute("SELECT days, lines, findings FROM digests WHERE patient = ?", (patient,))
            for digests in found.fetchall():
                self.sums.add(digests, -1)
            for table in tables:
                self.connection.execute(f'DELETE FROM "{table}" WHERE patient = ?', (patient,))

    def has_claims(self) -> bool:
        """Whether it keeps anything of claims (``kept_claims``)."""
        return self.has("claims")

    def has(self, table: str) -> bool:
        """Whether a table is there that is laid when something is kept in it."""
        return bool(self.connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)).fetchone())

    def write(self, patient: str, sheets: Sheets) -> None:
        """Put one patient's rows in, in the caller's transaction."""
        self.connection.executemany(INSERT["day_runs"], sheets.runs)
        self.connection.executemany(INSERT["lines"], sheets.lines)
        self.connection.executemany(INSERT["findings"], sheets.findings)
        digests = digests_of(patient, sheets)
        self.connection.execute(INSERT["digests"], (patient, *digests))
        self.sums.add(digests)

    def set_aside(self) -> dict[str, SetAside]:
        """The patients left out, by name."""
        found = self.connection.execute("SELECT patient, episode, version, position FROM set_aside ORDER BY patient")
        return {row[0]: SetAside(*row) for row in found}

    def put_aside(self, found: Iterable[SetAside]) -> None:
        """Mark patients as left out, in the caller's transaction."""
        self.connection.executemany("INSERT OR REPLACE INTO set_aside VALUES (?, ?, ?, ?)", map(astuple, found))

    def take_back(self, *patients: str) -> None:
        """Nothing is wrong with these patients any more, in the caller's transaction."""
        self.connection.executemany("DELETE FROM set_aside WHERE patient = ?", [(patient,) for patient in patients])


def lay_all_tables(connection: sqlite3.Connection) -> None:
    """Everything a read model consists of, empty; nothing if another process was faster."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            lay_notes(connection)
            lay_tables(connection)
            index_tables(connection)
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
    path = Path(os.path.realpath(path))  # a write-ahead log lies beside the file itself, not beside a link to it
    try:
        if not path.is_file():  # one that is there is not opened: closing it would drop this process's locks on it
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        elif not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_SECONDS)
    except (OSError, sqlite3.Error) as error:
        raise ViewsError(f"{path}: the read model cannot be opened ({_words_of(error)})") from error
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA secure_delete = ON")  # somebody may be forgotten
        views = Views(connection)  # first, so that a foreign database is left as it is
        _switch_to_wal(connection)
        return views
    except (sqlite3.Error, ViewsError, UnicodeDecodeError) as error:
        connection.close()
        if damage := damage_of(error):
            raise DamagedViews(f"{path}: {damage}") from error
        kind = NotViews if isinstance(error, NotViews) else ViewsError
        raise kind(f"{path}: the read model cannot be opened ({without_quotes(error)})") from error


def _words_of(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or without_quotes(error)


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
