"""The tables of the read model, laid by ``sqlite-utils``, and the statements that fill them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Final

from projections.rows.columns import sql_list
from projections.rows.day import DAY_COLUMNS, DAY_ORDER
from projections.rows.finding import FINDING_ORDER, KEPT_FINDING_COLUMNS
from projections.rows.line import LINE_COLUMNS, LINE_ORDER

SHAPE: Final = "3"
"""The shape of the tables; a read model of another shape is built anew."""

TABLES: Final[Mapping[str, Mapping[str, type]]] = {
    table: {column.name: column.sql_type for column in columns}
    for table, columns in (("days", DAY_COLUMNS), ("lines", LINE_COLUMNS), ("findings", KEPT_FINDING_COLUMNS))
}
"""The tables of rows, in the order of a patient's digests."""

ORDER: Final = {"days": sql_list(DAY_ORDER), "lines": sql_list(LINE_ORDER), "findings": sql_list(FINDING_ORDER)}
"""The canonical order of a table's rows: that of a patient's digest."""

INDEXES: Final = {
    "days": DAY_ORDER,
    "lines": LINE_ORDER,
    "findings": ("patient",),
    "digests": ("patient",),
}


def _insert_into(table: str, count: int) -> str:
    return f'INSERT INTO "{table}" VALUES ({", ".join("?" * count)})'


INSERT: Final = {table: _insert_into(table, len(columns)) for table, columns in TABLES.items()} | {
    "digests": _insert_into("digests", 4)
}


SHARED: Final = {
    table: tuple(column.name for column in columns if column.shared)
    for table, columns in (("days", DAY_COLUMNS), ("lines", LINE_COLUMNS))
}
"""Columns that many rows in a row have in common: bound once for all of them."""
RUN_ROWS: Final = 32


@cache
def _insert_run(table: str, count: int) -> str:
    """A statement for so many rows: first the shared values, then what is each row's own."""
    columns, shared = list(TABLES[table]), SHARED[table]
    own = [name for name in columns if name not in shared]
    rows = []  # numbered places take a sequence, on Python 3.14 too; 3.12.0 to 3.12.3 warn that it will not, by mistake
    for row in range(count):
        first = len(shared) + row * len(own) + 1
        places = {name: at for at, name in enumerate(shared, 1)} | {name: at for at, name in enumerate(own, first)}
        rows.append(f"({', '.join(f'?{places[name]}' for name in columns)})")
    return f'INSERT INTO "{table}" VALUES {", ".join(rows)}'


def _picking(table: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    columns, shared = list(TABLES[table]), SHARED[table]
    return (
        itemgetter(*map(columns.index, shared)),
        itemgetter(*(at for at, name in enumerate(columns) if name not in shared)),
    )


_PICKING: Final = {table: _picking(table) for table in SHARED}


def insert_rows(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Put rows of a table in; where neighbours share most of their cells, those are handed over once."""
    if table not in SHARED:
        connection.executemany(INSERT[table], rows)
        return
    shared_of, own_of = _PICKING[table]
    cursor = connection.cursor()
    for shared, run in groupby(rows, shared_of):
        own = list(map(own_of, run))
        for start in range(0, len(own), RUN_ROWS):
            part = own[start : start + RUN_ROWS]
            cursor.execute(_insert_run(table, len(part)), (*shared, *chain.from_iterable(part)))


def lay_tables(connection: sqlite3.Connection) -> None:
    """The empty tables of rows and digests, in the caller's transaction, without indexes."""
    from sqlite_utils import Database

    database = Database(connection, execute_plugins=False)  # nobody else's code runs over patients' rows
    for table, columns in TABLES.items():
        database.table(table).create(dict(columns), strict=True)
    database.table("digests").create({"patient": str, "days": bytes, "lines": bytes, "findings": bytes}, strict=True)


def index_tables(connection: sqlite3.Connection) -> None:
    """The indexes: laid after the rows where many come at once."""
    for table, columns in INDEXES.items():
        unique = "UNIQUE " if table in ("days", "digests") else ""
        connection.execute(f'CREATE {unique}INDEX "{table}_by_patient" ON "{table}" ({sql_list(columns)})')


def lay_notes(connection: sqlite3.Connection) -> None:
    """The tables that are kept when the rows are built anew: notes of the model, and patients set aside."""
    connection.execute("CREATE TABLE IF NOT EXISTS model (key TEXT PRIMARY KEY, value TEXT) STRICT")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS set_aside (patient TEXT PRIMARY KEY, episode TEXT NOT NULL,"
        " version INTEGER NOT NULL, position INTEGER) STRICT"
    )
