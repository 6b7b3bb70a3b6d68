"""The row of a day, as ``days`` prints it (contract section 2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from ledger.case import Case
from ledger.grounds import causes
from ledger.judged import JudgedDay


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


def day_rows(case: Case, others: Sequence[Case], days: Sequence[JudgedDay]) -> list[DayRow]:
    """The rows of one judged episode, in date order."""
    return [_row(case, others, day) for day in days]


def _row(case: Case, others: Sequence[Case], day: JudgedDay) -> DayRow:
    verdict, terms = day.verdict, day.terms
    return DayRow(
        case.patient.name,
        case.episode.name,
        iso(day.date),
        verdict.status,
        verdict.reason,
        day.code,
        day.payer,
        terms.from_.isoformat() if terms else None,
        terms.published.isoformat() if terms else None,
        day.rate_cents,
        day.authorization,
        tuple(causes(case, others, day.date, verdict.step, verdict.reason)),
    )


def iso(ordinal: int) -> str:
    """A service date as reports write it."""
    return date.fromordinal(ordinal).isoformat()
