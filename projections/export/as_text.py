"""Rows as CSV (RFC 4180) and as JSON Lines, both UTF-8; money is dollars with two decimals, as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, BinaryIO, Final

import msgspec

from projections.formulas import begins_formula
from projections.rows.cells import Cells
from projections.rows.columns import Column
from projections.rows.several_days import moved_dates
from projections.words import decimal

Turn = Callable[[Any], Any]


def no_formula(text: str | None) -> str | None:
    """A text that no spreadsheet takes for a formula; taking one leading apostrophe off gives it back."""
    return "'" + text if text and (text[0] == "'" or begins_formula(text)) else text


_SEEN: Final = 4_096
"""So many of the texts and amounts of an export are remembered as they are written: most of them come again."""
_no_formula: Final = lru_cache(_SEEN)(no_formula)


@lru_cache(_SEEN)
def _dollars(cents: int | None) -> str | None:
    return None if cents is None else decimal(cents)


def _or_none(turn: Turn) -> Turn:
    return lambda cell: None if cell is None else turn(cell)


def write_csv(file: BinaryIO, columns: Sequence[Column], rows: Iterable[Cells], moved: Sequence[int] = ()) -> None:
    """A header and the rows; nothing in a cell is null, a list is JSON. Where dates move on, rows stand for several
    days."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(column.name for column in columns)
    turned = _turned(rows, [_csv_turn(column) for column in columns])
    if moved:
        text.writelines(_lines_of_days(turned, moved))
    else:
        writer.writerows(turned)
    text.flush()
    text.detach()


def _lines_of_days(rows: Iterable[list[Any]], moved: Sequence[int]) -> Iterator[str]:
    """The lines of rows that stand for several days: what is between their dates is written once for all."""
    for *cells, days in rows:
        told = list(map(_in_csv, cells))
        for place in moved:
            told[place] = "%s"
        line = ",".join(told) + "\r\n"
        for dates in moved_dates(cells, days, moved):
            yield line % tuple([on or "" for on in dates])


@lru_cache(_SEEN)
def _in_csv(cell: str | int | None) -> str:
    """A cell as it stands in a line that has gaps."""
    text = io.StringIO()
    csv.writer(text).writerow([cell, None])
    return text.getvalue().removesuffix(",\r\n").replace("%", "%%")


def _csv_turn(column: Column) -> Turn | None:
    if column.kind in ("text", "word"):
        return _no_formula
    if column.kind == "flag":
        return _or_none(lambda cell: "true" if cell else "false")
    return _dollars if column.kind == "money" else None


def write_jsonl(file: BinaryIO, columns: Sequence[Column], rows: Iterable[Cells]) -> None:
    """One object a line, its keys in the order of the columns."""
    encoder = msgspec.json.Encoder()
    objects = as_objects(columns, rows)
    file.writelines(encoder.encode(each) + b"\n" for each in objects)


def as_objects(columns: Sequence[Column], rows: Iterable[Cells]) -> Iterable[dict[str, Any]]:
    """Rows as they are written in JSON."""
    names = [column.name for column in columns]
    for cells in _turned(rows, [_json_turn(column) for column in columns]):
        yield dict(zip(names, cells, strict=True))


def _turned(rows: Iterable[Cells], turns: Sequence[Turn | None]) -> Iterator[list[Any]]:
    """Rows with those cells turned that a turn is for."""
    turned = [(place, turn) for place, turn in enumerate(turns) if turn]
    for row in rows:
        cells = list(row)
        for place, turn in turned:
            cells[place] = turn(cells[place])
        yield cells


def _json_turn(column: Column) -> Turn | None:
    if column.kind in ("texts", "dates"):
        return _or_none(_raw)
    if column.kind == "flag":
        return _or_none(bool)
    return _dollars if column.kind == "money" else None


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())
