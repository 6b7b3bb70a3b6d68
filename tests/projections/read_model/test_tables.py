"""Rows as they go into the read model: every cell comes back, however many neighbours share it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.read_model.tables import RUN_ROWS, TABLES, insert_rows, lay_tables

CELLS: dict[type, st.SearchStrategy[Any]] = {
    str: st.sampled_from(["a", "b", "", None]),
    int: st.sampled_from([1, None]),
}


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect("", isolation_level=None)) as opened:
        lay_tables(opened)
        yield opened


@st.composite
def rows(draw: st.DrawFn) -> tuple[str, list[tuple[object, ...]]]:
    table = draw(st.sampled_from(sorted(TABLES)))
    row = st.tuples(*(CELLS[kind] for kind in TABLES[table].values()))
    runs = draw(st.lists(st.tuples(row, st.integers(1, 2 * RUN_ROWS + 3)), max_size=4))
    return table, [row for row, count in runs for _ in range(count)]


@settings(deadline=None)
@given(rows())
def test_rows_come_back_as_they_were_put_in(
    connection: sqlite3.Connection, given_rows: tuple[str, list[tuple[object, ...]]]
) -> None:
    table, put_in = given_rows
    connection.execute(f'DELETE FROM "{table}"')
    insert_rows(connection, table, put_in)
    assert connection.execute(f'SELECT * FROM "{table}" ORDER BY rowid').fetchall() == put_in
