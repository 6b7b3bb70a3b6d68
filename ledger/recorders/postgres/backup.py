"""A backup of a ledger in PostgreSQL, and the way back: the rows of one moment in the very file a ledger's file gives.

So a ledger can go from a file to PostgreSQL and back, with its id, its seals, and every checkpoint made of it. Rows go
to the server by a binary COPY, which leaves no value in its log: neither with a statement nor with an error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from ledger.progress import Progress, silent
from ledger.recorders.postgres.migrate import found_in_turn, make_tables
from ledger.recorders.postgres.pool import STATEMENT_TIMEOUT_SECONDS, connected
from ledger.recorders.postgres.prove import one_moment, prove_within
from ledger.recorders.postgres.schema import Connection, check, one
from ledger.recorders.postgres.url import parts_of, shown
from ledger.recorders.sqlite.backup_file import (
    Held,
    NotABackup,
    held_by,
    make_backup,
    mark,
    proved,
    refuse_unlike,
    tables_of,
)
from ledger.recorders.sqlite.file import plain_errors
from ledger.recorders.sqlite.schema import SCHEMAS

Read = Callable[[str, tuple[str, ...]], Iterator[list[Any]]]
"""Reads a table's columns, a page of rows at a time."""

_PAGE_ROWS: Final = 500
_FORMAT: Final = "SELECT value FROM ledger WHERE key = 'format'"
_GUARD: Final = "CREATE TRIGGER"


def backup(url: str, out: Path, made_at: str, tell: Progress = silent) -> Held:
    """Write a backup of a ledger to a file that was not there, restore it beside, prove that, and only then name it."""
    with plain_errors(out):
        return make_backup(out, lambda to: _copy(url, to, made_at, tell))


def restore(file: Path, url: str, tell: Progress = silent) -> Held:
    """Make a ledger of a backup in a schema that has none: tables and rows in one transaction, committed once proved.

    The backup is proved before, too: what is damaged never gets to the server.
    """
    held = held_by(file)
    count = _counting(held.entries, tell)
    with _in_one_go(url) as connection:
        _refuse_present(connection, url)  # told before the long work of proving
    with proved(file, held) as copy, closing(_opened(copy)) as source, _in_one_go(url) as connection:
        _refuse_present(connection, url)
        (format_,) = source.execute(_FORMAT).fetchone()
        make_tables(connection, lambda _: _put_in(connection, source, format_, count), format_)
        check(connection)
        refuse_unlike(prove_within(connection), held, file.name)
    return held


@contextmanager
def _in_one_go(url: str) -> Iterator[Connection]:
    """A connection whose work stands as a whole or not at all; it takes as long as it takes, but vanishes in time."""
    with connected(parts_of(url) | {"client_encoding": "UTF8"}) as connection, connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")  # a COPY of everything is one statement
        connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'")
        yield connection


def _copy(url: str, to: Path, made_at: str, tell: Progress) -> Held:
    """The rows of one moment, whatever others commit meanwhile."""
    with one_moment(url) as connection, closing(sqlite3.connect(to, isolation_level=None)) as copy:
        check(connection)
        held = _at_this_moment(connection, made_at)
        copy.execute("PRAGMA secure_delete = ON")  # no copies of keys in pages that are split
        copy.execute("PRAGMA synchronous = OFF")  # nobody uses the file before it is whole, and synced
        copy.execute("BEGIN")
        _fill(copy, one(connection, _FORMAT), _read_from(connection), _counting(held.entries, tell))
        copy.execute("COMMIT")
        mark(copy, held)
    return held


def _at_this_moment(connection: Connection, made_at: str) -> Held:
    last = connection.execute("SELECT position, seal FROM entries ORDER BY position DESC LIMIT 1").fetchone()
    position, head = last or (0, b"")
    return Held(one(connection, "SELECT value FROM ledger WHERE key = 'id'"), position, head.hex(), made_at)


def _fill(copy: sqlite3.Connection, format_: str, read: Read, count: Callable[[int], None]) -> None:
    """The tables, their rows, and then the guards: what they would refuse is for the proof to name."""
    for statement in SCHEMAS[format_]:
        if not statement.startswith(_GUARD):
            copy.execute(statement)
    for table, columns in tables_of(format_).items():
        places = ", ".join("?" * len(columns))
        for rows in read(table, columns):
            copy.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)
            count(len(rows))
    for statement in SCHEMAS[format_]:
        if statement.startswith(_GUARD):
            copy.execute(statement)


def _read_from(connection: Connection) -> Read:
    def read(table: str, columns: tuple[str, ...]) -> Iterator[list[Any]]:
        with connection.cursor("copied", binary=True) as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {columns[0]}")
            while rows := cursor.fetchmany(_PAGE_ROWS):
                yield rows

    return read


def _refuse_present(connection: Connection, url: str) -> None:
    if found_in_turn(connection):
        ledger = one(connection, "SELECT value FROM ledger WHERE key = 'id'")
        raise NotABackup(
            f"{shown(url)} has a ledger already, {ledger}, which is left as it is, even if it is empty; name a schema"
            " or a database without one: restore makes the tables by itself, so do not run migrate before"
        )


def _opened(copy: Path) -> sqlite3.Connection:
    """A restored ledger's file, to be read by nobody else."""
    return sqlite3.connect(f"{copy.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _put_in(connection: Connection, source: sqlite3.Connection, format_: str, count: Callable[[int], None]) -> None:
    """Every row of a restored ledger's file."""
    for table, columns in tables_of(format_).items():
        listed = ", ".join(columns)
        _put(connection, table, listed, source.execute(f"SELECT {listed} FROM {table} ORDER BY {columns[0]}"), count)


def _put(
    connection: Connection, table: str, listed: str, rows: Iterable[tuple[Any, ...]], count: Callable[[int], None]
) -> None:
    with connection.cursor() as cursor:
        described = cursor.execute(f"SELECT {listed} FROM {table} LIMIT 0").description or ()
        with cursor.copy(f"COPY {table} ({listed}) FROM STDIN (FORMAT BINARY)") as put:
            put.set_types([column.type_code for column in described])
            for row in rows:
                put.write_row(row)
                count(1)


def _counting(of: int, tell: Progress) -> Callable[[int], None]:
    """Tells how many rows are done, of about as many as there are entries."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        tell(min(done, of), of)

    return count
