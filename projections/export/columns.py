"""What a dataset is: a kind of exported rows, its columns, and the order they are written in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from projections.rows.columns import Column


class Dataset(NamedTuple):
    """A kind of rows: its columns, the date that gives a row its month (None: no months), what gives rows their order,
    and what names one row, if anything does."""

    name: str
    about: str
    columns: tuple[Column, ...]
    dated_by: str | None
    order: tuple[str, ...]
    key: tuple[str, ...]


def dataset_of(
    name: str,
    about: str | None,
    columns: Iterable[Column],
    dated_by: str | None,
    *order: str,
    is_key: bool = True,
    key: str | None = None,
) -> Dataset:
    """A dataset of these columns; ``about`` is a docstring, whose first sentence says what a row is.

    What gives rows their order names one row, too, unless another column does, or it ``is_key`` not.
    """
    named = (key,) if key else order if is_key else ()
    first = (about or "").strip().split("\n")[0]
    return Dataset(name, first, tuple(column.exported for column in columns), dated_by, order, named)
