"""Refused rows as CSV, each with why: to be mended and imported again."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

from commands.sheets.matching import Matched, Read
from commands.sheets.reading import WHY_REFUSED, Sheet
from ledger.files import create, name_new, put_in_place
from projections.formulas import begins_formula

ROW: Final = "Row"


class AlreadyThere(Exception):
    """A file has the name that refused rows would be written under."""


class RefusedRows:
    """A folder of CSV files, one for each sheet with refused rows, under the sheet's name.

    Used in a ``with``: files get their names when it ends, whole. AlreadyThere before anything is written, if a file of
    one of the names is there and may not be replaced.
    """

    def __init__(self, folder: Path | None, sheets: Matched, *, replace: bool) -> None:
        self._folder, self._replace = folder, replace
        self._open: dict[Sheet, tuple[TextIO, Any, Path]] = {}
        self._last: tuple[Sheet, int] | None = None
        self.possible = sorted({self._path(each.sheet) for each in sheets.chosen}) if folder is not None else []
        """The files that may be written."""
        for path in self.possible if not replace else ():
            if os.path.lexists(path):
                raise AlreadyThere(str(path))

    @property
    def paths(self) -> list[Path]:
        """The files that were written."""
        return [path for _, _, path in self._open.values()]

    def _path(self, sheet: Sheet) -> Path:
        assert self._folder is not None
        return self._folder / f"{''.join(mark if mark.isalnum() or mark in ' -_.' else '_' for mark in sheet.name)}.csv"

    def __enter__(self) -> RefusedRows:
        return self

    def add(self, read: Read, message: str) -> None:
        """A refused row; a row of which several facts are refused is written once, with why for the first."""
        if self._folder is None or self._last == (read.sheet, read.row.number):
            return
        self._last = (read.sheet, read.row.number)
        if read.sheet not in self._open:
            self._open[read.sheet] = self._begun(read)
        width = len(_kept(read.header))
        cells = [_guarded(read.row.cells[place]) for place in _kept(read.header) if place < len(read.row.cells)]
        cells += [""] * (width - len(cells))
        self._open[read.sheet][1].writerow([*cells, read.row.number, message.partition(": ")[2]])

    def _begun(self, read: Read) -> tuple[TextIO, Any, Path]:
        path = self._path(read.sheet)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        part.unlink(missing_ok=True)
        file = os.fdopen(create(part), "w", encoding="utf-8", errors="backslashreplace", newline="")
        writer = csv.writer(file)
        writer.writerow([*(read.header[place] for place in _kept(read.header)), ROW, WHY_REFUSED])
        return file, writer, path

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file, _, path in self._open.values():
            file.close()
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
            (put_in_place if self._replace else name_new)(part, path)


def _kept(header: list[str]) -> list[int]:
    """The columns of the sheet itself: not those that were added to rows refused before."""
    added = {ROW, WHY_REFUSED} if WHY_REFUSED in header else set()
    return [place for place, name in enumerate(header) if name not in added]


def _guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; read back as it was."""
    return "'" + cell if begins_formula(cell) else cell
