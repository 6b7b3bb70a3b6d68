"""Rows and a mapping become lines of intake, each with the row and the columns that it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from commands.door.shapes import EVENTS, Shape
from commands.sheets.cells import Unfit, parts_of
from commands.sheets.columns import Cells, Columns, Taken, read_into, taken_value
from commands.sheets.mapping import FactOf, MappingOf, SheetOf, Value
from commands.sheets.reading import Opened, Row, Sheet
from commands.sheets.templates import NUMBER, parse, pattern_of

MOST_IN_A_CELL: Final = 50
_encode: Final = msgspec.json.Encoder().encode


class Place(Struct, frozen=True, gc=False):
    """Where something of a sheet comes from."""

    sheet: Sheet
    row: int
    fact: FactPlan | None = None

    def says(self, expected: str) -> str:
        """A message about it."""
        return f"{self.sheet.label}, row {self.row}: {expected}"


class Made(Struct, frozen=True, gc=False):
    """A fact that a row tells: as a line of intake, or why there is none; ``rows`` are all that make it, if several."""

    place: Place
    raw: bytes | None
    message: str = ""
    rows: tuple[Row, ...] = ()


class NotMade(Struct, frozen=True, gc=False):
    """A fact that a row would tell and does not: its condition does not hold, or its list has ended before."""

    place: Place
    episode: str
    source: str
    id: str
    id_of: Callable[[int], str] | None = None
    number: int = 0


FromRow = Made | NotMade


class FactPlan:
    """How the rows of one sheet make one kind of fact."""

    def __init__(self, fact: FactOf, mapping: MappingOf, columns: Columns, by: str) -> None:
        self.type = fact.type
        self.of_many_rows = bool(fact.line)
        shape = EVENTS[fact.type]
        if fact.for_each is not None:
            columns = columns.with_each(fact.for_each)
        self._split, self._each = fact.split, columns.place(fact.for_each) if fact.for_each else None
        self._envelope = tuple(
            (name, columns.template(text))
            for name, text in (
                ("episode", fact.episode or mapping.episode),
                ("source", fact.source or mapping.source),
                ("id", fact.id),
                ("by", fact.by or mapping.by or by),
            )
        )
        texts = fact.episode or mapping.episode, fact.source or mapping.source, fact.id
        self._patterns = [pattern_of(parse(text)) for text in texts]
        self._counts = fact.for_each is not None and NUMBER in self._envelope[2][1].headers
        self._constant = {name: template.text(()) for name, template in self._envelope if not template.headers}
        self._varying = [(name, template) for name, template in self._envelope if template.headers]
        self._when = [columns.condition(header, wanted) for header, wanted in fact.when.items()]
        self._fields = _taken(fact.fields, shape, columns, mapping)
        constant = {name for name, value in fact.fields.items() if isinstance(value, bool | int)}
        self._read = tuple(taken for taken in self._fields if taken.name not in constant)
        self._fixed = {"type": self.type, **{name: fact.fields[name] for name in fact.fields if name in constant}}
        item = shape.fields["lines"].form.item if fact.line else None
        self._line = _taken(fact.line, item.shape, columns, mapping) if item and item.shape else ()
        self.columns: Mapping[str, str] = {
            **{name: template.shown for name, template in self._envelope},
            **{f"fact.{taken.name}": taken.shown for taken in self._fields},
            **{f"fact.lines.{taken.name}": taken.shown for taken in self._line},
        }
        """Which columns, in words, a field of the line comes from."""

    def would_tell(self, episode: str, source: str, id: str) -> bool:
        """Whether an entry could be one that these rows tell, by what it is known by."""
        known = zip(self._patterns, (episode, source, id), strict=True)
        return all(pattern.match(text) is not None for pattern, text in known)

    def told_by(self, row: Row, place: Place) -> Iterable[FromRow]:
        """What a row tells."""
        if self._each is None:
            told = self._fact(row.cells, place)
            return () if told is None else (told,)
        return self._told_of_list(self._each, row, place)

    def _told_of_list(self, each: int, row: Row, place: Place) -> Iterator[FromRow]:
        parts, cells = parts_of(row.cells[each], self._split), row.cells
        if len(parts) > MOST_IN_A_CELL:
            yield Made(place, None, place.says(f"expected at most {MOST_IN_A_CELL} values in a cell"))
            return
        for number, part in enumerate(parts, 1):
            if (told := self._fact((*cells, part, str(number)), place)) is not None:
                yield told
        if self._counts:
            yield from self._ended(cells, len(parts) + 1, place)

    def _ended(self, cells: Cells, number: int, place: Place) -> Iterator[NotMade]:
        """What a longer list would tell."""
        absent = self._absent((*cells, "", str(number)), place)
        if absent is not None:
            id_text = self._envelope[2][1].text
            yield replace(absent, id_of=lambda number: id_text((*cells, "", str(number))), number=number)

    def _fact(self, cells: Cells, place: Place) -> FromRow | None:
        for holds in self._when:
            if not holds(cells):
                return self._absent(cells, place)
        faults: list[str] = []
        line = self.envelope_of(cells, faults)
        line["fact"] = fact = dict(self._fixed)
        read_into(fact, self._read, cells, faults)
        if faults:
            return Made(place, None, place.says(_all(faults)))
        return Made(place, _encode(line))

    def _absent(self, cells: Cells, place: Place) -> NotMade | None:
        faults: list[str] = []
        line = self.envelope_of(cells, faults)
        return None if faults else NotMade(place, line["episode"], line["source"], line["id"])

    def envelope_of(self, cells: Cells, faults: list[str]) -> dict[str, Any]:
        """The line's episode, source, id and by."""
        line: dict[str, Any] = dict(self._constant)
        for name, template in self._varying:
            try:
                text = template.text(cells)
            except Unfit as unfit:
                faults.append(f"{template.shown}: expected {unfit.expected}")
                continue
            if not text:
                faults.append(f"{template.shown}: expected something, for it makes the {name}; the cell is empty")
            line[name] = text
        return line

    def parts_of_many(self, cells: Cells, faults: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """A row of a fact that several rows make: what it says of the fact as a whole, and its own line."""
        whole, line = {"type": self.type}, dict[str, Any]()
        read_into(whole, self._fields, cells, faults)
        read_into(line, self._line, cells, faults)
        return whole, line


def _taken(values: Mapping[str, Value], shape: Shape, columns: Columns, mapping: MappingOf) -> tuple[Taken, ...]:
    return tuple(taken_value(shape.fields[name], value, columns, mapping) for name, value in values.items())


def _all(faults: list[str]) -> str:
    return ". ".join(faults) + ". Correct the row and import it again."


TellingRow = tuple[Row, list[FromRow]]
"""A row, and what it tells."""


def from_rows(sheet: Sheet, opened: Opened, of: SheetOf, mapping: MappingOf, by: str) -> Iterator[TellingRow]:
    """Every row of a sheet, with what it tells; SheetTrouble if the sheet lacks columns that the mapping names.

    Of a fact that several rows make, the last of them tells it.
    """
    columns = Columns(sheet, opened.header, mapping)
    plans = [FactPlan(fact, mapping, columns, by) for fact in of.facts]
    columns.refuse_missing()
    return _from_rows(sheet, opened.rows, plans)


def _from_rows(sheet: Sheet, rows: Iterator[Row], plans: list[FactPlan]) -> Iterator[TellingRow]:
    together = [_Together(sheet, plan) for plan in plans if plan.of_many_rows]
    single = [plan for plan in plans if not plan.of_many_rows]
    row: Row | None = None
    told: list[FromRow] = []
    for following in rows:
        if row is not None:
            yield row, told
        row, told = following, []
        if row.fault is not None:
            place = Place(sheet, row.number)
            told = [Made(place, None, place.says(f"{row.fault}. Correct the row and import it again."))]
            continue
        for plan in single:
            told += plan.told_by(row, Place(sheet, row.number, plan))
        for each in together:
            told += each.with_row(row)
    if row is not None:
        yield row, [*told, *(made for each in together for made in each.ended())]


class _Together:
    """The rows that make one fact, one after another."""

    def __init__(self, sheet: Sheet, plan: FactPlan) -> None:
        self._sheet, self._plan = sheet, plan
        self._line: dict[str, Any] = {}
        self._lines: list[dict[str, Any]] = []
        self._faults: list[str] = []
        self._rows: list[Row] = []

    def with_row(self, row: Row) -> Iterator[Made]:
        """Take a row in; gives the fact before it, if the row belongs to another."""
        faults: list[str] = []
        line = self._plan.envelope_of(row.cells, faults)
        line["fact"], item = self._plan.parts_of_many(row.cells, faults)
        known = line.get("id") and line.get("episode")
        if not known or (line["id"], line["episode"]) != (self._line.get("id"), self._line.get("episode")):
            yield from self.ended()
            self._line = line
        elif not faults and line != self._line:
            faults.append(f"expected what row {self._rows[0].number} says of the same fact, but for its lines")
        self._rows.append(row)
        self._lines.append(item)
        self._faults += [f"row {row.number}: {fault}" for fault in faults]

    def ended(self) -> Iterator[Made]:
        """The fact of the rows so far, if there are any."""
        if self._lines:
            place, rows = Place(self._sheet, self._rows[0].number, self._plan), tuple(self._rows)
            if self._faults:
                yield Made(place, None, place.says(_all(self._faults)), rows)
            else:
                fact = self._line["fact"] | {"lines": self._lines}
                yield Made(place, _encode(self._line | {"fact": fact}), "", rows)
        self._line, self._lines, self._faults, self._rows = {}, [], [], []
