"""Rows put into order outside of memory, however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain, islice
from typing import Any, Final

import msgspec

from projections.rows.cells import Cells

ROWS_AT_ONCE: Final = 2_000
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[tuple[Any, ...]]).decode


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


def in_order_by_month(
    rows: Iterable[Cells], month_of: Callable[[Cells], str], key_of: Callable[[Cells], Cells], width: int, keys: int
) -> Iterator[Cells]:
    """The rows by month and, within it, by their keys of so many cells; as ``in_order`` has them, and quicker where
    those of each month come in order, as patients do one after the other: then nothing is sorted."""
    remaining = iter(rows)
    with closing(_Months()) as months:
        for row in remaining:
            if not months.take(month_of(row), key_of(row), row):
                every = chain(months.rows(), [row], remaining)
                yield from in_order((((month_of(each), *key_of(each)), each) for each in every), width, 1 + keys)
                return
        yield from months.rows()


class _Months:
    """Rows that come in the order of their keys within each month; they wait encoded, in a database without a name."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute("BEGIN")
        self._connection.execute("CREATE TABLE parts (part INTEGER PRIMARY KEY, rows BLOB)")
        self._last: dict[str, Cells] = {}
        self._parts: dict[str, list[int | None]] = {}
        self._waiting: dict[str, list[Cells]] = {}
        self._count = 0

    def take(self, month: str, key: Cells, row: Cells) -> bool:
        """Take a row, unless it does not come in order."""
        last = self._last.get(month)
        if last is not None and not _follows(last, key):
            return False
        self._last[month] = key
        self._waiting.setdefault(month, []).append(row)
        self._count += 1
        if self._count == ROWS_AT_ONCE:
            self._lay_down()
        return True

    def rows(self) -> Iterator[Cells]:
        """All that were taken, by month."""
        self._lay_down()
        for month in sorted(self._parts):
            for part in self._parts[month]:
                ((rows,),) = self._connection.execute("SELECT rows FROM parts WHERE part = ?", (part,))
                yield from _decode(rows)

    def close(self) -> None:
        """Let go of them."""
        self._connection.close()

    def _lay_down(self) -> None:
        for month, rows in self._waiting.items():
            laid = self._connection.execute("INSERT INTO parts (rows) VALUES (?)", (_encode(rows),))
            self._parts.setdefault(month, []).append(laid.lastrowid)
        self._waiting.clear()
        self._count = 0


def _follows(last: Cells, key: Cells) -> bool:
    try:
        return last <= key
    except TypeError:  # nothing, which comes first, beside something
        return False
