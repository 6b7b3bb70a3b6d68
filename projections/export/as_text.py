"""Rows as CSV (RFC 4180) and as JSON Lines, both UTF-8; money is dollars with two decimals, as text."""

from __future__ import annotations

import csv
import io
import re
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
    if moved:
        text.writelines(_lines_of_days(rows, columns, moved))
    else:
        writer.writerows(_turned(rows, [_csv_turn(column) for column in columns]))
    text.flush()
    text.detach()


def _lines_of_days(rows: Iterable[Cells], columns: Sequence[Column], moved: Sequence[int]) -> Iterator[str]:
    """The lines of rows that stand for several days: what is between their dates is written once for all."""
    written = [_written_as(column) for column in columns]
    for *cells, days in rows:
        told = [write(cell) for write, cell in zip(written, cells, strict=True)]
        moving = [place for place in moved if cells[place] is not None]
        if len(moving) == 1:  # most: a claimed day has no filing limit
            before, after = _around(told, moving[0])
            yield before + (after + before).join([on or "" for (on,) in moved_dates(cells, days, moving)]) + after
            continue
        for dates in moved_dates(cells, days, moved):
            for place, on in zip(moved, dates, strict=True):
                told[place] = on or ""
            yield ",".join(told) + "\r\n"


def _around(told: Sequence[str], place: int) -> tuple[str, str]:
    """What stands in a line before a cell, and after it."""
    return "".join([cell + "," for cell in told[:place]]), ",".join(["", *told[place + 1 :]]) + "\r\n"


def _in_csv(cell: str | int | None) -> str:
    """A cell as it stands in a line that has others."""
    if cell is None:
        return ""
    if isinstance(cell, int) or _needs_no_quotes(cell):
        return str(cell)
    text = io.StringIO()
    csv.writer(text).writerow([cell, None])
    return text.getvalue().removesuffix(",\r\n")


_needs_no_quotes: Final = re.compile(r"[\w.:/-]*").fullmatch
_as_it_is: Final = lru_cache(_SEEN)(_in_csv)
_text_in_csv: Final = lru_cache(_SEEN)(lambda cell: _in_csv(no_formula(cell)))
_dollars_in_csv: Final = lru_cache(_SEEN)(lambda cell: _in_csv(_dollars(cell)))


def _written_as(column: Column) -> Turn:
    """What writes a column's cells into a line."""
    turn = _csv_turn(column)
    if turn is None:
        return _as_it_is
    remembered: dict[Turn, Turn] = {_no_formula: _text_in_csv, _dollars: _dollars_in_csv}
    return remembered.get(turn) or (lambda cell: _in_csv(turn(cell)))


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
