"""Rows of files: CSV with whatever separates its cells, TSV, and the sheets of workbooks; one row at a time.

Whatever a file holds, a row or a cell of it is bounded, and what cannot be read is a plain sentence.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from msgspec import Struct

from commands.sheets.bounds import LONGEST_ROW, MOST_COLUMNS, Rows, SheetTrouble
from commands.sheets.templates import tidy
from projections.formulas import begins_formula

WHY_REFUSED: Final = "Why refused"
"""The column that is added to refused rows; a file that has it is one of ours, mended."""

NOT_UTF8: Final = "expected text in UTF-8; save the file as CSV UTF-8"
_TOO_LONG: Final = f"expected a row of at most {LONGEST_ROW:,} characters"
_TOO_MANY: Final = f"expected at most {MOST_COLUMNS} cells"
_QUOTES: Final = "expected quotes that open at the beginning of a cell and close at its end"

_MARKS: Final = ("\t", ";", ",", "|")
_SNIFFED: Final = 4


class Row(Struct, frozen=True, gc=False):
    """A row by its number in the file (the header's is 1), its cells as text without blanks at their ends, and what is
    wrong with it as a whole."""

    number: int
    cells: tuple[str, ...]
    fault: str | None = None


class Sheet(NamedTuple):
    """A table of a file: a name to find its mapping by, and a label for messages."""

    path: Path
    file: str
    name: str
    label: str
    worksheet: str | None = None


class Opened(NamedTuple):
    """A sheet being read: its headers, and the rows below them that are not blank."""

    header: list[str]
    rows: Iterator[Row]


def sheets_of(path: Path) -> list[Sheet]:
    """The tables of a file; SheetTrouble if it holds none that can be read."""
    if not _is_workbook(path):
        return [Sheet(path, path.name, path.stem, path.name)]
    from commands.sheets.workbook import worksheets_of

    return [Sheet(path, path.name, name, f"{path.name}, sheet {name}", name) for name in worksheets_of(path)]


def _is_workbook(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise SheetTrouble(
            f"{path.name}: is an old Excel file or has a password; save it as .xlsx without one, or as CSV"
        )
    return start.startswith(b"PK") and zipfile.is_zipfile(path)


@contextmanager
def opened(sheet: Sheet, header_row: int = 1) -> Iterator[Opened]:
    """A sheet from its header on; SheetTrouble if it has none."""
    if sheet.worksheet is None:
        with sheet.path.open(encoding=_encoding(sheet.path), errors="surrogateescape", newline="") as file:
            yield _below_header(sheet, _rows_of_text(sheet, file), header_row)
    else:
        from commands.sheets.workbook import rows_of_worksheet

        with rows_of_worksheet(sheet.path, sheet.worksheet, sheet.label) as rows:
            yield _below_header(sheet, rows, header_row)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    return "utf-16" if start in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _below_header(sheet: Sheet, rows: Rows, header_row: int) -> Opened:
    number = 0
    for cells, fault, _ in rows:
        number += 1
        if number < header_row or not any(map(str.strip, cells)):
            continue
        if fault:
            raise SheetTrouble(f"{sheet.label}, row {number}: {fault}")
        header = [tidy(cell) for cell in cells]
        while header and not header[-1]:
            header.pop()
        unguard = _unguarded if WHY_REFUSED in header else None
        return Opened(header, _numbered(rows, number, len(header), sheet.worksheet is not None, unguard))
    raise SheetTrouble(f"{sheet.label}: has no row of headers; expected the names of the columns in row {header_row}")


def _numbered(rows: Rows, number: int, width: int, padded: bool, unguard: Callable[[str], str] | None) -> Iterator[Row]:
    """The rows below a header that are not blank, each as wide as the header.

    Where a quote was not closed, every line that went into its cell is at fault.
    """
    for told, fault, lines in rows:
        number += 1
        cells = tuple(map(str.strip, told))
        if fault is None:
            if not any(cells):
                continue
            if len(cells) != width:
                cells, fault = _fitted(cells, width, padded)
            if unguard:
                cells = tuple(map(unguard, cells))
        yield Row(number, cells, fault)
        if fault is not None and lines > 1:
            for _ in range(1, lines):
                number += 1
                yield Row(number, (), fault)


def _fitted(cells: tuple[str, ...], width: int, padded: bool) -> tuple[tuple[str, ...], str | None]:
    """Cells as many as the header has, if no more is missing or left over than blanks."""
    if len(cells) > width and not any(cells[width:]):
        return cells[:width], None
    if padded and len(cells) < width:
        return cells + ("",) * (width - len(cells)), None
    return cells, f"expected {width} cells, as many as the row of headers has (here are {min(len(cells), 9_999):,})"


def _unguarded(cell: str) -> str:
    """A cell as it was before it was guarded from being taken for a formula."""
    return cell[1:] if cell[:1] == "'" and begins_formula(cell[1:]) else cell


def _rows_of_text(sheet: Sheet, file: TextIO) -> Rows:
    try:
        mark = _mark_of(file, sheet.path.suffix)
        yield from _split(_bounded(file), mark)
    except UnicodeError:
        raise SheetTrouble(f"{sheet.label}: {NOT_UTF8}") from None


def _mark_of(file: TextIO, suffix: str) -> str:
    """What separates the cells: the mark that the first lines have most of outside quotes, each in the same number."""
    lines = [line for line in (file.readline(LONGEST_ROW) for _ in range(_SNIFFED)) if line.strip()]
    file.seek(0)
    bare = ["".join(line.split('"')[::2]) for line in lines]
    counted = {mark: bare[0].count(mark) if bare else 0 for mark in _MARKS}
    if suffix.lower() in (".tsv", ".tab") and counted["\t"]:
        return "\t"
    best = max(_MARKS, key=lambda mark: counted[mark])
    return best if counted[best] else ","


def _bounded(file: TextIO) -> Iterator[str]:
    """Lines, of which none is longer than a row may be by much; the end of one is never a line by itself."""
    read, longest = file.readline, LONGEST_ROW + 2
    ahead = read(longest)
    while line := ahead:
        last = line
        while len(last) == longest and last[-1] not in "\r\n":
            last = read(longest)
        ahead = read(longest)
        if ahead == "\n" and last[-1:] == "\r":  # what was read so far ended in the middle of a line's end
            ahead = read(longest)
        if last is not line:
            line = line.replace('"', "").ljust(longest, "x") + "\n"  # cut off, a quote would stay open
        yield line


def _split(lines: Iterator[str], mark: str) -> Rows:
    reader = csv.reader(lines, delimiter=mark, strict=True)
    before = 0
    while True:
        try:
            for cells in reader:
                after = reader.line_num
                yield cells, None if len(cells) < 100 and _is_plain(cells) else _fault_of(cells), after - before
                before = after
            return
        except csv.Error:
            yield [], _QUOTES, reader.line_num - before
            before = reader.line_num


def _is_plain(cells: list[str]) -> bool:
    whole = "".join(cells)
    return len(whole) <= LONGEST_ROW and whole.isascii()


def _fault_of(cells: list[str]) -> str | None:
    whole = "".join(cells)
    if len(whole) > LONGEST_ROW:
        return _TOO_LONG
    if len(cells) > MOST_COLUMNS:
        return _TOO_MANY
    try:
        whole.encode()
    except UnicodeEncodeError:
        return NOT_UTF8
    return None
