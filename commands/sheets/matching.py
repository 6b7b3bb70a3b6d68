"""Which sheets of which files a mapping speaks of, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from commands.sheets.bounds import SheetTrouble
from commands.sheets.mapped import FromRow, from_rows
from commands.sheets.mapping import MappingOf, NamedMapping, SheetOf
from commands.sheets.reading import Row, Sheet, opened, sheets_of


class Read(Struct, frozen=True, gc=False):
    """A row that was read, its sheet with its headers, and what it tells."""

    sheet: Sheet
    header: list[str]
    row: Row
    told: list[FromRow]


class Chosen(NamedTuple):
    """A sheet and what a mapping says of it."""

    sheet: Sheet
    of: SheetOf
    mapping: MappingOf

    def rows(self, by: str) -> Iterator[Read]:
        """Its rows; SheetTrouble if it cannot be read."""
        with opened(self.sheet, self.of.header_row) as found:
            for row, told in from_rows(self.sheet, found, self.of, self.mapping, by):
                yield Read(self.sheet, found.header, row, told)


class Matched(NamedTuple):
    """The sheets that are read, in the order of the mappings; and those of workbooks that are left out."""

    chosen: tuple[Chosen, ...]
    left_out: tuple[Sheet, ...]


def matched(paths: Sequence[Path], mappings: Sequence[NamedMapping]) -> Matched:
    """Which sheets are read by which mapping; SheetTrouble for a file that none speaks of."""
    sheets = [(path, sheet) for path in paths for sheet in sheets_of(path)]
    spoken = [(mapping.says, of) for mapping in mappings for of in mapping.says.sheets]
    if len(spoken) == 1 and all(sheet.worksheet is None for _, sheet in sheets):
        mapping, of = spoken[0]
        return Matched(tuple(Chosen(sheet, of, mapping) for _, sheet in sheets), ())
    chosen = tuple(Chosen(sheet, of, mapping) for mapping, of in spoken for _, sheet in sheets if _speaks_of(of, sheet))
    read = {each.sheet for each in chosen}
    if wrong := [_unread(path, spoken) for path in paths if not any(p == path and s in read for p, s in sheets)]:
        raise SheetTrouble("\n".join(wrong))
    return Matched(chosen, tuple(sheet for _, sheet in sheets if sheet not in read))


def _speaks_of(of: SheetOf, sheet: Sheet) -> bool:
    return fnmatchcase(sheet.name.casefold(), of.of.casefold())


def _unread(path: Path, spoken: Sequence[tuple[MappingOf, SheetOf]]) -> str:
    names = ", ".join(dict.fromkeys(of.of for _, of in spoken))
    return f"{path.name}: no [[sheets]] of the mapping is of this name; there are {names}"
