"""Rows that stand for several days, one after the other: of all of them the same is said, but for some dates.

Such a row is that of the first day, with one cell more than there are columns: for how many days it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from projections.rows.cells import Cells
from projections.rows.columns import Column
from projections.words import iso

_MOVED: Final = {"claimed": ("date", "file_by")}
"""The datasets whose rows stand for several days, each with the columns whose dates are a day later the next day."""


def moved_in(dataset: str | None, columns: Sequence[Column]) -> tuple[int, ...]:
    """Where the columns are whose dates move on; none, if each row of a dataset stands for itself."""
    return tuple(place for place, column in enumerate(columns) if column.name in _MOVED.get(str(dataset), ()))


def for_itself(row: Cells) -> Cells:
    """A row that stands for its own day."""
    return (*row, 1)


def in_days(rows: Iterable[Cells], moved: Sequence[int]) -> Iterator[Cells]:
    """The rows of the days."""
    for *cells, days in rows:
        for dates in moved_dates(cells, days, moved):
            for place, on in zip(moved, dates, strict=True):
                cells[place] = on
            yield tuple(cells)


def moved_dates(cells: Sequence[str | None], days: int, moved: Sequence[int]) -> Iterator[tuple[str | None, ...]]:
    """What stands in the columns whose dates move on, day by day."""
    return zip(*(_dates_from(cells[place], days) for place in moved), strict=True)


def _dates_from(first: str | None, days: int) -> Iterable[str | None]:
    """So many dates, one after the other; nothing, if there is no first one."""
    if first is None or days == 1:
        return [first] * days
    on = date.fromisoformat(first).toordinal()
    return map(iso, range(on, on + days))
