"""Cells: a row's values as the read model keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from projections.rows.columns import Column

Cells = tuple[Any, ...]
"""A row as the read model keeps it: text, whole numbers and None; lists as JSON text."""

NOTHING: Final = "[]"
"""An empty list as the read model keeps it."""

Shown = TypeVar("Shown")

_encode: Final = msgspec.json.Encoder().encode
_encode_lines: Final = msgspec.json.Encoder().encode_lines


def json_list(parts: Sequence[str]) -> str:
    """A list as the read model keeps it."""
    return _encode(parts).decode() if parts else NOTHING


def json_lists(lists: Sequence[Sequence[str]]) -> list[str]:
    """Many lists as the read model keeps them; JSON has no line breaks of its own."""
    return _encode_lines(lists).decode().split("\n")[:-1]


def as_list(text: str) -> tuple[str, ...]:
    """A list as it is shown."""
    return msgspec.json.decode(text, type=tuple[str, ...])


def shown(row: type[Shown], columns: Sequence[Column], cells: Cells) -> Shown:
    """A row as it is shown: the columns of its struct, lists as lists."""
    return row(
        *[
            as_list(cell) if cell is not None and column.kind in ("texts", "dates") else cell
            for column, cell in zip(columns, cells, strict=False)  # what comes after is for choosing and ordering only
        ]
    )
