"""The rows and digests of a read model read back, also of one that has other columns than those of today."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from projections.read_model.tables import ORDER, STORED, TABLES
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
    found = [_digests(connection, table, "TRUE", ()) for table in TABLES]
    for patient, *digests in side_by_side(*found):
        yield patient, _whole(patient, digests)


def digests_of_those(connection: sqlite3.Connection, patients: Iterable[str]) -> Iterator[tuple[str, Digests]]:
    """The digests of some patients' rows as they stand; nothing of one without rows."""
    for patient in patients:
        whose = "patient = ?" if patient else "patient = ? OR patient IS NULL"
        found = [next(_digests(connection, table, whose, (patient,)), (patient, None)) for table in TABLES]
        if any(digest for _, digest in found):
            yield patient, _whole(patient, [digest for _, digest in found])


def patients_unlike(live: sqlite3.Connection, built: sqlite3.Connection) -> set[str] | None:
    """Whose rows are not the same in both, place by place; None where that cannot be told: other columns, damage.

    However many processes build, a patient's rows come one after the other, in the same order; where somebody was
    written since, they only stand elsewhere. In SQL it takes less than half of the time that digesting every row takes.
    """
    tables = [table for table in STORED if table != "digests"]
    path = live.execute("PRAGMA database_list").fetchone()[2]
    if not path or any(_columns_of(live, table) != [*STORED[table]] for table in tables):
        return None
    try:
        built.execute("ATTACH ? AS live", (path,))
        try:
            built.execute("PRAGMA temp_store = MEMORY")
            built.execute("CREATE TEMP TABLE moved (patient TEXT PRIMARY KEY, ahead INTEGER NOT NULL) WITHOUT ROWID")
            return {whose or "" for table in tables for whose in _unlike_in(built, table)}
        finally:
            built.execute("DROP TABLE IF EXISTS temp.moved")
            built.execute("DETACH live")
    except (sqlite3.Error, UnicodeDecodeError):  # whoever reads row by row says what it is
        return None


def _unlike_in(connection: sqlite3.Connection, table: str) -> set[str | None]:
    """Whose rows of a table have none of their like in the place where it should be, here or there.

    Where all rows here have one, each has its own: of as many rows there, none is left over.
    """
    here, there = (
        {whose: (first, count) for whose, first, count in connection.execute(
            f'SELECT patient, min(rowid), count(*) FROM {file}."{table}" GROUP BY patient'
        )}
        for file in ("main", "live")
    )  # fmt: skip
    places = [(whose, there[whose][0] - first) for whose, (first, _) in here.items() if whose and whose in there]
    moved = [each for each in places if each[1]]
    connection.execute("DELETE FROM temp.moved")
    connection.executemany("INSERT INTO temp.moved VALUES (?, ?)", moved)
    unlike = _alone_in(connection, table, "main", "live", "+" if moved else "")
    if unlike or sum(count for _, count in here.values()) != sum(count for _, count in there.values()):
        unlike |= _alone_in(connection, table, "live", "main", "-" if moved else "")
    return unlike


def _alone_in(connection: sqlite3.Connection, table: str, here: str, there: str, sign: str) -> set[str | None]:
    """Whose rows of one file's table have none of their like in the other's, at as many places further on (``+``) or
    back as the patient was moved; or at the same place."""
    ahead = f"{sign} ifnull((SELECT ahead FROM temp.moved WHERE moved.patient = here.patient), 0)" if sign else ""
    alike = " AND ".join(f'here."{name}" IS there."{name}"' for name in STORED[table])
    found = connection.execute(
        f'SELECT DISTINCT patient FROM {here}."{table}" AS here WHERE NOT EXISTS ('
        f'SELECT 1 FROM {there}."{table}" AS there WHERE there.rowid = here.rowid {ahead} AND {alike})'
    )
    return {whose for (whose,) in found}


def _whole(patient: str, digests: Sequence[bytes | None]) -> Digests:
    return tuple(found or digest(patient, _EMPTY) for found in digests)  # type: ignore[return-value]


def _digests(
    connection: sqlite3.Connection, table: str, whose: str, values: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    if table == "days" and _keeps_runs(connection):
        for patient, rows in _by_patient(connection, "day_runs", sql_list(RUN_ORDER), whose, values):
            yield patient, digest_of_days(patient, list(map(DayRun._make, rows)))
        return
    for patient, rows in _by_patient(connection, table, ORDER[table], whose, values):
        yield patient, digest(patient, rows)


def _by_patient(
    connection: sqlite3.Connection, table: str, order: str, whose: str, values: Sequence[str]
) -> Iterator[tuple[str, list[Cells]]]:
    place = _columns_of(connection, table).index("patient")
    rows = connection.execute(f'SELECT * FROM "{table}" WHERE {whose} ORDER BY {order}', values)
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
