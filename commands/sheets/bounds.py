"""What is read of a file at most, whatever it holds; and that it, or its mapping, cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

LONGEST_ROW: Final = 65_536
"""Characters."""
MOST_COLUMNS: Final = 500

Rows = Iterator[tuple[list[str], str | None, int]]
"""The cells of each row, blank ones too; what is wrong with it; and how many lines it was read from."""


class MappingError(Exception):
    """The mapping cannot be used; each line of the message names the file, the key and what is allowed there."""


class SheetTrouble(Exception):
    """A file cannot be read as rows at all; the message names it and says what to do."""
