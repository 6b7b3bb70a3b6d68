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


class LedgerDatastore(PostgresDatastore):
    """The connections to one ledger in a PostgreSQL database."""

    def __init__(self, url: str) -> None:
        parts = {"connect_timeout": int(CONNECT_TIMEOUT_SECONDS), **parts_of(url)}
        super().__init__(  # none is made before it is asked for: else asking makes a second one beside it
            dbname="", host="", port="", user="", password="", originator_id_type="text", pool_size=0,
            max_overflow=CONNECTIONS, connect_timeout=CONNECT_TIMEOUT_SECONDS, pre_ping=True,
        )  # fmt: skip
        self._parts = LISTENING_FOR_LIFE | parts | {"client_encoding": "UTF8", "row_factory": tuple_row}
        self.pool.kwargs = self._parts
        with self.new_connection(CONNECT_TIMEOUT_SECONDS) as connection:
            check(connection)

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
    """Settings of a session."""
    connection.autocommit = True
    for statement in SESSION:
        connection.execute(statement)  # a literal of this module


@contextmanager
def connected(parts: dict[str, Any], cut_after: float | None = None) -> Iterator[Connection]:
    """One connection by itself, with a plain answer if there is none to be had; cut after some seconds if asked."""
    try:
        connection: Connection = psycopg.connect(**LISTENING_FOR_LIFE | parts)
    except psycopg.Error as error:
        raise StoreError(explain_connecting(error)) from error
    with connection, plain_errors(), _cut(connection, cut_after):
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
