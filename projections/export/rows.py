"""The rows to export, in the order they are written: by month, then by patient.

A cell is as the read model keeps it: text, whole numbers (money in cents) and None, dates as ``YYYY-MM-DD``, lists as
JSON text. Each format makes of it what it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from projections.export.columns import Column, Dataset
from projections.export.spool import in_order
from projections.read_model.views import Views
from projections.rows.cells import Cells

_SOURCES: Final = {
    "days": (
        "SELECT patient, episode, date, status, reason, code, payer, terms_from, terms_published, rate_cents,"
        " authorization, because FROM days",
        "substr(date, 1, 7)",
        "patient, episode, date",
    ),
    "lines": (
        'SELECT patient, episode, payer, code, "from", "to", units, rate_cents, charge_cents, authorization,'
        " terms_from, modifiers FROM lines",
        'substr("from", 1, 7)',
        'patient, episode, "from"',
    ),
    "findings": (
        "SELECT rule, level, patient, episodes, dates, codes, because, message FROM findings",
        "substr(first_date, 1, 7)",
        "patient, rule, dates, episodes, codes, because",
    ),
}
"""Where a dataset's rows are in the read model, what their month is, and their order within it."""


def rows_by_month(views: Views, dataset: Dataset) -> Iterator[Cells]:
    """The rows of a dataset by month, each month's in the dataset's order."""
    source, month, order = _SOURCES[dataset.name]
    return iter(views.connection.execute(f"{source} ORDER BY {month}, {order}"))


def rows_by_patient(views: Views, dataset: Dataset) -> Iterator[Cells]:
    """The rows of a dataset, each patient's together."""
    source, _, order = _SOURCES[dataset.name]
    return iter(views.connection.execute(f"{source} ORDER BY {order}"))


def sorted_by_month(rows: Iterable[Cells], dataset: Dataset, columns: Sequence[Column]) -> Iterator[Cells]:
    """Rows of these columns of a dataset, given in any order, as ``rows_by_month`` gives them.

    Rows alike in the columns of the order stay as they were given.
    """
    month = MonthOf(dataset, columns)
    names = [column.name for column in columns]
    places = [names.index(name) for name in dataset.order if name in names]
    keyed = (((month(row), *(row[place] for place in places)), row) for row in rows)
    return in_order(keyed, len(columns), 1 + len(places))


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
