"""The row of a day, as ``days`` prints it (contract section 2) and as the read model keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final

import msgspec

from ledger.case import Case, Region
from ledger.grounds import causes, serving_labels
from ledger.judged import regions

Cells = tuple[Any, ...]
"""A row as the read model keeps it: text, whole numbers and None; lists as JSON text."""

_encode: Final = msgspec.json.Encoder().encode


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
    patient, episode = case.patient.name, case.episode.name
    serving = serving_labels(case)
    for region in regions(case):
        said = _said(region)
        step, reason = region.verdict.step, region.verdict.reason
        for day in case.calendar.dates(region.days):
            if step == 24 and day in serving:
                drawn, because = case.drawn.get(day), json_list(serving[day])
            else:
                drawn = case.drawn.get(day) if step == 24 else None
                because = json_list(causes(case, others, day, step, reason))
            rows[day - first] = (patient, episode, iso(day), *said, drawn, because)
    return rows


def _said(region: Region) -> Cells:
    terms = region.terms
    return (
        region.verdict.status,
        region.verdict.reason,
        region.code,
        region.payer,
        terms.from_.isoformat() if terms else None,
        terms.published.isoformat() if terms else None,
        region.rate_cents,
    )


def day_row(cells: Cells) -> DayRow:
    """The row as it is shown."""
    return DayRow(*(*cells[:-1], as_list(cells[-1])))


@lru_cache(maxsize=65_536)
def iso(ordinal: int) -> str:
    """A service date as reports write it."""
    return date.fromordinal(ordinal).isoformat()


def json_list(parts: Sequence[str]) -> str:
    """A list as the read model keeps it."""
    return _encode(parts).decode()


def as_list(text: str) -> tuple[str, ...]:
    """A list as it is shown."""
    return msgspec.json.decode(text, type=tuple[str, ...])
