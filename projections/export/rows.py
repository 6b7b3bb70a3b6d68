"""The rows to export, in the order they are written: by month, then by patient.

A cell is as the read model keeps it: text, whole numbers (money in cents) and None, dates as ``YYYY-MM-DD``, lists as
JSON text. Each format makes of it what it has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec

from projections.export.columns import Dataset
from projections.export.spool import in_order_by_month
from projections.read_model.queries import Filters, runs_chosen
from projections.read_model.views import Views
from projections.rows.cells import Cells
from projections.rows.columns import Column, sql_list
from projections.rows.day import DAY_COLUMNS
from projections.rows.day_run import days_of
from projections.rows.finding import FINDING_COLUMNS
from projections.rows.line import LINE_COLUMNS
from projections.rows.several_days import moved_in

_NAME_DIGITS: Final = 32
_encode: Final = msgspec.json.Encoder().encode
_MONTHS: Final = {"days": "date", "lines": "from", "findings": "first_date"}
"""The column that gives a row its month."""
_KEPT: Final = {"days": DAY_COLUMNS, "lines": LINE_COLUMNS, "findings": FINDING_COLUMNS}


def rows_by_month(views: Views, dataset: Dataset) -> Iterator[Cells]:
    """The rows of a dataset by month, each month's in the dataset's order."""
    rows = _select(views, dataset, f'substr("{_MONTHS[dataset.name]}", 1, 7), {sql_list(dataset.order)}')
    return named_findings(rows, dataset) if dataset.name == "findings" else rows


def named_findings(rows: Iterable[Cells], dataset: Dataset) -> Iterator[Cells]:
    """Findings as the read model keeps them, in order, each with what names it at the end: the same wherever it is
    exported. Of several that differ in their message alone, or in nothing, the later ones are named by their number,
    too."""
    names = [column.name for column in dataset.columns]
    places, message = [names.index(name) for name in dataset.order], names.index("message")
    for key, alike in groupby(rows, lambda row: [row[place] for place in places]):
        for number, row in enumerate(sorted(alike, key=itemgetter(message))):
            name = hashlib.sha256(_encode([*key, number] if number else key)).hexdigest()
            yield (*row[: len(names) - 1], name[:_NAME_DIGITS])


def rows_by_patient(views: Views, dataset: Dataset) -> Iterator[Cells]:
    """The rows of a dataset, each patient's together."""
    if dataset.name == "days":
        return days_of(runs_chosen(views, Filters()))
    return _select(views, dataset, sql_list(dataset.order))


def _select(views: Views, dataset: Dataset, order: str) -> Iterator[Cells]:
    columns = sql_list(_KEPT[dataset.name])
    return iter(views.connection.execute(f'SELECT {columns} FROM "{dataset.name}" ORDER BY {order}'))


def sorted_by_month(rows: Iterable[Cells], dataset: Dataset, columns: Sequence[Column]) -> Iterator[Cells]:
    """Rows of these columns of a dataset, given in any order, as ``rows_by_month`` gives them.

    Rows alike in the columns of the order stay as they were given.
    """
    names = [column.name for column in columns]
    places = [names.index(name) for name in dataset.order if name in names]
    key_of = itemgetter(*places) if len(places) > 1 else lambda row: (row[places[0]],)
    if flags := [place for place, column in enumerate(columns) if column.kind == "flag"]:
        rows = _with_flags_in_numbers(rows, flags)
    width = len(columns) + bool(moved_in(dataset.name, columns))
    return in_order_by_month(rows, MonthOf(dataset, columns), key_of, width, len(places))


def _with_flags_in_numbers(rows: Iterable[Cells], flags: Collection[int]) -> Iterator[Cells]:
    """Rows with flags as the read model keeps them."""
    for row in rows:
        yield tuple(int(cell) if place in flags and cell is not None else cell for place, cell in enumerate(row))


class MonthOf:
    """Which month (``YYYY-MM``) a row belongs to: that of its date, or of the first of its dates; "" without dates."""

    def __init__(self, dataset: Dataset, columns: Sequence[Column]) -> None:
        dated_by = [(place, column.kind) for place, column in enumerate(columns) if column.name == dataset.dated_by]
        assert len(dated_by) == (dataset.dated_by is not None), "its month can be told"
        self.place = dated_by[0][0] if dated_by else None
        self.start = len('["') if dated_by and dated_by[0][1] == "dates" else 0

    def __call__(self, row: Cells) -> str:
        """The month of a row."""
        if self.place is None:
            return ""
        month: str = row[self.place][self.start : self.start + len("2026-10")]
        return month
