"""Connections to a ledger in PostgreSQL; one that a restarted server has forgotten is replaced unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg.rows import tuple_row

from ledger.recorders import StoreError
from ledger.recorders.postgres_errors import LOCK_TIMEOUT_SECONDS, explain_connecting, plain_errors
from ledger.recorders.postgres_schema import Connection, check
from ledger.recorders.postgres_url import parts_of

CONNECTIONS: Final = 10
CONNECT_TIMEOUT_SECONDS: Final = 10.0
STATEMENT_TIMEOUT_SECONDS: Final = 600
VANISHED_SECONDS: Final = 5
"""How long a writer that fell silent keeps its turn: less than whoever reads back is ready to wait."""
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
        self._parts = parts | {"client_encoding": "UTF8", "row_factory": tuple_row}
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
    def new_connection(self, seconds: float) -> Iterator[Connection]:
        """A connection of its own, had within some seconds (two at least: libpq waits no shorter)."""
        parts = self._parts | {"connect_timeout": max(2, int(seconds))}
        with connected(parts) as connection, plain_errors():
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
def connected(parts: dict[str, Any]) -> Iterator[Connection]:
    """One connection by itself, with a plain answer if there is none to be had."""
    try:
        connection: Connection = psycopg.connect(**parts)
    except psycopg.Error as error:
        raise StoreError(explain_connecting(error)) from error
    with connection, plain_errors():
        prepare(connection)
        yield connection
