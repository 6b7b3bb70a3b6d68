"""The row of a day, as ``days`` prints it (contract section 2) and as the read model keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

import msgspec

from ledger.day_set import Days
from ledger.judge.case import Case, Region
from ledger.judge.causes import causes, causes_by_date
from ledger.judge.regions import region_on, regions
from ledger.judge.steps import PAYER_EXCLUDES_S_CODES, SEVERAL_CODES
from projections.rows.cells import Cells, json_list, json_lists, shown
from projections.rows.columns import columns_of, named_cells, note
from projections.words import iso

_PATIENT: Final = note("the patient's name in the ledger", "pseudonym", shared=True)
_EPISODE: Final = note("the episode", "pseudonym", shared=True)
_NULL_BEFORE_CODE: Final = f"null before step {SEVERAL_CODES.number} is passed"
_NULL_BEFORE_PAYER: Final = f"null before step {PAYER_EXCLUDES_S_CODES.number} is passed"


class DayRow(msgspec.Struct, frozen=True, gc=False):
    """One service date of one episode with its verdict.

    Dates are ``YYYY-MM-DD``, money is whole cents.
    """

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    date: Annotated[str, note("the service date, local where the patient lives", "shifted", "date")]
    status: Annotated[str, note("`billable`, `not_billable`, `hold` or `conflict`", "kept", "word", shared=True)]
    reason: Annotated[str | None, note("the verdict's second word; null when billable", "kept", "word", shared=True)]
    code: Annotated[str | None, note(f"the per-diem code of the day; {_NULL_BEFORE_CODE}", "kept", "word", shared=True)]
    payer: Annotated[str | None, note(f"the payer of the day; {_NULL_BEFORE_PAYER}", "kept", "word", shared=True)]
    terms_from: Annotated[
        str | None, note("the first service date of the terms' edition", "left out", "date", shared=True)
    ]
    terms_published: Annotated[str | None, note("when that edition was published", "left out", "date", shared=True)]
    rate_cents: Annotated[int | None, note("dollars for the day; null unless billable", "kept", "money", shared=True)]
    authorization: Annotated[str | None, note("the authorization that the day draws a unit from", "left out")]
    because: Annotated[
        tuple[str, ...], note("the entries that decided, as `source:id`, the decisive one first", "left out")
    ]
    member: Annotated[
        str | None, note("the patient's number with the payer; null where `payer` is", "left out", shared=True)
    ]
    provider: Annotated[
        str | None, note("the NPI the day goes under; null where `terms_from` is", "kept", "word", shared=True)
    ]
    place_of_service: Annotated[
        str | None, note("the place of service; null where `terms_from` is", "kept", "word", shared=True)
    ]
    modifiers: Annotated[tuple[str, ...] | None, note("the modifiers; null unless billable", "left out", shared=True)]


DAY_COLUMNS: Final = tuple(columns_of(DayRow))
DAY_ORDER: Final = ("patient", "episode", "date")
ADDED_FROM: Final = [column.name for column in DAY_COLUMNS].index("member")
"""Where in a day's columns those begin that edition 2 added."""
DayCells: Final = named_cells(DayRow)
"""A day as the read model keeps it, its places named as the columns are."""
_DATE, _AUTHORIZATION, _BECAUSE = (DayCells._fields.index(name) for name in ("date", "authorization", "because"))
assert _BECAUSE == _AUTHORIZATION + 1
_cells_of: Final = tuple.__new__


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


def cells_within(case: Case, others: Sequence[Case], days: Days) -> Iterator[Cells]:
    """The rows of some dates of a judged episode, in no order."""
    for region in regions(case):
        if dates := list(case.calendar.dates(region.days & days)):
            said = {date: causes(case, others, date, region.verdict) for date in dates}
            yield from _cells(case, region, dates, said)


def cells_on(case: Case, others: Sequence[Case], date: int) -> Cells:
    """The row of one date of a judged episode."""
    region = region_on(case, date)
    said = causes(case, others, date, region.verdict)
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
        member=region.member,
        provider=region.provider,
        place_of_service=region.place,
        modifiers=json_list(region.modifiers) if region.is_billable else None,
    )
    grants = map((case.drawn if region.is_billable else {}).get, days)
    labels = json_lists([because[day] for day in days])
    before, between, after = shared[:_DATE], shared[_DATE + 1 : _AUTHORIZATION], shared[_BECAUSE + 1 :]
    return [  # ``_replace``, written out: it would be half the work of a row
        _cells_of(DayCells, (*before, date, *between, grant.number if grant else None, entries, *after))
        for date, grant, entries in zip(map(iso, days), grants, labels, strict=True)
    ]


def day_row(cells: Cells) -> DayRow:
    """The row as it is shown."""
    return shown(DayRow, DAY_COLUMNS, cells)
