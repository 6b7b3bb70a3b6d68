"""One table of a page by itself: sorted, filtered by what stands in its columns, and as a CSV of exactly that.

Pages with several tables show each of them as it is most useful; a link beside its heading leads here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from commands.web.looking.tables import AS_FOUND, Asked, Column, csv_of, paged
from commands.web.reading import Reading
from commands.web.site import Refused, Site
from projections.words import payer_name

CHOSEN_KINDS: Final = ("words", "payer")
"""The kinds of column by whose values rows are chosen: the program's words, and payers. Nobody's data, for it stands in
the address."""


class OneTable(NamedTuple):
    """A table: what it is called in the address and on the page, its columns, and all its rows as they come."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Any]

    def asked(self, request: Request, more: Sequence[str] = ()) -> Asked:
        """What an address asks of it."""
        orders = [AS_FOUND, *(column.name for column in self.columns if column.kind != "mend")]
        return Asked(request, orders, (*(column.name for column in self.chosen_by), *more))

    @property
    def chosen_by(self) -> list[Column]:
        """The columns by which rows can be chosen."""
        return [column for column in self.columns if column.kind in CHOSEN_KINDS]


class Choice(NamedTuple):
    """The values of a column to choose from, each with how many rows have it."""

    column: Column
    values: list[tuple[str, str, int]]
    chosen: str | None


def table_named(tables: Sequence[OneTable], name: str) -> OneTable:
    """The table of a name; Refused if there is none."""
    found = next((one for one in tables if one.name == name), None)
    if found is None:
        raise Refused(404, "No such table", "The tables of a page have links beside their headings.")
    return found


def table_answer(
    site: Site, request: Request, reading: Reading, one: OneTable, asked: Asked, page: str, back: str,
    patient: str | None = None, episode: str | None = None, template: str = "one_table.html",
    also: Iterable[str] = (), **more: object,
) -> Response:  # fmt: skip
    """The page of a table, or its CSV; whose data it shows is logged before. ``patient`` and ``episode`` are those that
    the table is of, where its rows do not say, and ``also`` whom it may name besides; a ``template`` of its own may
    show ``more`` around it."""

    def patient_of(row: Any) -> str | None:
        return getattr(row, "patient", None) or patient

    wanted = [(column, asked.filters[column.name]) for column in one.chosen_by if column.name in asked.filters]
    rows = [row for row in one.rows if all(_text(row, column) == value for column, value in wanted)]
    table = paged(asked, one.columns, rows)
    if asked.is_csv:
        return csv_of(site, request, f"{page} {one.name}", table, patient_of, episode, also)
    site.record(request, page, filter(None, {patient, *map(patient_of, table.rows), *also}), episode=episode)
    payers = _payers(reading, one)
    return site.render(
        template, request, reading=reading, table=table, one=one, back=back, payers=payers,
        choices=list(_choices(payers, one, asked)), **more,
    )  # fmt: skip


def _payers(reading: Reading, one: OneTable) -> Mapping[str, str]:
    columns = [column for column in one.columns if column.kind == "payer"]
    found = {_text(row, column) for row in one.rows for column in columns}
    return {payer: payer_name(reading.book, payer) for payer in found if payer}


def _choices(names: Mapping[str, str], one: OneTable, asked: Asked) -> Iterator[Choice]:
    for column in one.chosen_by:
        counts = Counter(_text(row, column) for row in one.rows)
        values = [(value, names.get(value, value), number) for value, number in sorted(counts.items()) if value]
        if len(values) > 1 or asked.filters.get(column.name):
            yield Choice(column, values, asked.filters.get(column.name))


def _text(row: Any, column: Column) -> str:
    value = getattr(row, column.name)
    return "" if value is None else str(value)
