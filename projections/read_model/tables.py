"""The tables of the read model, laid by ``sqlite-utils``, and the statements that fill them.

Days are kept by runs (``projections/rows/day_run.py``); the view ``days`` gives them one by one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from projections.loading import not_loaded
from projections.rows.columns import sql_list
from projections.rows.day import DAY_COLUMNS, DAY_ORDER
from projections.rows.day_run import RUN_ORDER, RUN_TYPES
from projections.rows.finding import FINDING_ORDER, KEPT_FINDING_COLUMNS
from projections.rows.line import LINE_COLUMNS, LINE_ORDER

SHAPE: Final = "4"
"""The shape of the tables; a read model of another shape is built anew."""

TABLES: Final[Mapping[str, Mapping[str, type]]] = {
    table: {column.name: column.sql_type for column in columns}
    for table, columns in (("days", DAY_COLUMNS), ("lines", LINE_COLUMNS), ("findings", KEPT_FINDING_COLUMNS))
}
"""The rows as they are read, in the order of a patient's digests."""

STORED: Final[Mapping[str, Mapping[str, type]]] = {
    "day_runs": RUN_TYPES,
    "lines": TABLES["lines"],
    "findings": TABLES["findings"],
    "digests": {"patient": str, "days": bytes, "lines": bytes, "findings": bytes},
}
"""The tables that they are kept in, and that of the digests."""

ORDER: Final = {"days": sql_list(DAY_ORDER), "lines": sql_list(LINE_ORDER), "findings": sql_list(FINDING_ORDER)}
"""The canonical order of a table's rows: that of a patient's digest."""

INDEXES: Final = {
    "day_runs": RUN_ORDER,
    "lines": LINE_ORDER,
    "findings": ("patient",),
    "digests": ("patient",),
}

INSERT: Final = {
    table: f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(columns))})' for table, columns in STORED.items()
}

_OF_EACH_DAY: Final = {"date": "date(first_date, '+' || key || ' days')", "because": "value"}
DAYS: Final = "SELECT {} FROM day_runs, json_each(because)".format(
    ", ".join(f"{_OF_EACH_DAY.get(name, sql_list([name]))} AS {sql_list([name])}" for name in TABLES["days"])
)
"""What the view of the days is."""


def lay_tables(connection: sqlite3.Connection) -> None:
    """The empty tables of rows and digests, and the view of the days, in the caller's transaction, without indexes."""
    with not_loaded("pandas", "numpy"):  # sqlite-utils has them loaded where they are there: 80 MB and half a second
        from sqlite_utils import Database

    database = Database(connection, execute_plugins=False)  # nobody else's code runs over patients' rows
    for table, columns in STORED.items():
        database.table(table).create(dict(columns), strict=True)
    database.create_view("days", DAYS)


def drop_tables(connection: sqlite3.Connection) -> None:
    """Take everything out that holds rows, also of a read model of an older shape, where days were a table."""
    kinds = dict(connection.execute("SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view')").fetchall())
    for name in ("days", *STORED):
        if name in kinds:
            connection.execute(f'DROP {kinds[name]} "{name}"')


def index_tables(connection: sqlite3.Connection) -> None:
    """The indexes: laid after the rows where many come at once."""
    for table, columns in INDEXES.items():
        unique = "UNIQUE " if table in ("day_runs", "digests") else ""
        connection.execute(f'CREATE {unique}INDEX "{table}_by_patient" ON "{table}" ({sql_list(columns)})')


def lay_notes(connection: sqlite3.Connection) -> None:
    """The tables that are kept when the rows are built anew: notes of the model, and patients set aside."""
    connection.execute("CREATE TABLE IF NOT EXISTS model (key TEXT PRIMARY KEY, value TEXT) STRICT")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS set_aside (patient TEXT PRIMARY KEY, episode TEXT NOT NULL,"
        " version INTEGER NOT NULL, position INTEGER) STRICT"
    )
