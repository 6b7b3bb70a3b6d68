"""Rows for people (table), programs (JSON Lines) and spreadsheets (CSV without live formulas)."""

from __future__ import annotations

import csv
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final, TextIO

import click
import msgspec

from projections.formulas import begins_formula
from projections.tables import WIDEST, Layout, folded, printable, table_lines, text_of

__all__ = [
    "chosen_form", "print_nowhere", "printable", "room", "say", "show_prose", "show_rows", "show_rows_to_the_end",
    "show_text",
]  # fmt: skip


def chosen_form(form: str | None) -> str:
    """The form asked for, else a table for a terminal and JSON Lines for a pipe."""
    return form or ("table" if sys.stdout.isatty() else "json")


NARROWEST: Final = 76
"""A terminal narrower than that breaks the lines by itself."""


def room(stream: TextIO | None = None) -> int:
    """The columns that what is shown to a person takes at most: a table's, or a terminal's own if it has fewer."""
    try:
        columns = os.get_terminal_size((stream or sys.stdout).fileno()).columns
    except (OSError, ValueError):  # a pipe, a file, no stream at all
        return WIDEST
    return min(WIDEST, max(NARROWEST, columns)) if columns else WIDEST


def show_rows(rows: Iterable[msgspec.Struct], kind: type[msgspec.Struct], form: str | None, **layout: Any) -> None:
    """Print rows of one kind; ``layout`` is how a table is laid out."""
    match chosen_form(form):
        case "json":
            _show_json(rows)
        case "csv":
            _show_csv(rows, kind)
        case _:
            for line in table_lines(rows, kind, Layout(**layout, widest=room())):
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


def has_streams() -> bool:
    """Whether there is somewhere to print, which is said if not; and nothing that is opened takes a standard stream's
    place, where what is printed would be written into it."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8")
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, encoding="utf-8")
    if sys.stdout is None:
        say("episode-ledger: standard output is closed: there is nowhere to print, and nothing was done")
        say("hint: send what is printed to a file, or to /dev/null")
    return sys.stdout is not None


def _names(kind: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def _show_json(rows: Iterable[msgspec.Struct]) -> None:
    out = sys.stdout.buffer
    encoder = msgspec.json.Encoder()
    for row in rows:
        try:
            line = encoder.encode(row)
        except UnicodeEncodeError:  # a path whose bytes are no UTF-8
            line = encoder.encode(_whole(msgspec.to_builtins(row)))
        out.write(line + b"\n")
    out.flush()


def _show_csv(rows: Iterable[msgspec.Struct], kind: type[msgspec.Struct]) -> None:
    writer = csv.writer(_Utf8())
    writer.writerow(_names(kind))
    writer.writerows(list(map(safe_cell, msgspec.structs.astuple(row))) for row in rows)
    sys.stdout.buffer.flush()


def _whole(value: Any) -> Any:
    """A value whose texts can be written in UTF-8: of a path's bytes that are none, the sign for what is unknown."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, list | tuple):
        return [_whole(each) for each in value]
    return {name: _whole(each) for name, each in value.items()} if isinstance(value, dict) else value


class _Utf8:
    """Where ``csv`` writes: standard output in UTF-8, whatever the terminal's own encoding."""

    def write(self, text: str) -> None:
        """Write a line."""
        sys.stdout.buffer.write(_whole(text).encode())


def safe_cell(cell: Any) -> str:
    """A cell that no spreadsheet takes for a formula; a number below zero is a number."""
    text = text_of(cell)
    return "'" + text if begins_formula(text) and not isinstance(cell, int) else text


def show_text(text: str) -> None:
    """Print lines that cannot steer a terminal."""
    for line in text.splitlines():
        click.echo(printable(line))


def show_prose(text: str) -> None:
    """Print text for a person: likewise, and no line wider than a table."""
    for line in map(printable, text.splitlines()):
        for part in folded(line, widest=room()):
            click.echo(part)


def say(text: str) -> None:
    """Tell the person, beside the output: on stderr. A terminal is given it at a table's width."""
    if not sys.stderr.isatty():
        click.echo(text, err=True)
        return
    for line in text.split("\n"):
        for part in folded(line, widest=room(sys.stderr)):
            click.echo(part, err=True)
