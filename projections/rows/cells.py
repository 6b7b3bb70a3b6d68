"""Cells: a row's values as the read model keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

Cells = tuple[Any, ...]
"""A row as the read model keeps it: text, whole numbers and None; lists as JSON text."""

_encode: Final = msgspec.json.Encoder().encode

_encode_lines: Final = msgspec.json.Encoder().encode_lines


def json_list(parts: Sequence[str]) -> str:
    """A list as the read model keeps it."""
    return _encode(parts).decode()


def json_lists(lists: Sequence[Sequence[str]]) -> list[str]:
    """Many lists as the read model keeps them; JSON has no line breaks of its own."""
    return _encode_lines(lists).decode().split("\n")[:-1]


def as_list(text: str) -> tuple[str, ...]:
    """A list as it is shown."""
    return msgspec.json.decode(text, type=tuple[str, ...])


NOTHING: Final = "[]"
"""An empty list as the read model keeps it."""
