"""The columns of a sheet that a mapping names, and how a field's value is taken from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from operator import itemgetter
from types import UnionType
from typing import Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from msgspec import UnsetType

from commands.door.shapes import Field, Form
from commands.sheets import cells
from commands.sheets.bounds import SheetTrouble
from commands.sheets.cells import Convert, Unfit
from commands.sheets.mapping import CellOf, MappingOf, Value
from commands.sheets.moments import DateForm, has_time
from commands.sheets.reading import Sheet
from commands.sheets.templates import EACH, NUMBER, parse
from ledger.facts.forms import Cents, Hcpcs, Icd10, InstantOrDate, Ndc, Units

Cells = tuple[str, ...]
"""Of a row."""
TextOf = Callable[[Cells], str]
"""Gives a text from the cells of a row: empty if all cells that it takes are."""


class Filled(NamedTuple):
    """A template over a sheet's columns."""

    text: TextOf
    shown: str
    headers: tuple[str, ...]


class Taken(NamedTuple):
    """How a field is taken from a row; ``required`` is what is expected of one that must be there."""

    name: str
    text: TextOf
    convert: Convert
    missing: str | int | bool | None
    required: str | None
    shown: str


_CONVERTS: Final[tuple[tuple[Any, Convert], ...]] = (
    (Ndc, cells.as_ndc), (Icd10, cells.as_icd10), (Hcpcs, cells.as_code), (Cents, cells.as_cents),
    (Units, cells.as_units),
)  # fmt: skip
_BY_TYPE: Final[Mapping[Any, Convert]] = {
    bool: cells.as_yes_or_no, Decimal: cells.as_quantity, str: cells.as_text,
}  # fmt: skip


class Columns:
    """The columns of a sheet by their headers; what a mapping asks of them in vain is remembered."""

    def __init__(self, sheet: Sheet, header: list[str], mapping: MappingOf) -> None:
        self._sheet, self._header, self._mapping = sheet, header, mapping
        self._places: dict[str, int] = {}
        self._twice: set[str] = set()
        self._wrong: dict[str, str] = {}
        for place, name in enumerate(header):
            if name and self._places.setdefault(name.casefold(), place) != place:
                self._twice.add(name.casefold())

    def with_each(self, header: str) -> Columns:
        """The same columns and, after them, one of several values in a cell and its number."""
        self.place(header)
        more = Columns(self._sheet, [*self._header, EACH, NUMBER], self._mapping)
        width = len(self._header)
        more._places |= {EACH: width, NUMBER: width + 1}
        more._wrong, more._twice = self._wrong, self._twice - {EACH, NUMBER}
        return more

    def place(self, header: str) -> int:
        """Where a column is."""
        name = header.casefold()
        if name in self._twice:
            self._wrong[header] = f'has two columns "{header}"; rename one of them'
        if name not in self._places:
            close = get_close_matches(name, self._places, n=1, cutoff=0.7)
            shown = self._header[self._places[close[0]]] if close else None
            self._wrong[header] = f'has no column "{header}"' + (f'; did you mean "{shown}"?' if shown else "")
        return self._places.get(name, 0)

    def refuse_missing(self) -> None:
        """SheetTrouble with every column that was asked for in vain."""
        if self._wrong:
            raise SheetTrouble("\n".join(f"{self._sheet.label}: {each}" for each in self._wrong.values()))

    def template(self, text: str) -> Filled:
        """A text with cells in it."""
        template = parse(text)
        headers = tuple(template.headers)
        shown = ", ".join(f'"{header}"' for header in dict.fromkeys(headers)) or "the mapping"
        if not headers:
            return Filled(lambda _: text, shown, ())
        parts = [
            piece.text if piece.header is None else self._cell(piece.header, piece.filter) for piece in template.pieces
        ]
        if len(parts) == 1:
            return Filled(parts[0], shown, headers)  # type: ignore[arg-type]
        return Filled(_joined(parts), shown, headers)

    def _cell(self, header: str, filter: str | None) -> TextOf:
        place = self.place(header)
        if filter is None:
            return itemgetter(place)
        told = self._mapping
        filters = {"date": cells.as_date(told.dates), "icd10": cells.as_icd10, "ndc": cells.as_ndc}
        convert = filters.get(filter) or cells.renamed(filter, told.tables[filter])

        def filtered(row: Cells) -> str:
            text = row[place]
            return convert(text) if text else ""

        return filtered

    def condition(self, header: str, wanted: str | bool | list[str]) -> Callable[[Cells], bool]:
        """Whether a row's cell is one of some texts, whatever their capitals; or is filled, or empty."""
        place = self.place(header)
        if isinstance(wanted, bool):
            return lambda row: bool(row[place]) is wanted
        known = frozenset(each.strip().casefold() for each in ([wanted] if isinstance(wanted, str) else wanted))
        return lambda row: row[place].casefold() in known


