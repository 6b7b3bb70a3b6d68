"""What is exported: one struct a dataset, the one declaration of its columns for every format and for docs/feed.md.

A field's type gives the column's type in each format; its note says what it means, and what becomes of it where the
patient must not be known. Columns are only ever added, at the end: ``SCHEMA_VERSION`` counts the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, field

SCHEMA_VERSION: Final = "1"

Kind = Literal["text", "word", "date", "count", "money", "texts", "dates"]
"""What a column holds: free text, a word of a small set, a service date, a whole number, dollars, or a list."""

Treatment = Literal["kept", "pseudonym", "shifted", "left out"]
"""What becomes of a column in a de-identified export."""

CalendarDate = date
Word = Annotated[str, Meta(extra={"kind": "word"})]


def _note(meaning: str, deidentified: Treatment) -> Meta:
    return Meta(description=meaning, extra={"deidentified": deidentified})


_PATIENT: Final = _note("the patient's name in the ledger", "pseudonym")
_EPISODE: Final = _note("the episode", "pseudonym")
_STATUS: Final = _note("`billable`, `not_billable`, `hold` or `conflict`", "kept")
_REASON: Final = _note("the verdict's second word; null when billable", "kept")
_CODE: Final = _note("the per-diem code of the day; null before step 20 is passed", "kept")
_PAYER: Final = _note("the payer of the day; null before step 5 is passed", "kept")
_RATE: Final = _note("dollars for the day; null unless billable", "kept")
_AUTHORIZATION: Final = _note("the authorization that the day draws a unit from", "left out")
_TERMS_FROM: Final = _note("the first service date of the terms' edition", "left out")
_TERMS_PUBLISHED: Final = _note("when that edition was published", "left out")
_BECAUSE: Final = _note("the entries that decided, as `source:id`, the decisive one first", "left out")


class ExportedDay(Struct, frozen=True):
    """One service date of one episode with its verdict."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    date: Annotated[CalendarDate, _note("the service date, local where the patient lives", "shifted")]
    status: Annotated[Word, _STATUS]
    reason: Annotated[Word | None, _REASON]
    code: Annotated[Word | None, _CODE]
    payer: Annotated[Word | None, _PAYER]
    terms_from: Annotated[CalendarDate | None, _TERMS_FROM]
    terms_published: Annotated[CalendarDate | None, _TERMS_PUBLISHED]
    rate: Annotated[Decimal | None, _RATE]
    authorization: Annotated[str | None, _AUTHORIZATION]
    because: Annotated[tuple[str, ...], _BECAUSE]


class ExportedLine(Struct, frozen=True):
    """One claim line to bill: consecutive billable days of one payer, code, rate, authorization and edition."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    payer: Annotated[Word, _note("the payer to bill", "kept")]
    code: Annotated[Word, _note("the per-diem code", "kept")]
    from_: Annotated[CalendarDate, _note("the first service date", "shifted")] = field(name="from")
    to: Annotated[CalendarDate, _note("the last service date, included", "shifted")]
    units: Annotated[int, _note("days, which are units", "kept")]
    rate: Annotated[Decimal, _note("dollars for a day", "kept")]
    charge: Annotated[Decimal, _note("dollars for the line: `units` times `rate`", "kept")]
    authorization: Annotated[str | None, _AUTHORIZATION]
    terms_from: Annotated[CalendarDate, _TERMS_FROM]
    modifiers: Annotated[tuple[str, ...], _note("the modifiers; none in this edition", "left out")]


class ExportedFinding(Struct, frozen=True):
    """One contradiction or mistake worth a human's time."""

    rule: Annotated[Word, _note("the rule that was broken", "kept")]
    level: Annotated[Word, _note("`hard` stops a claim, `soft` warns", "kept")]
    patient: Annotated[str, _PATIENT]
    episodes: Annotated[tuple[str, ...], _note("the episodes concerned", "pseudonym")]
    dates: Annotated[tuple[CalendarDate, ...], _note("the service dates concerned", "shifted")]
    codes: Annotated[tuple[str, ...], _note("the codes concerned", "kept")]
    because: Annotated[tuple[str, ...], _BECAUSE]
    message: Annotated[str, _note("what is wrong and what to do, in a sentence", "left out")]


class ExportedChange(Struct, frozen=True):
    """One day that is not what it was: take the row with the old values away, put the one with the new values in."""

    position: Annotated[int, _note("where these changes lead: the consumer's next `--since`", "kept")]
    book: Annotated[str, _note("SHA-256 of the book in force there", "kept")]
    kind: Annotated[
        Word,
        _note("`insert` (no such day before), `restate` (another row now), `retract` (no such day now)", "kept"),
    ]
    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    date: Annotated[CalendarDate, _note("the service date; with patient and episode the key of the day", "shifted")]
    old_status: Annotated[Word | None, _STATUS]
    old_reason: Annotated[Word | None, _REASON]
    old_code: Annotated[Word | None, _CODE]
    old_payer: Annotated[Word | None, _PAYER]
    old_terms_from: Annotated[CalendarDate | None, _TERMS_FROM]
    old_terms_published: Annotated[CalendarDate | None, _TERMS_PUBLISHED]
    old_rate: Annotated[Decimal | None, _RATE]
    old_authorization: Annotated[str | None, _AUTHORIZATION]
    old_because: Annotated[tuple[str, ...] | None, _BECAUSE]
    new_status: Annotated[Word | None, _STATUS]
    new_reason: Annotated[Word | None, _REASON]
    new_code: Annotated[Word | None, _CODE]
    new_payer: Annotated[Word | None, _PAYER]
    new_terms_from: Annotated[CalendarDate | None, _TERMS_FROM]
    new_terms_published: Annotated[CalendarDate | None, _TERMS_PUBLISHED]
    new_rate: Annotated[Decimal | None, _RATE]
    new_authorization: Annotated[str | None, _AUTHORIZATION]
    new_because: Annotated[tuple[str, ...] | None, _BECAUSE]
    cause: Annotated[
        tuple[str, ...],
        _note("what changed the day since then, the last first: entries as `source:id`, or `book`", "left out"),
    ]
    cause_position: Annotated[
        int | None,
        _note("the position of the first cause; null where the patient was unknown before", "left out"),
    ]


class Column(NamedTuple):
    """One column of a dataset."""

    name: str
    kind: Kind
    nullable: bool
    meaning: str
    deidentified: Treatment


class Dataset(NamedTuple):
    """A kind of rows: its columns, the date that gives a row its month, and the key that gives rows their order."""

    name: str
    struct: type[Struct]
    columns: tuple[Column, ...]
    dated_by: str
    order: tuple[str, ...]


_KINDS: Final[dict[Any, Kind]] = {
    str: "text", CalendarDate: "date", int: "count", Decimal: "money",
    tuple[str, ...]: "texts", tuple[CalendarDate, ...]: "dates",
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


def _dataset(name: str, struct: type[Struct], dated_by: str, *order: str) -> Dataset:
    return Dataset(name, struct, tuple(columns_of(struct)), dated_by, order)


DATASETS: Final = {
    dataset.name: dataset
    for dataset in (
        _dataset("days", ExportedDay, "date", "patient", "episode", "date"),
        _dataset("lines", ExportedLine, "from", "patient", "episode", "from"),
        _dataset("findings", ExportedFinding, "dates", "patient", "rule", "dates", "episodes", "codes", "because"),
        _dataset("changes", ExportedChange, "date", "patient", "episode", "date"),
    )
}
"""The datasets by name, in the order they are documented."""
