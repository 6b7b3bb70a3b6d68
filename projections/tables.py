"""Tables for people: at most 100 columns, in dollars, payers' names and plain words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import compress, zip_longest
from textwrap import wrap
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from projections.words import REASONS, STATUS, amount, verdict_words

WIDEST: Final = 100
"""Columns that a table takes at most: a terminal's and a printed page's."""
_NARROW_CELL: Final = 9
_NARROWEST_CELL: Final = 6
_A_DATE: Final = "2026-01-01"
_BETWEEN: Final = "  "
_INDENT: Final = "    "
_MONEY: Final = re.compile(r"(^|_)cents(_|$)")
_SHORT: Final = {"authorization": "auth"}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Layout(NamedTuple):
    """How a table is laid out: ``hidden`` columns are left out, ``nothing`` is said instead of no rows, ``payers`` are
    shown by these names, ``below`` is a column that stands under each row in the table's whole width, and ``widest`` is
    that width at most."""

    hidden: Sequence[str] = ()
    nothing: str = "Nothing to show."
    payers: Mapping[str, str] = MappingProxyType({})
    below: str | None = None
    widest: int = WIDEST


def table_lines(rows: Iterable[msgspec.Struct], kind: type[msgspec.Struct], layout: Layout) -> Iterator[str]:
    """The lines of a table; columns in which no row says anything are left out, too."""
    left_out = (*layout.hidden, layout.below)
    fields = [field for field in msgspec.structs.fields(kind) if field.encode_name not in left_out]
    table, below = [], []
    for row in rows:
        table.append([_cell(field.encode_name, getattr(row, field.name), layout.payers) for field in fields])
        below.append(printable(getattr(row, layout.below)) if layout.below else "")
    if not table:
        yield layout.nothing
        return
    said = [any(column) for column in zip(*table, strict=True)]
    kept = list(compress(fields, said))
    lines = [[_header(field.encode_name) for field in kept], *(list(compress(line, said)) for line in table)]
    widths = fitting(lines, layout.widest)
    numbers = [_is_number(field.type) for field in kept]
    yield from row_lines(lines[0], widths, numbers)
    yield _BETWEEN.join("-" * width for width in widths)
    for line, text in zip(lines[1:], below, strict=True):
        yield from row_lines(line, widths, numbers)
        yield from (_INDENT + part for part in wrap(text, layout.widest - len(_INDENT), break_on_hyphens=False))


def folded(line: str, hanging: int | None = None, widest: int = WIDEST) -> list[str]:
    """A line of text on as many lines as it takes; all but the first begin in a column, by default two on."""
    if len(line) <= widest:
        return [line]
    column = len(line) - len(line.lstrip()) + 2 if hanging is None else hanging
    return wrap(line, widest, subsequent_indent=" " * column, break_long_words=False, break_on_hyphens=False)


def command_lines(words: str, indent: str, widest: int = WIDEST) -> Iterator[str]:
    """A command line as it can be typed or pasted: where it is too long it goes on after a backslash, between words."""
    line = f"{indent}episode-ledger"
    for word in map(shlex.quote, shlex.split(words)):
        if len(line) + len(word) + len(" ") + len(_GOES_ON) > widest:
            yield line + _GOES_ON
            line = f"{indent}   "
        line += f" {word}"
    yield line


_GOES_ON: Final = " \\"


def row_lines(cells: Sequence[str], widths: Sequence[int], numbers: Sequence[bool]) -> Iterator[str]:
    """A row, on as many lines as its longest cell takes."""
    wrapped = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for parts in zip_longest(*wrapped, fillvalue=""):
        placed = (
            part.rjust(width) if is_number else part.ljust(width)
            for part, width, is_number in zip(parts, widths, numbers, strict=True)
        )
        yield _BETWEEN.join(placed).rstrip()


def _wrapped(cell: str, width: int) -> list[str]:
    """A cell at its blanks; only where a word has no room at all, at the hyphens between letters, and then anywhere."""
    if len(cell) <= width:
        return [cell]
    return wrap(cell, width, break_on_hyphens=any(len(word) > width for word in cell.split(" ")))


def table_as_ever(rows: Iterable[msgspec.Struct], kind: type[msgspec.Struct]) -> str:
    """A table in the form of the first version, for what was promised to print the same bytes for good."""
    from tabulate import tabulate

    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    table = [[printable(text_of(cell)) for cell in msgspec.structs.astuple(row)] for row in rows]
    return tabulate(table, headers=names, disable_numparse=True)


def fitting(lines: Sequence[Sequence[str]], widest: int = WIDEST) -> list[int]:
    """Widths of columns that fit together: the widest give way first, and a word is broken only where nothing else
    helps, a date never. Where a terminal has no room for so many columns they take more of a page instead."""
    columns = list(zip(*lines, strict=True))
    widths = [max(map(len, column)) for column in columns]
    words = [max(len(word) for cell in column for word in cell.split(" ")) for column in columns]
    dates = [any(map(_DATE.fullmatch, column)) for column in columns]
    texts = [any(" " in cell for cell in column) for column in columns]
    leasts = (
        words,
        [min(word, _NARROW_CELL) for word in words],
        [min(word, _NARROWEST_CELL if is_text else _NARROW_CELL) for word, is_text in zip(words, texts, strict=True)],
        [min(word, _NARROWEST_CELL) for word in words],
    )
    for least, most in zip(leasts, (widest, widest, widest, max(widest, WIDEST - len(_INDENT))), strict=True):
        held = [len(_A_DATE) if is_date else width for width, is_date in zip(least, dates, strict=True)]
        _narrow(widths, held, most - len(_BETWEEN) * (len(widths) - 1))
    return widths


def _narrow(widths: list[int], least: Sequence[int], room: int) -> None:
    """Take from the widest columns until they have room, or none can give way."""
    while sum(widths) > room:
        place = max(range(len(widths)), key=lambda at: (widths[at] > least[at], widths[at]))
        if widths[place] <= least[place]:
            break
        widths[place] -= 1


def _header(name: str) -> str:
    return _SHORT.get(name) or re.sub(r"\bcents\b", "dollars", name.removesuffix("_cents").replace("_", " "))


def _is_number(hint: Any) -> bool:
    """Whether a column holds whole numbers, or none."""
    core = getattr(hint, "__origin__", hint) if hasattr(hint, "__metadata__") else hint
    return core is int or int in getattr(core, "__args__", ())


def _cell(name: str, cell: Any, payers: Mapping[str, str]) -> str:
    """A cell as a person reads it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return amount(cell) if _MONEY.search(name) else f"{cell:,}"
    if isinstance(cell, str):
        return printable(_words(name, cell, payers))
    return printable(text_of(_in_runs(cell)))


def _words(name: str, cell: str, payers: Mapping[str, str]) -> str:
    match name:
        case "payer" | "now_payer" | "payer_before" | "payer_after":
            return payers.get(cell, cell)
        case "status":
            return STATUS.get(cell, cell)
        case "reason":
            return REASONS.get(cell, cell)
        case "rule":
            return cell.replace("_", " ")
        case "before" | "after":
            status, _, word = cell.partition(" ")
            return verdict_words(cell) if status in STATUS and (status == "billable" or word in REASONS) else cell
    return cell


def text_of(cell: Any) -> str:
    """A cell as text: lists of texts by semicolons, tables as JSON."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, tuple) and all(isinstance(part, str) for part in cell):
        return "; ".join(cell)
    if isinstance(cell, tuple | dict | msgspec.Struct):
        return msgspec.json.encode(cell).decode()
    return str(cell)


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
