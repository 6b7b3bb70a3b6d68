"""What the files of a book say, and what is wrong with it, read once in a process: most tests read one of two books.

Both are functions of the text alone. Each distinct text is read by the program's own code; to read it again took a
third of the time of a command. A process that a test starts reads it itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from ledger.book import files

_decoded, _mistakes_of = files._decoded, files.mistakes_of
_said: dict[bytes, bytes] = {}
_found: dict[tuple[bytes, type[Struct]], list[str]] = {}


def decoded(path: Path, text: bytes, wrong: list[str]) -> dict[str, Any] | None:
    """A table of its own for whoever asks; a file that cannot be read is read each time."""
    if text not in _said:
        if (table := _decoded(path, text, wrong)) is None:
            return None
        _said[text] = pickle.dumps(table)
    again: dict[str, Any] = pickle.loads(_said[text])
    return again


def mistakes_of(table: Mapping[str, Any], struct: type[Struct]) -> Iterator[str]:
    key = pickle.dumps(table), struct
    if key not in _found:
        _found[key] = list(_mistakes_of(table, struct))
    return iter(_found[key])


def once_a_process() -> None:
    """From now on, in this process and its copies."""
    files._decoded = decoded
    files.mistakes_of = mistakes_of
