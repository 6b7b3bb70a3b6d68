"""The rows and digests of a read model read back, also of one that has other columns than those of today."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from projections.read_model.tables import ORDER, TABLES
from projections.read_model.views import Views
from projections.rows.cells import Cells
from projections.rows.columns import sql_list
from projections.rows.day_run import RUN_ORDER, DayRun, days_of
from projections.rows.digests import Digests, Sums, digest, digest_of_days

Columns = Mapping[str, Sequence[str]]
"""Columns of each table."""
_EMPTY: Final[list[Cells]] = []
_DIGESTS: Final = ("patient", *TABLES)


def shared_columns(connection: sqlite3.Connection) -> Columns:
    """The columns of today that a read model has, too, in the order of today's."""
    return {
        table: [name for name in columns if name in _columns_of(connection, table)] for table, columns in TABLES.items()
    }


def has_comparable_rows(connection: sqlite3.Connection) -> bool:
    """Whether rows of a read model can be held against those of today: whose they are, and in which order, is known."""
    ordering = {table: {name.strip(' "') for name in names.split(",")} for table, names in ORDER.items()}
    return tuple(_columns_of(connection, "digests")) == _DIGESTS and all(
        names <= set(_columns_of(connection, table)) for table, names in ordering.items()
    )


def columns_added(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The columns of today that a read model does not have: ``days.member``."""
    return tuple(
        f"{table}.{name}"
        for table, columns in TABLES.items()
        for name in columns
        if name not in _columns_of(connection, table)
    )


def _columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    return [name for _, name, *_ in connection.execute(f'PRAGMA table_info("{table}")')]


def only(columns: Columns, table: str, row: Cells) -> Cells:
    """Of a row of today, the cells in these columns."""
    wanted = columns[table]
    return tuple(cell for name, cell in zip(TABLES[table], row, strict=True) if name in wanted)


def rows_of(connection: sqlite3.Connection, patient: str, columns: Columns) -> dict[str, Counter[Cells]]:
    """A patient's rows, as far as these columns go."""
    whose = "patient = ?" if patient else "patient = ? OR patient IS NULL"
    found = {}
    for table, names in columns.items():
        if table == "days" and _keeps_runs(connection):
            runs = connection.execute(f"SELECT * FROM day_runs WHERE {whose}", (patient,))
            found[table] = Counter(only(columns, table, row) for row in days_of(map(DayRun._make, runs)))
        else:
            rows = connection.execute(f'SELECT {sql_list(names)} FROM "{table}" WHERE {whose}', (patient,))
            found[table] = Counter(rows.fetchall())
    return found


def _keeps_runs(connection: sqlite3.Connection) -> bool:
    """Whether a read model keeps runs of days; one of an older shape has a table of days."""
    return bool(_columns_of(connection, "day_runs"))


def sums_of(views: Views) -> dict[str, str]:
    """The fingerprints that the noted digests make."""
    sums = Sums()
    for _, digests in noted_digests(views.connection):
        sums.add(digests)
    return dict(zip(TABLES, sums.texts(), strict=True))


def noted_digests(connection: sqlite3.Connection) -> Iterator[tuple[str, Digests]]:
    """The digests noted with the rows, patient by patient."""
    for patient, *digests in connection.execute("SELECT * FROM digests ORDER BY patient"):
        yield patient or "", tuple(found or b"" for found in digests)  # type: ignore[misc]


def digests_read(connection: sqlite3.Connection) -> Iterator[tuple[str, Digests]]:
    """The digests of the rows as they stand, patient by patient."""
    by_table = [
        _digests_of_runs(connection) if table == "days" and _keeps_runs(connection) else _digests(connection, table)
        for table in TABLES
    ]
    for patient, *found in side_by_side(*by_table):
        yield patient, tuple(each or digest(patient, _EMPTY) for each in found)  # type: ignore[misc]


def _digests(connection: sqlite3.Connection, table: str) -> Iterator[tuple[str, bytes]]:
    for patient, rows in _by_patient(connection, table, ORDER[table]):
        yield patient, digest(patient, rows)


def _digests_of_runs(connection: sqlite3.Connection) -> Iterator[tuple[str, bytes]]:
    for patient, rows in _by_patient(connection, "day_runs", sql_list(RUN_ORDER)):
        yield patient, digest_of_days(patient, list(map(DayRun._make, rows)))


def _by_patient(connection: sqlite3.Connection, table: str, order: str) -> Iterator[tuple[str, list[Cells]]]:
    place = _columns_of(connection, table).index("patient")
    rows = connection.execute(f'SELECT * FROM "{table}" ORDER BY {order}')
    for patient, found in groupby(rows, key=lambda row: row[place] or ""):  # damaged rows may lack it
        yield patient, list(found)


def side_by_side(*streams: Iterator[tuple[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """Streams in order of their keys, as (key, value of the first or None, value of the second or None, ...)."""
    heads = [next(stream, None) for stream in streams]
    while keys := [head[0] for head in heads if head]:
        key = min(keys)
        yield key, *(head[1] if head and head[0] == key else None for head in heads)
        heads = [
            next(stream, None) if head and head[0] == key else head for stream, head in zip(streams, heads, strict=True)
        ]