def _joined(parts: list[str | TextOf]) -> TextOf:
    def join(row: Cells) -> str:
        filled, texts = False, []
        for part in parts:
            if isinstance(part, str):
                texts.append(part)
            else:
                text = part(row)
                filled = filled or bool(text)
                texts.append(text)
        return "".join(texts).strip() if filled else ""

    return join


def taken_value(field: Field, value: Value, columns: Columns, mapping: MappingOf) -> Taken:
    """How a mapping's value of a field is taken from a row."""
    required = field.form.expected if field.required else None
    if isinstance(value, bool | int):
        return Taken(field.name, lambda _: "", cells.as_text, value, None, "the mapping")
    cell = CellOf(value) if isinstance(value, str) else value
    filled = columns.template(cell.text)
    text = _with_a_time(filled.text) if _core(field.form.hint) is datetime and len(filled.headers) > 1 else filled.text
    convert = _convert(field.form, cell, mapping)
    return Taken(field.name, text, convert, cell.missing, required, filled.shown)


def _with_a_time(text: TextOf) -> TextOf:
    """A date and a time from several cells: nothing where there is no time."""
    return lambda row: found if has_time(found := text(row)) else ""


def _convert(form: Form, cell: CellOf, mapping: MappingOf) -> Convert:
    if form.item is not None or (get_origin(_core(form.hint)) is tuple):
        item = _one(form.item, cell, mapping) if form.item is not None else cells.as_code
        return cells.listed(item, cell.split)
    return _one(form, cell, mapping)


def _one(form: Form, cell: CellOf, mapping: MappingOf) -> Convert:
    convert = _by_form(form, cell.dates or mapping.dates, cell.zone or mapping.zone)
    return cells.after(cells.renamed(cell.table, mapping.tables[cell.table]), convert) if cell.table else convert


def _by_form(form: Form, dates: DateForm, zone: str | None) -> Convert:
    if form.hint == InstantOrDate:
        return cells.as_instant_or_date(dates, zone)
    for hint, convert in _CONVERTS:
        if form.hint == hint:
            return convert
    core = _core(form.hint)
    if core is date:
        return cells.as_date(dates)
    if core is datetime:
        return cells.as_instant(dates, zone)
    if core is int:
        return cells.whole(form.expected)
    if get_origin(core) is Literal:
        return cells.one_of(get_args(core))
    return _BY_TYPE.get(core, cells.as_text)


def _core(hint: Any) -> Any:
    """A type without what is annotated, and without absence."""
    while True:
        if hasattr(hint, "__metadata__"):
            hint = hint.__origin__
        elif get_origin(hint) in (Union, UnionType) and UnsetType in get_args(hint):
            hint = next(member for member in get_args(hint) if member is not UnsetType)
        else:
            return hint


def read_into(fact: dict[str, Any], fields: tuple[Taken, ...], cells: Cells, faults: list[str]) -> None:
    """Put a row's values of some fields into a fact; what is wrong with them is added to the faults."""
    for name, text_of, convert, missing, required, shown in fields:
        try:
            text = text_of(cells)
            if text:
                fact[name] = convert(text)
            elif missing is not None:
                fact[name] = missing
            elif required is not None:
                faults.append(f"{shown}: expected {required}; the cell is empty")
        except Unfit as unfit:
            faults.append(f"{shown}: expected {unfit.expected}")
