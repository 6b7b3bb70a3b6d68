"""Rows for people (table), programs (JSON Lines) and spreadsheets (CSV without live formulas)."""

from __future__ import annotations

import csv
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import click
import msgspec

from projections.tables import Layout, printable, table_lines, text_of

__all__ = ["chosen_form", "print_nowhere", "printable", "say", "show_rows", "show_rows_to_the_end", "show_text"]

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def chosen_form(form: str | None) -> str:
    """The form asked for, else a table for a terminal and JSON Lines for a pipe."""
    return form or ("table" if sys.stdout.isatty() else "json")


def show_rows(rows: Iterable[msgspec.Struct], kind: type[msgspec.Struct], form: str | None, **layout: Any) -> None:
    """Print rows of one kind; ``layout`` is how a table is laid out."""
    match chosen_form(form):
        case "json":
            _show_json(rows)
        case "csv":
            _show_csv(rows, kind)
        case _:
            for line in table_lines(rows, kind, Layout(**layout)):
                click.echo(line)


def show_rows_to_the_end(
    rows: Iterator[msgspec.Struct], kind: type[msgspec.Struct], form: str | None, **layout: Any
) -> None:
    """Print rows whose making matters in itself: should the reader of a pipe leave, the rest is made all the same."""
    try:
        show_rows(rows, kind, form, **layout)
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
    text = text_of(cell)
    return "'" + text if text.startswith(_FORMULA_STARTS) and not isinstance(cell, int) else text


def show_text(text: str) -> None:
    """Print lines that cannot steer a terminal."""
    for line in text.splitlines():
        click.echo(printable(line))


def say(text: str) -> None:
    """One line to the person, beside the output: to stderr."""
    click.echo(text, err=True)
