"""The sheets of an .xlsx workbook, with openpyxl (the extra ``xlsx``), which is loaded when one is read.

A workbook is a zip of XML: what it says it unpacks to is bounded before anything is unpacked, and the parser is given
no document type, in which a few lines can stand for gigabytes.
"""

from __future__ import annotations

import datetime
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from commands.sheets.bounds import LONGEST_ROW, MOST_COLUMNS, Rows, SheetTrouble

LARGEST_PART_BYTES: Final = 1 << 30
LARGEST_TEXTS_BYTES: Final = 1 << 27
"""Of the texts that cells share, which are held in memory."""
MOST_PARTS: Final = 2_000
LARGEST_UNPACKED: Final = 200
"""How many times what is packed it may unpack to; sheets of numbers come to 30."""

_ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!"})
_BROKEN: Final = "cannot be read as a workbook; save it again as .xlsx, or as CSV UTF-8"
_CONTROL = re.compile(r"_x000D_|\r")


def worksheets_of(path: Path) -> list[str]:
    """The names of a workbook's sheets."""
    with _workbook(path) as book:
        return [sheet.title for sheet in book.worksheets]


@contextmanager
def rows_of_worksheet(path: Path, name: str, label: str) -> Iterator[Rows]:
    """The rows of one sheet, as text."""
    with _workbook(path) as book:
        sheet = book[name]
        sheet.reset_dimensions()  # what a file says of its size need not be so
        yield _rows(sheet, label)


def _rows(sheet: Any, label: str) -> Rows:
    cells = sheet.iter_rows(values_only=True)
    while True:
        try:
            values = next(cells, None)
        except Exception:
            raise SheetTrouble(f"{label}: {_BROKEN}") from None
        if values is None:
            return
        yield *_texts(values), 1


def _texts(values: tuple[Any, ...]) -> tuple[list[str], str | None]:
    width = next((place for place in range(len(values), 0, -1) if values[place - 1] is not None), 0)
    texts = [_text(value) for value in values[: min(width, MOST_COLUMNS + 1)]]
    if len(texts) > MOST_COLUMNS:
        return texts[:MOST_COLUMNS], f"expected at most {MOST_COLUMNS} cells"
    if sum(map(len, texts)) > LONGEST_ROW:
        return [text[:99] for text in texts], f"expected a row of at most {LONGEST_ROW:,} characters"
    if _ERRORS.intersection(texts):
        return texts, "expected values, and a formula here gave an error"
    return texts, None


def _text(value: Any) -> str:
    """A cell's value as one would type it into a CSV."""
    match value:
        case None:
            return ""
        case str():
            return _CONTROL.sub("", value)
        case bool():
            return "yes" if value else "no"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
        case datetime.datetime():
            rounded = value.replace(microsecond=0) + datetime.timedelta(seconds=round(value.microsecond / 1e6))
            return rounded.isoformat(" ").removesuffix(" 00:00:00")
        case datetime.time():
            return value.replace(microsecond=0).isoformat()
    return str(value)


@contextmanager
def _workbook(path: Path) -> Iterator[Any]:
    try:
        from openpyxl import load_workbook
    except ModuleNotFoundError:
        extra = "workbooks are read with an extra: pip install 'episode-ledger[xlsx]'"
        raise SheetTrouble(f"{path.name}: {extra}; or save its sheets as CSV UTF-8") from None
    warnings.filterwarnings("ignore", module="openpyxl")  # they repeat what stands in a cell
    _refuse_bombs(path)
    try:
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except Exception:
        raise SheetTrouble(f"{path.name}: {_BROKEN}") from None
    try:
        yield book
    finally:
        book.close()


def _refuse_bombs(path: Path) -> None:
    """SheetTrouble for a workbook that would unpack to more than a workbook is."""
    try:
        with zipfile.ZipFile(path) as packed:
            parts = packed.infolist()
            unpacked = sum(part.file_size for part in parts)
            large = [part for part in parts if part.file_size > _largest(part.filename)]
            if len(parts) > MOST_PARTS or large or unpacked > max(1 << 24, LARGEST_UNPACKED * path.stat().st_size):
                raise SheetTrouble(
                    f"{path.name}: unpacks to more than is read of a workbook; save its sheets as CSV UTF-8"
                )
            for part in parts:
                if part.filename.endswith((".xml", ".rels")) and _declares_a_document_type(packed, part):
                    raise SheetTrouble(f"{path.name}: {_BROKEN}")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error):
        raise SheetTrouble(f"{path.name}: {_BROKEN}") from None


def _largest(name: str) -> int:
    return LARGEST_TEXTS_BYTES if name.endswith(("sharedStrings.xml", "styles.xml")) else LARGEST_PART_BYTES


def _declares_a_document_type(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    with packed.open(part) as stream:
        start = stream.read(65_536).replace(b"\0", b"")  # in UTF-16 every other byte is
    return b"<!DOCTYPE" in start or b"<!ENTITY" in start
