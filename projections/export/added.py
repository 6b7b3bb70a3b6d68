"""What an export of findings says of each beyond what the read model keeps: its name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from projections.export.columns import Dataset
from projections.rows.cells import Cells

_ID_DIGITS: Final = 32
FINDINGS: Final = "findings"
_encode: Final = msgspec.json.Encoder().encode


def with_added(rows: Iterable[Cells], dataset: Dataset) -> Iterator[Cells]:
    """Rows of a dataset as the read model keeps them; findings with the column that names them at the end."""
    if dataset.name != FINDINGS:
        return iter(rows)
    names = [column.name for column in dataset.columns]
    places = [names.index(name) for name in dataset.order]
    return ((*row[: len(names) - 1], _id([row[place] for place in places])) for row in rows)


def _id(key: list[str]) -> str:
    """The same text for the same finding, wherever and whenever it is exported."""
    return hashlib.sha256(_encode(key)).hexdigest()[:_ID_DIGITS]
