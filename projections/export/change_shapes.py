"""What a row of changes is: which row it tells of, what that was and is, and of a day what changed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Struct

from projections.export.columns import Dataset
from projections.rows.columns import CalendarDate, Column, Word, columns_of, note
from projections.rows.day import ADDED_FROM, DAY_COLUMNS, DAY_ORDER


class Change(Struct, frozen=True):
    """What a row of changes is, of whatever rows."""

    position: Annotated[int, note("where these changes lead: the consumer's next `--since`", "kept")]
    book: Annotated[str, note("SHA-256 of the book in force there", "kept")]
    kind: Annotated[
        Word,
        note("`insert` (no such row before), `restate` (another row now), `retract` (no such row now)", "kept"),
    ]


class ChangePlace(Change, frozen=True):
    """One day that is not what it was: take the row with the old values away, put the one with the new values in."""

    patient: Annotated[str, note("the patient's name in the ledger", "pseudonym")]
    episode: Annotated[str, note("the episode", "pseudonym")]
    date: Annotated[CalendarDate, note("the service date; with patient and episode the key of the day", "shifted")]


class ChangeCause(Struct, frozen=True):
    """What made a day another."""

    cause: Annotated[
        tuple[str, ...],
        note(
            "what changed the day since then, the last first: entries as `source:id`, `book`, `left_out`",
            "left out",
        ),
    ]
    cause_position: Annotated[
        int | None,
        note("the position of the first cause; null where the patient was unknown before", "left out"),
    ]


def day_change_columns() -> Iterator[Column]:
    """A change's columns: which day it is, the day's columns as they were and as they are, and what changed it.

    The columns that a day has from edition 2 on come last: columns are only ever added at the end.
    """
    yield from columns_of(ChangePlace)
    yield from _both_ages(DAY_COLUMNS[len(DAY_ORDER) : ADDED_FROM])
    yield from columns_of(ChangeCause)
    yield from _both_ages(DAY_COLUMNS[ADDED_FROM:])


def _both_ages(columns: Sequence[Column]) -> Iterator[Column]:
    for age in ("old", "new"):
        yield from (column._replace(name=f"{age}_{column.name}", nullable=True) for column in columns)


def compared_columns(dataset: Dataset) -> tuple[list[str], list[str]]:
    """The columns that say which row it is, which a change has once, and the others, which it has as they were and as
    they are."""
    naming = {*dataset.key, *dataset.order}
    names = [column.name for column in dataset.columns]
    return [name for name in names if name in naming], [name for name in names if name not in naming]


def changes_of(dataset: Dataset, name: str) -> Dataset:
    """The dataset of the changes of another one."""
    by_name = {column.name: column for column in dataset.columns}
    named, said = ([by_name[each] for each in names] for names in compared_columns(dataset))
    about = f"One row of `{dataset.name}` that is not what it was: take the old one away, put the new one in."
    columns = (*columns_of(Change), *named, *_both_ages(said))
    return Dataset(name, about, columns, dataset.dated_by, dataset.order, dataset.key)
