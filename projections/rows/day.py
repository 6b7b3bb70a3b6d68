"""The row of a day, as ``days`` prints it (contract section 2) and as the read model keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Final, TypeVar

import msgspec

from ledger.judge.case import Case, Region
from ledger.judge.causes import causes, causes_by_date
from ledger.judge.regions import region_on, regions
from projections.rows.columns import Column, columns_of, named_cells, note

Cells = tuple[Any, ...]
"""A row as the read model keeps it: text, whole numbers and None; lists as JSON text."""

_encode: Final = msgspec.json.Encoder().encode
_encode_lines: Final = msgspec.json.Encoder().encode_lines


_PATIENT: Final = note("the patient's name in the ledger", "pseudonym", shared=True)
_EPISODE: Final = note("the episode", "pseudonym", shared=True)


class DayRow(msgspec.Struct, frozen=True, gc=False):
    """One service date of one episode with its verdict.

    Dates are ``YYYY-MM-DD``, money is whole cents.
    """

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    date: Annotated[str, note("the service date, local where the patient lives", "shifted", "date")]
    status: Annotated[str, note("`billable`, `not_billable`, `hold` or `conflict`", "kept", "word", shared=True)]
    reason: Annotated[str | None, note("the verdict's second word; null when billable", "kept", "word", shared=True)]
    code: Annotated[
        str | None, note("the per-diem code of the day; null before step 20 is passed", "kept", "word", shared=True)
    ]
    payer: Annotated[
        str | None, note("the payer of the day; null before step 5 is passed", "kept", "word", shared=True)
    ]
    terms_from: Annotated[
        str | None, note("the first service date of the terms' edition", "left out", "date", shared=True)
    ]
    terms_published: Annotated[str | None, note("when that edition was published", "left out", "date", shared=True)]
    rate_cents: Annotated[int | None, note("dollars for the day; null unless billable", "kept", "money", shared=True)]
    authorization: Annotated[str | None, note("the authorization that the day draws a unit from", "left out")]
    because: Annotated[
        tuple[str, ...], note("the entries that decided, as `source:id`, the decisive one first", "left out")
    ]


DAY_COLUMNS: Final = tuple(columns_of(DayRow))
DAY_ORDER: Final = ("patient", "episode", "date")
DayCells: Final = named_cells(DayRow)
"""A day as the read model keeps it, its places named as the columns are."""


def day_cells(case: Case, others: Sequence[Case]) -> list[Cells]:
    """The rows of one judged episode, in date order."""
    first = case.calendar.first
    rows: list[Cells] = [()] * case.calendar.every.bit_length()
    because = causes_by_date(case, others)
    for region in regions(case):
        days = list(case.calendar.dates(region.days))
        for day, row in zip(days, _cells(case, region, days, because), strict=True):
            rows[day - first] = row
    return rows


def cells_on(case: Case, others: Sequence[Case], date: int) -> Cells:
    """The row of one date of a judged episode."""
    region = region_on(case, date)
    said = causes(case, others, date, region.verdict.step, region.verdict.reason)
    return _cells(case, region, [date], {date: said})[0]


def _cells(case: Case, region: Region, days: Sequence[int], because: Mapping[int, Sequence[str]]) -> list[Cells]:
    terms, (_, status, reason) = region.terms, region.verdict
    shared = DayCells(
        patient=case.patient.name,
        episode=case.episode.name,
        status=status,
        reason=reason,
        code=region.code,
        payer=region.payer,
        terms_from=terms.from_.isoformat() if terms else None,
        terms_published=terms.published.isoformat() if terms else None,
        rate_cents=region.rate_cents,
    )
    drawn = map((case.drawn if region.is_billable else {}).get, days)
    labels = json_lists([because[day] for day in days])
    return [
        shared._replace(date=date, authorization=authorization, because=entries)
        for date, authorization, entries in zip(map(iso, days), drawn, labels, strict=True)
    ]


def day_row(cells: Cells) -> DayRow:
    """The row as it is shown."""
    return shown(DayRow, DAY_COLUMNS, cells)


@lru_cache(maxsize=65_536)
def iso(ordinal: int) -> str:
    """A service date as reports write it."""
    return date.fromordinal(ordinal).isoformat()


def json_list(parts: Sequence[str]) -> str:
    """A list as the read model keeps it."""
    return _encode(parts).decode()


def json_lists(lists: Sequence[Sequence[str]]) -> list[str]:
    """Many lists as the read model keeps them; JSON has no line breaks of its own."""
    return _encode_lines(lists).decode().split("\n")[:-1]


Shown = TypeVar("Shown")


def shown(row: type[Shown], columns: Sequence[Column], cells: Cells) -> Shown:
    """A row as it is shown: the columns of its struct, lists as lists."""
    return row(
        *[
            as_list(cell) if column.kind in ("texts", "dates") else cell
            for column, cell in zip(columns, cells, strict=False)  # what comes after is for choosing and ordering only
        ]
    )


NOTHING: Final = "[]"
"""An empty list as the read model keeps it."""


def as_list(text: str) -> tuple[str, ...]:
    """A list as it is shown."""
    return msgspec.json.decode(text, type=tuple[str, ...])
