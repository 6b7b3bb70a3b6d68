"""How a dataset is declared: a struct whose fields' types and notes give each column in every format.

A field's type gives the column's type in each format; its note says what it means, and what becomes of it where the
patient must not be known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

Kind = Literal["text", "word", "date", "instant", "count", "flag", "money", "texts", "dates"]
"""What a column holds: free text, a word of a small set, a service date, an instant, a whole number, yes or no,
dollars, or a list."""

Treatment = Literal["kept", "pseudonym", "shifted", "left out"]
"""What becomes of a column in a de-identified export."""

CalendarDate = date
Word = Annotated[str, Meta(extra={"kind": "word"})]


def note(meaning: str, deidentified: Treatment) -> Meta:
    """What a column means, and what becomes of it in a de-identified export."""
    return Meta(description=meaning, extra={"deidentified": deidentified})


class Column(NamedTuple):
    """One column of a dataset."""

    name: str
    kind: Kind
    nullable: bool
    meaning: str
    deidentified: Treatment


class Dataset(NamedTuple):
    """A kind of rows: its columns, the date that gives a row its month (None: no months), what gives rows their order,
    and whether that names one row."""

    name: str
    struct: type[Struct]
    columns: tuple[Column, ...]
    dated_by: str | None
    order: tuple[str, ...]
    is_key: bool


_KINDS: Final[dict[Any, Kind]] = {
    str: "text", CalendarDate: "date", int: "count", Decimal: "money",
    tuple[str, ...]: "texts", tuple[CalendarDate, ...]: "dates", datetime: "instant", bool: "flag",
}  # fmt: skip


def columns_of(struct: type[Struct]) -> Iterator[Column]:
    """The columns that a struct declares."""
    for declared in msgspec.structs.fields(struct):
        core, notes, nullable = _taken_apart(declared.type)
        extra = {key: value for note in notes for key, value in (note.extra or {}).items()}
        meaning = next(note.description for note in notes if note.description)
        kind = extra.get("kind") or _KINDS[core]
        yield Column(declared.encode_name, kind, nullable, meaning, extra["deidentified"])


def _taken_apart(hint: Any) -> tuple[Any, list[Meta], bool]:
    """A field's bare type, its notes, and whether it may be null."""
    notes: list[Meta] = []
    nullable = False
    while True:
        if get_origin(hint) is Annotated:
            notes += hint.__metadata__
            hint = hint.__origin__
        elif get_origin(hint) in (Union, UnionType):
            nullable = True
            (hint,) = (member for member in get_args(hint) if member is not NoneType)
        else:
            return hint, notes, nullable


def dataset_of(name: str, struct: type[Struct], dated_by: str | None, *order: str, is_key: bool = True) -> Dataset:
    """The dataset that a struct declares."""
    return Dataset(name, struct, tuple(columns_of(struct)), dated_by, order, is_key)
