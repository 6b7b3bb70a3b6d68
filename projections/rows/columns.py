"""How a column is declared: once, as a field of a row's struct; tables, SQL, exports and their pages come from it.

A field's type and its note give the column's kind, what it means, and what becomes of it where the patient must not be
known.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

Kind = Literal["text", "word", "date", "instant", "count", "flag", "money", "number", "texts", "dates"]
"""What a column holds: free text, a word of a small set, a service date, an instant, a whole number, yes or no,
money, a number that need not be whole, or a list."""

Treatment = Literal["kept", "pseudonym", "shifted", "left out"]
"""What becomes of a column in a de-identified export."""

CalendarDate = date
Word = Annotated[str, Meta(extra={"kind": "word"})]


def note(meaning: str, deidentified: Treatment, kind: Kind | None = None) -> Meta:
    """What a column means, what becomes of it in a de-identified export, and its kind where the type leaves it open."""
    extra: dict[str, object] = {"deidentified": deidentified}
    return Meta(description=meaning, extra=extra | ({"kind": kind} if kind else {}))


class Column(NamedTuple):
    """One column of a table or a dataset."""

    name: str
    kind: Kind
    nullable: bool
    meaning: str
    deidentified: Treatment

    @property
    def sql_type(self) -> type:
        """What the read model keeps it as."""
        return int if self.kind in ("count", "flag", "money") else str

    @property
    def exported(self) -> Column:
        """The column as it is exported, where money is dollars."""
        return self._replace(name=self.name.removesuffix("_cents")) if self.kind == "money" else self


_KINDS: Final[dict[Any, Kind]] = {
    str: "text", CalendarDate: "date", int: "count", Decimal: "money",
    tuple[str, ...]: "texts", tuple[CalendarDate, ...]: "dates", datetime: "instant", bool: "flag",
}  # fmt: skip


def columns_of(struct: type[Struct]) -> Iterator[Column]:
    """The columns that a struct declares, in order."""
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


def named_cells(struct: type[Struct]) -> Any:
    """A tuple type whose places bear the names of a struct's fields: rows are named, and bound to SQL as they are.

    A place that is not given is None.
    """
    names = struct.__struct_fields__
    return namedtuple(f"{struct.__name__}Cells", names, defaults=[None] * len(names))


def sql_list(columns: Iterable[Column | str]) -> str:
    """Columns as SQL names them, ready for SELECT or ORDER BY."""
    return ", ".join(f'"{column if isinstance(column, str) else column.name}"' for column in columns)
