"""The row of a day, as ``days`` prints it (contract section 2) and as the read model keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ledger.judge.case import Case, Region
from ledger.judge.causes import causes, causes_by_date
from ledger.judge.regions import region_on, regions
from projections.rows.cells import Cells, as_list, json_lists
from projections.words import iso


class DayRow(msgspec.Struct, frozen=True, gc=False):
    """One service date of one episode with its verdict; dates are ``YYYY-MM-DD``, money is whole cents."""

    patient: str
    episode: str
    date: str
    status: str
    reason: str | None
    code: str | None
    payer: str | None
    terms_from: str | None
    terms_published: str | None
    rate_cents: int | None
    authorization: str | None
    because: tuple[str, ...]


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
    said = causes(case, others, date, region.verdict)
    return _cells(case, region, [date], {date: said})[0]


def _cells(case: Case, region: Region, days: Sequence[int], because: Mapping[int, Sequence[str]]) -> list[Cells]:
    patient, episode = case.patient.name, case.episode.name
    _, status, reason = region.verdict
    code, payer, rate_cents, terms = region.code, region.payer, region.rate_cents, region.terms
    from_, published = (terms.from_.isoformat(), terms.published.isoformat()) if terms else (None, None)
    drawn = map((case.drawn if region.is_billable else {}).get, days)
    labels = json_lists([because[day] for day in days])
    return [
        (patient, episode, date, status, reason, code, payer, from_, published, rate_cents, authorization, entries)
        for date, authorization, entries in zip(map(iso, days), drawn, labels, strict=True)
    ]


def day_row(cells: Cells) -> DayRow:
    """The row as it is shown."""
    return DayRow(*(*cells[:-1], as_list(cells[-1])))
