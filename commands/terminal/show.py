"""Rows for people (table), programs (JSON Lines) and spreadsheets (CSV without live formulas)."""

from __future__ import annotations

import csv
import os
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, Final

import click
import msgspec

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WIDEST_CELL: Final = 48
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def chosen_form(form: str | None) -> str:
    """The form asked for, else a table for a terminal and JSON Lines for a pipe."""
    return form or ("table" if sys.stdout.isatty() else "json")


def show_rows(
    rows: Iterable[msgspec.Struct],
    kind: type[msgspec.Struct],
    form: str | None,
    hidden: Sequence[str] = (),
    nothing: str = "Nothing to show.",
) -> None:
    """Print rows of one kind; ``hidden`` columns are left out of the table, ``nothing`` is said instead of no rows."""
    match chosen_form(form):
        case "json":
            _show_json(rows)
        case "csv":
            _show_csv(rows, kind)
        case _:
            _show_table(rows, kind, hidden, nothing)


def show_rows_to_the_end(
    rows: Iterator[msgspec.Struct], kind: type[msgspec.Struct], form: str | None, **said: Any
) -> None:
    """Print rows whose making matters in itself: should the reader of a pipe leave, the rest is made all the same."""
    try:
        show_rows(rows, kind, form, **said)
    except BrokenPipeError:
        print_nowhere()
        deque(rows, maxlen=0)


def hand_over() -> None:
    """Let whoever reads a pipe have what was printed; one who has left is met by the next that is printed."""
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stdout.buffer.flush()


def print_nowhere() -> None:
    """Send what is still to be printed to nowhere: nobody can take it any more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _names(kind: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def _show_json(rows: Iterable[msgspec.Struct]) -> None:
    out = sys.stdout.buffer
    encoder = msgspec.json.Encoder()
    for row in rows:
        out.write(encoder.encode(row) + b"\n")
    out.flush()


def _show_csv(rows: Iterable[msgspec.Struct], kind: type[msgspec.Struct]) -> None:
    writer = csv.writer(_Utf8())
    writer.writerow(_names(kind))
    writer.writerows(list(map(_safe, msgspec.structs.astuple(row))) for row in rows)
    sys.stdout.buffer.flush()


class _Utf8:
    """Where ``csv`` writes: standard output in UTF-8, whatever the terminal's own encoding."""

    def write(self, text: str) -> None:
        """Write a line."""
        sys.stdout.buffer.write(text.encode())


def _safe(cell: Any) -> str:
    """A cell that no spreadsheet takes for a formula; a number below zero is a number."""
    text = _text(cell)
    return "'" + text if text.startswith(_FORMULA_STARTS) and not isinstance(cell, int) else text


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, tuple) and all(isinstance(part, str) for part in cell):
        return "; ".join(cell)
    if isinstance(cell, tuple | dict | msgspec.Struct):
        return msgspec.json.encode(cell).decode()
    return str(cell)


def _show_table(
    rows: Iterable[msgspec.Struct], kind: type[msgspec.Struct], hidden: Sequence[str], nothing: str
) -> None:
    from tabulate import tabulate

    names = _names(kind)
    shown = [place for place, name in enumerate(names) if name not in hidden]
    table = [_table_line(row, shown) for row in rows]
    if not table:
        click.echo(nothing)
        return
    widths = [_WIDEST_CELL] * (len(shown) - 1) + [None]  # the last, a message, is for the terminal to wrap
    headers = [names[place] for place in shown]
    click.echo(tabulate(table, headers=headers, disable_numparse=True, maxcolwidths=widths))


def _table_line(row: msgspec.Struct, shown: Sequence[int]) -> list[str]:
    cells = msgspec.structs.astuple(row)
    return [printable(_text(_in_runs(cells[place]))) for place in shown]


def _in_runs(cell: Any) -> Any:
    """A list of dates as runs of them; anything else as it is."""
    if not isinstance(cell, tuple) or not cell or not all(_DATE.fullmatch(str(part)) for part in cell):
        return cell
    runs: list[list[date]] = []
    for day in map(date.fromisoformat, cell):
        if runs and (day - runs[-1][-1]).days == 1:
            runs[-1][1:] = [day]
        else:
            runs.append([day])
    return tuple(" to ".join(map(str, run)) for run in runs)


def printable(text: str) -> str:
    """One line of text that cannot steer a terminal."""
    return "".join(mark if mark.isprintable() else "�" for mark in text)


def show_text(text: str) -> None:
    """Print lines that cannot steer a terminal."""
    for line in text.splitlines():
        click.echo(printable(line))


def say(text: str) -> None:
    """One line to the person, beside the output: to stderr."""
    click.echo(text, err=True)
