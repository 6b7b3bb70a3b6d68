"""Rows put into order outside of memory, however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from projections.rows.cells import Cells

ROWS_AT_ONCE: Final = 2_000


def in_order(rows: Iterable[tuple[Cells, Cells]], width: int, keys: int) -> Iterator[Cells]:
    """The rows by their keys, text as code points; each comes with its key, of so many cells. Equal keys: as given.

    They wait in a database without a name that SQLite keeps on disk and that is gone however this process ends.
    """
    connection = sqlite3.connect("", isolation_level=None)
    try:
        names = [f"k{place}" for place in range(keys)] + [f"c{place}" for place in range(width)]
        connection.execute("BEGIN")
        connection.execute(f"CREATE TABLE rows ({', '.join(names)})")
        insert = f"INSERT INTO rows VALUES ({', '.join('?' * len(names))})"
        remaining = ((*key, *row) for key, row in rows)
        while batch := list(islice(remaining, ROWS_AT_ONCE)):
            connection.executemany(insert, batch)
        connection.execute("COMMIT")
        order = ", ".join([*names[:keys], "rowid"])
        yield from connection.execute(f"SELECT {', '.join(names[keys:])} FROM rows ORDER BY {order}")
    finally:
        connection.close()
