"""Connections to a ledger file, with transactions that end as they should.

What differs from the library, and why: writes begin IMMEDIATE (a plain BEGIN that reads before it writes fails at once
when another process wrote); a COMMIT that fails is rolled back, so that the pooled connection stays usable; every
failure but a conflict is a ``StoreError``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Final

from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    ConnectionUnavailableError,
    IntegrityError,
    PersistenceError,
)
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTransaction,
)

from ledger.recorders import StoreError
from ledger.recorders.sqlite.checkpoint_turns import CheckpointTurn
from ledger.recorders.sqlite.file import check_journal, connect, explain, plain_errors, plain_path, prepare

POOL_TIMEOUT_SECONDS: Final = 60.0


class LedgerTransaction(SQLiteTransaction):
    """A transaction that takes the write lock at its start if it is to write."""

    connection: LedgerConnection

    def __enter__(self) -> SQLiteCursor:
        self.cursor = self.connection.cursor()
        try:
            self.cursor.execute("BEGIN IMMEDIATE" if self.commit else "BEGIN")
        except sqlite3.Error as error:
            raise StoreError(explain(error, self.connection.path)) from error
        if self.commit:
            self.connection.turn.take()
        return self.cursor

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        try:
            self.cursor.sqlite_cursor.close()
            super().__exit__(exc_type, exc_val, exc_tb)
        except (IntegrityError, StoreError):
            raise
        except PersistenceError as error:
            raise StoreError(explain(error, self.connection.path)) from error
        finally:
            self.connection.end_turn()


class LedgerConnection(SQLiteConnection):
    """A connection that is never left inside a transaction that failed."""

    def __init__(self, sqlite_conn: sqlite3.Connection, path: Path) -> None:
        super().__init__(sqlite_conn, max_age=None)
        self.path, self.turn = path, CheckpointTurn(sqlite_conn, path)

    def close(self) -> None:
        """Close the connection, and give up its turn."""
        self.turn.close()
        super().close()

    def transaction(self, *, commit: bool) -> LedgerTransaction:  # type: ignore[override]  # a context manager, too
        """A cursor inside a transaction that is committed, or rolled back."""
        return LedgerTransaction(self, commit=commit)

    def rows(self, statement: str, values: Sequence[object]) -> list[Any]:
        """What one statement reads, as plain tuples; a statement by itself sees one state."""
        cursor = self._sqlite_conn.cursor()
        cursor.row_factory = None
        try:
            return cursor.execute(statement, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise StoreError(explain(error, self.path)) from error
        finally:
            cursor.close()

    def commit(self) -> None:
        """Commit, or roll back what could not be committed."""
        try:
            super().commit()
        except BaseException:
            self.rollback()
            raise

    def rollback(self) -> None:
        """Roll back; a connection that cannot even do that is closed, and the pool makes another."""
        try:
            super().rollback()
        except sqlite3.Error:
            self.close()

    def end_turn(self) -> None:
        """Let others checkpoint."""
        if self.closed:  # the lock went with it
            return
        self.turn.give_back()


class LedgerConnectionPool(SQLiteConnectionPool):
    """Connections to one ledger file, each with the settings we rely on."""

    def __init__(self, path: Path, mapped_mb: int = 0) -> None:
        super().__init__(db_name=str(path), pool_timeout=POOL_TIMEOUT_SECONDS)
        self.path, self.mapped_mb = path, mapped_mb
        self._get_semaphore = Lock()  # type: ignore[assignment]  # the same in C: each append and each read takes it

    @staticmethod
    def detect_memory_mode(db_name: str) -> bool:
        """A ledger is always a file, whatever its name."""
        return False

    def close(self) -> None:
        """Close the connections at rest; one at work in another thread is closed by its user, not under its hands."""
        with self._put_condition:
            self._in_use.clear()
            super().close()

    def get_connection(self, timeout: float | None = None, *, is_writer: bool | None = None) -> SQLiteConnection:
        """A connection; one at rest at once, where nobody waits for one, without looking at the time."""
        if not self._closed and self._get_semaphore.acquire(blocking=False):
            try:
                connection = self._at_rest(is_writer)
            finally:
                self._get_semaphore.release()
            if connection:
                return connection
        return super().get_connection(timeout, is_writer=is_writer)

    def _at_rest(self, is_writer: bool | None) -> SQLiteConnection | None:
        """As the library does it, if nothing has to be waited for or made."""
        if is_writer and not self._writer_lock.acquire(blocking=False):
            return None
        with self._put_condition:
            connection = self._pool.popleft() if self._pool else None
            if connection is None or connection.closed:
                if is_writer:
                    self._writer_lock.release()
                return None
            connection.in_use.acquire()
            connection.is_writer = is_writer
            self._in_use[id(connection)] = connection
        if is_writer:
            self._num_writers += 1
        elif is_writer is False:
            with self._no_readers:
                self._num_readers += 1
        return connection

    def put_connection(self, conn: SQLiteConnection) -> None:
        """Take a connection back, or close it if the pool was closed meanwhile."""
        try:
            super().put_connection(conn)
        except ConnectionPoolClosedError:
            conn.close()

    def _create_connection(self) -> LedgerConnection:
        with plain_errors(self.path):
            connection = connect(self.path, self.mapped_mb)
            check_journal(connection)
        connection.row_factory = sqlite3.Row
        return LedgerConnection(connection, self.path)


class LedgerDatastore(SQLiteDatastore):
    """One ledger file, found or created, and the connections to it."""

    pool: LedgerConnectionPool

    def __init__(self, name: str, *, create: bool, master_key: str = "", mapped_mb: int = 0) -> None:
        super().__init__(name, originator_id_type="text")
        path = plain_path(name)
        self.page, self.made = prepare(path, create=create, master_key=master_key)
        self.pool = LedgerConnectionPool(path, mapped_mb)

    def transaction(self, *, commit: bool) -> PooledTransaction:  # type: ignore[override]  # a context manager, too
        """A cursor inside a transaction on a connection of the pool."""
        return PooledTransaction(self, commit)

    def rows(self, statement: str, values: Sequence[object]) -> list[Any]:
        """What one statement reads, as plain tuples."""
        return self.rows_each(statement, (values,))

    def rows_each(self, statement: str, each: Iterable[Sequence[object]]) -> list[Any]:
        """What one statement reads with some values, then with others: one after the other, as plain tuples."""
        connection = self.take(commit=False)
        try:
            return [row for values in each for row in connection.rows(statement, values)]
        finally:
            self.pool.put_connection(connection)

    def take(self, *, commit: bool) -> LedgerConnection:
        """A connection of the pool, to be put back."""
        try:
            connection = self.pool.get_connection(is_writer=commit)
        except ConnectionUnavailableError as error:
            raise StoreError("the ledger is busy: no connection became free in time") from error
        assert isinstance(connection, LedgerConnection)
        return connection

    @contextmanager
    def get_connection(self, *, commit: bool) -> Iterator[SQLiteConnection]:
        """A connection of the pool, given back afterwards."""
        connection = self.take(commit=commit)
        try:
            yield connection
        finally:
            self.pool.put_connection(connection)


class PooledTransaction:
    """From taking a connection to giving it back; a class, because generators cost an entry a tenth of its commit."""

    def __init__(self, datastore: LedgerDatastore, commit: bool) -> None:
        self.datastore, self.commit = datastore, commit

    def __enter__(self) -> SQLiteCursor:
        connection = self.datastore.take(commit=self.commit)
        self.inner = connection.transaction(commit=self.commit)
        try:
            return self.inner.__enter__()
        except BaseException:
            self.datastore.pool.put_connection(connection)
            raise

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        try:
            self.inner.__exit__(exc_type, exc_val, exc_tb)
        finally:
            self.datastore.pool.put_connection(self.inner.connection)
