"""A first mapping, guessed from a file's headers and the shapes of its values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from commands.sheets.mapping import MappingOf


def columns_of(mapping: MappingOf) -> dict[str, str]:
    """The columns of a mapping's sheets, with what belongs in each."""
    return {name: about for sheet in mapping.sheets for name, about in sheet.columns.items()}


def new_map(files: Sequence[Path]) -> str:
    """A mapping for files."""
    raise NotImplementedError
