"""Connections to a ledger in PostgreSQL; one that a restarted server has forgotten is replaced unseen."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg.rows import tuple_row

from ledger.recorders import StoreError
from ledger.recorders.postgres.errors import LOCK_TIMEOUT_SECONDS, explain_connecting, plain_errors
from ledger.recorders.postgres.schema import Connection, check
from ledger.recorders.postgres.url import parts_of

CONNECTIONS: Final = 10
CONNECT_TIMEOUT_SECONDS: Final = 10.0
STATEMENT_TIMEOUT_SECONDS: Final = 600
VANISHED_SECONDS: Final = 5
"""How long a writer that fell silent keeps its turn: less than whoever reads back is ready to wait."""
LISTENING_FOR_LIFE: Final[dict[str, Any]] = {
    "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000,
}  # fmt: skip
"""A machine that vanished without a word is noticed after some ten seconds, where the system would wait for hours."""
SESSION: Final = (
    "SET client_min_messages = 'error'",
    "SET TIME ZONE 'UTC'",
    f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'",
    f"SET statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'",
    f"SET idle_in_transaction_session_timeout = '{VANISHED_SECONDS}s'",
    "SET log_parameter_max_length_on_error = 0",  # else what an entry says would be in the server's log
)


class _FirstMade:
    """How a pool makes its connections: the first is one that is there already."""

    def __init__(self) -> None:
        self.there: list[Connection] = []

    def connect(self, conninfo: str, **parts: Any) -> Connection:
        """That one, and from then on others."""
        with suppress(IndexError):  # two threads may ask
            return self.there.pop()
        return psycopg.connect(conninfo, **parts)

    def close(self) -> None:
        """End it, if nobody has asked for it."""
        while self.there:
            self.there.pop().close()


class LedgerDatastore(PostgresDatastore):
    """The connections to one ledger in a PostgreSQL database."""

    def __init__(self, url: str) -> None:
        self._first = _FirstMade()  # before anything fails: who goes closes
        parts = {"connect_timeout": int(CONNECT_TIMEOUT_SECONDS), **parts_of(url)}
        super().__init__(  # none is made before it is asked for: else asking makes a second one beside it
            dbname="", host="", port="", user="", password="", originator_id_type="text", pool_size=0,
            max_overflow=CONNECTIONS, connect_timeout=CONNECT_TIMEOUT_SECONDS, pre_ping=True,
        )  # fmt: skip
        self._parts = LISTENING_FOR_LIFE | parts | {"client_encoding": "UTF8", "row_factory": tuple_row}
        self.pool.kwargs = self._parts
        self.pool.connection_class = self._first  # type: ignore[assignment]
        self._first.there.append(self._looked_at_by())  # to make another costs the server more than to look

    def _looked_at_by(self) -> Connection:
        """A connection by which there was found to be a ledger that may be used."""
        connection = made(self._parts)
        try:
            with plain_errors():
                prepare(connection)
                check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """End the connections."""
        super().close()
        self._first.close()

    def after_connect_func(self) -> Callable[[Connection], None]:
        """What is set for a session."""
        return prepare

    @contextmanager
    def get_connection(self) -> Iterator[Connection]:
        """A connection of the pool; what the server reports comes out as a ``StoreError`` or a conflict."""
        with plain_errors():
            self.pool.open()
            with self.pool.connection() as connection:
                yield connection

    @contextmanager
    def new_connection(self, seconds: float, *, cut: bool = False) -> Iterator[Connection]:
        """A connection of its own, had within some seconds (two at least: libpq waits no shorter).

        With ``cut`` it ends after as many: a line that falls silent without an end would be waited on for long.
        """
        parts = self._parts | {"connect_timeout": max(2, int(seconds))}
        with connected(parts, cut_after=max(2.0, seconds) if cut else None) as connection, plain_errors():
            yield connection

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """What one statement reads."""
        with self.get_connection() as connection:
            return connection.execute(statement, values).fetchall()  # never from outside


def prepare(connection: Connection) -> None:
    """Settings of a session, all said at once: each by itself would have to be answered first."""
    connection.autocommit = True
    connection.execute("; ".join(SESSION))  # literals of this module


def made(parts: dict[str, Any]) -> Connection:
    """A connection, with a plain answer if there is none to be had."""
    try:
        return psycopg.connect(**LISTENING_FOR_LIFE | parts)
    except psycopg.Error as error:
        raise StoreError(explain_connecting(error)) from error


@contextmanager
def connected(parts: dict[str, Any], cut_after: float | None = None) -> Iterator[Connection]:
    """One connection by itself, cut after some seconds if asked."""
    with made(parts) as connection, plain_errors(), _cut(connection, cut_after):
        prepare(connection)
        yield connection


@contextmanager
def _cut(connection: Connection, after: float | None) -> Iterator[None]:
    """The line is cut from here after some seconds, so that whoever waits on it hears an end."""
    if after is None:
        yield
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        timer = threading.Timer(after, _shut, (line,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _shut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
