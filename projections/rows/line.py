"""The row of a claim line, as ``lines`` prints it (contract section 2) and as the read model keeps it."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from ledger.judge.case import Case
from ledger.judge.lines import pack
from projections.rows.cells import NOTHING, Cells, shown
from projections.rows.columns import columns_of, named_cells, note
from projections.words import iso


class LineRow(msgspec.Struct, frozen=True, gc=False):
    """One claim line to bill: consecutive billable days of one payer, code, rate, authorization and edition.

    Dates are ``YYYY-MM-DD``, one unit is one day, money is whole cents.
    """

    patient: Annotated[str, note("the patient's name in the ledger", "pseudonym", shared=True)]
    episode: Annotated[str, note("the episode", "pseudonym", shared=True)]
    payer: Annotated[str, note("the payer to bill", "kept", "word", shared=True)]
    code: Annotated[str, note("the per-diem code", "kept", "word", shared=True)]
    from_: Annotated[str, note("the first service date", "shifted", "date")] = msgspec.field(name="from")
    to: Annotated[str, note("the last service date, included", "shifted", "date")]
    units: Annotated[int, note("days, which are units", "kept")]
    rate_cents: Annotated[int, note("dollars for a day", "kept", "money", shared=True)]
    charge_cents: Annotated[int, note("dollars for the line: `units` times `rate`", "kept", "money")]
    authorization: Annotated[
        str | None, note("the authorization that the day draws a unit from", "left out", shared=True)
    ]
    terms_from: Annotated[str, note("the first service date of the terms' edition", "left out", "date", shared=True)]
    modifiers: Annotated[tuple[str, ...], note("the modifiers; none in this edition", "left out", shared=True)]


LINE_COLUMNS: Final = tuple(columns_of(LineRow))
LINE_ORDER: Final = ("patient", "episode", "from")
LineCells: Final = named_cells(LineRow)
"""A claim line as the read model keeps it, its places named as the columns are (``from_`` for ``from``)."""


def line_cells(case: Case) -> list[Cells]:
    """The claim lines of one judged episode, by their first date; ``modifiers`` is empty in this edition."""
    patient, episode = case.patient.name, case.episode.name
    return [
        LineCells(patient, episode, line.payer, line.code, iso(line.from_), iso(line.to), line.units, line.rate_cents,
         line.charge_cents, line.authorization, line.terms.from_.isoformat(), NOTHING)
        for line in pack(case)
    ]  # fmt: skip


def line_row(cells: Cells) -> LineRow:
    """The row as it is shown."""
    return shown(LineRow, LINE_COLUMNS, cells)
