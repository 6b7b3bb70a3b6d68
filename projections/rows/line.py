"""The row of a claim line, as ``lines`` prints it (contract section 2) and as the read model keeps it."""

from __future__ import annotations

import msgspec

from ledger.judge.case import Case
from ledger.judge.lines import pack
from projections.rows.cells import Cells, as_list
from projections.words import iso


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


def line_cells(case: Case) -> list[Cells]:
    """The claim lines of one judged episode, by their first date; ``modifiers`` is empty in this edition."""
    patient, episode = case.patient.name, case.episode.name
    return [
        (patient, episode, line.payer, line.code, iso(line.from_), iso(line.to), line.units, line.rate_cents,
         line.charge_cents, line.authorization, line.terms.from_.isoformat(), "[]")
        for line in pack(case)
    ]  # fmt: skip


def line_row(cells: Cells) -> LineRow:
    """The row as it is shown."""
    return LineRow(*(*cells[:-1], as_list(cells[-1])))
