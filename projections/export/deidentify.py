"""Rows of which nobody should read who the patient is: pseudonyms under a key, dates shifted, the rest left out.

docs/why/deidentified.md says column by column what becomes of it, and what this is and is not.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from projections.export.columns import Dataset
from projections.rows.cells import Cells, as_list, json_list
from projections.rows.columns import Column
from projections.rows.line import LineCells
from projections.words import iso

PSEUDONYM_HEX: Final = 32
LONGEST_SHIFT_DAYS: Final = 365
KEY_BYTES: Final = 32

_SAME_LINE: Final = attrgetter(
    "patient", "episode", "payer", "code", "rate_cents", "provider", "place_of_service"
)  # fmt: skip
"""What lines have in common that are put together."""


def kept_columns(dataset: Dataset) -> tuple[Column, ...]:
    """The columns of a dataset that a de-identified export has."""
    return tuple(column for column in dataset.columns if column.deidentified != "left out")


class Pseudonyms:
    """Names and shifts under one key: the same key gives the same, another key others."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.of_patient = lru_cache(maxsize=4_096)(lambda name: self._keyed("patient", name).hex()[:PSEUDONYM_HEX])
        self.of_episode = lru_cache(maxsize=4_096)(lambda name: self._keyed("episode", name).hex()[:PSEUDONYM_HEX])
        self.of_claim = lru_cache(maxsize=4_096)(lambda name: self._keyed("claim", name).hex()[:PSEUDONYM_HEX])
        self.of_answer = lru_cache(maxsize=4_096)(lambda name: self._keyed("answer", name).hex()[:PSEUDONYM_HEX])
        self.shift = lru_cache(maxsize=4_096)(
            lambda name: 1 + int.from_bytes(self._keyed("shift", name)) % LONGEST_SHIFT_DAYS
        )
        """How many days a patient's dates are moved back."""

    def _keyed(self, of: str, name: str) -> bytes:
        return hmac.digest(self._key, f"{of}\0{name}".encode(), hashlib.sha256)


def deidentified(rows: Iterable[Cells], dataset: Dataset, pseudonyms: Pseudonyms) -> Iterator[Cells]:
    """Rows of a dataset, each patient's together, with what is kept of their columns; as they are if of no patient."""
    patient = next((place for place, column in enumerate(dataset.columns) if column.name == "patient"), None)
    if patient is None:
        yield from rows
        return
    kept = [(place, column) for place, column in enumerate(dataset.columns) if column.deidentified != "left out"]
    for row in _merged_lines(rows) if dataset.name == "lines" else rows:
        days = pseudonyms.shift(row[patient])
        yield tuple(_deidentified_cell(column, row[place], pseudonyms, days) for place, column in kept)


def _deidentified_cell(column: Column, cell: object, pseudonyms: Pseudonyms, days: int) -> object:
    match column.deidentified, column.name, cell:
        case "pseudonym", "patient", str():
            return pseudonyms.of_patient(cell)
        case "pseudonym", "episode", str():
            return pseudonyms.of_episode(cell)
        case "pseudonym", "claim", str():
            return pseudonyms.of_claim(cell)
        case "pseudonym", "answer", str():
            return pseudonyms.of_answer(cell)
        case "pseudonym", "episodes", str():
            return json_list(sorted(map(pseudonyms.of_episode, as_list(cell))))
        case _, _, None if column.nullable:
            return None
        case "shifted", _, str() if column.kind == "dates":
            return json_list([_earlier(day, days) for day in as_list(cell)])
        case "shifted", _, str():
            return _earlier(cell, days)
        case "kept", _, _:
            return cell
    raise AssertionError(f"{column.name}: nothing says how it is made unknown")


def _earlier(day: str, days: int) -> str:
    return iso(date.fromisoformat(day).toordinal() - days)


def _merged_lines(rows: Iterable[Cells]) -> Iterator[Cells]:
    """Lines put together that follow upon each other: a break at a month's end would tell how far dates are shifted."""
    held: Any = None
    for row in map(LineCells._make, rows):
        if held is not None and _follows(held, row):
            held = _together(held, row)
            continue
        if held is not None:
            yield held
        held = row
    if held is not None:
        yield held


def _follows(line: Any, other: Any) -> bool:
    following = date.fromisoformat(line.to) + timedelta(days=1)
    return bool(_SAME_LINE(line) == _SAME_LINE(other) and following.isoformat() == other.from_)


def _together(line: Any, other: Any) -> Any:
    summed = {each: getattr(line, each) + getattr(other, each) for each in ("units", "charge_cents", "expected_cents")}
    return line._replace(to=other.to, **summed)
