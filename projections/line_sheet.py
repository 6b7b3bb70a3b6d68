"""The row of a claim line, as ``lines`` prints it (contract section 2)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ledger.case import Case
from ledger.judged import JudgedDay
from ledger.lines import pack
from projections.day_sheet import iso


class LineRow(msgspec.Struct, frozen=True, gc=False):
    """One claim line to bill: dates are ``YYYY-MM-DD``, one unit is one day, money is whole cents."""

    patient: str
    episode: str
    payer: str
    code: str
    from_: str = msgspec.field(name="from")
    to: str
    units: int
    rate_cents: int
    charge_cents: int
    authorization: str | None
    terms_from: str
    modifiers: tuple[str, ...]


def line_rows(case: Case, days: Sequence[JudgedDay]) -> list[LineRow]:
    """The claim lines of one judged episode, by their first date."""
    return [
        LineRow(
            case.patient.name, case.episode.name, line.payer, line.code, iso(line.from_), iso(line.to), line.units,
            line.rate_cents, line.charge_cents, line.authorization, line.terms.from_.isoformat(), (),
        )
        for line in pack(days)
    ]  # fmt: skip
