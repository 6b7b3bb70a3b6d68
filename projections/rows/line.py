"""The row of a claim line, as ``lines`` prints it (contract section 2) and as the read model keeps it."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from ledger.judge.case import Case
from ledger.judge.lines import pack
from projections.rows.cells import Cells, json_list, shown
from projections.rows.columns import columns_of, named_cells, note
from projections.words import iso


class LineRow(msgspec.Struct, frozen=True, gc=False):
    """One claim line to bill: consecutive billable days of one payer, code, rate, authorization and edition.

    Dates are ``YYYY-MM-DD``, one unit is one day, money is whole cents.
    """

    patient: Annotated[str, note("the patient's name in the ledger", "pseudonym")]
    episode: Annotated[str, note("the episode", "pseudonym")]
    payer: Annotated[str, note("the payer to bill", "kept", "word")]
    code: Annotated[str, note("the per-diem code", "kept", "word")]
    from_: Annotated[str, note("the first service date", "shifted", "date")] = msgspec.field(name="from")
    to: Annotated[str, note("the last service date, included", "shifted", "date")]
    units: Annotated[int, note("days, which are units", "kept")]
    rate_cents: Annotated[int, note("dollars for a day", "kept", "money")]
    charge_cents: Annotated[int, note("the house's price in dollars for the line", "kept", "money")]
    authorization: Annotated[str | None, note("the authorization that the day draws a unit from", "left out")]
    terms_from: Annotated[str, note("the first service date of the terms' edition", "left out", "date")]
    modifiers: Annotated[tuple[str, ...], note("the modifiers", "left out")]
    member: Annotated[str | None, note("the patient's number with the payer", "left out")]
    provider: Annotated[str | None, note("the NPI the days are billed under", "kept", "word")]
    place_of_service: Annotated[str | None, note("the place of service", "kept", "word")]
    expected_cents: Annotated[int, note("dollars for the line: `units` times `rate`", "kept", "money")]


LINE_COLUMNS: Final = tuple(columns_of(LineRow))
LINE_ORDER: Final = ("patient", "episode", "from")
_cells_of: Final = tuple.__new__
LineCells: Final = named_cells(LineRow)
"""A claim line as the read model keeps it, its places named as the columns are (``from_`` for ``from``)."""


def line_cells(case: Case) -> list[Cells]:
    """The claim lines of one judged episode, by their first date."""
    patient, episode = case.patient.name, case.episode.name
    return [
        _cells_of(
            LineCells,  # by place, as ``LineRow`` has them: by name it takes four times as long
            (
                patient, episode, line.payer, line.code, iso(line.from_), iso(line.to), line.units,
                line.price.rate_cents, line.charge_cents, line.authorization, line.terms.from_.isoformat(),
                json_list(line.price.modifiers), line.member, line.provider, line.place, line.expected_cents,
            ),
        )
        for line in pack(case)
    ]  # fmt: skip


def line_row(cells: Cells) -> LineRow:
    """The row as it is shown."""
    return shown(LineRow, LINE_COLUMNS, cells)
