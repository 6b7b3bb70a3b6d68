"""The row of a day, as ``days`` prints it (contract section 2); the read model keeps runs of them (``day_run.py``)."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from ledger.judge.steps import PAYER_EXCLUDES_S_CODES, SEVERAL_CODES
from projections.rows.cells import Cells, shown
from projections.rows.columns import columns_of, named_cells, note

_PATIENT: Final = note("the patient's name in the ledger", "pseudonym")
_EPISODE: Final = note("the episode", "pseudonym")
_NULL_BEFORE_CODE: Final = f"null before step {SEVERAL_CODES.number} is passed"
_NULL_BEFORE_PAYER: Final = f"null before step {PAYER_EXCLUDES_S_CODES.number} is passed"


class DayRow(msgspec.Struct, frozen=True, gc=False):
    """One service date of one episode with its verdict.

    Dates are ``YYYY-MM-DD``, money is whole cents.
    """

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    date: Annotated[str, note("the service date, local where the patient lives", "shifted", "date")]
    status: Annotated[str, note("`billable`, `not_billable`, `hold` or `conflict`", "kept", "word")]
    reason: Annotated[str | None, note("the verdict's second word; null when billable", "kept", "word")]
    code: Annotated[str | None, note(f"the per-diem code of the day; {_NULL_BEFORE_CODE}", "kept", "word")]
    payer: Annotated[str | None, note(f"the payer of the day; {_NULL_BEFORE_PAYER}", "kept", "word")]
    terms_from: Annotated[str | None, note("the first service date of the terms' edition", "left out", "date")]
    terms_published: Annotated[str | None, note("when that edition was published", "left out", "date")]
    rate_cents: Annotated[int | None, note("dollars for the day; null unless billable", "kept", "money")]
    authorization: Annotated[str | None, note("the authorization that the day draws a unit from", "left out")]
    because: Annotated[
        tuple[str, ...], note("the entries that decided, as `source:id`, the decisive one first", "left out")
    ]
    member: Annotated[str | None, note("the patient's number with the payer; null where `payer` is", "left out")]
    provider: Annotated[str | None, note("the NPI the day goes under; null where `terms_from` is", "kept", "word")]
    place_of_service: Annotated[str | None, note("the place of service; null where `terms_from` is", "kept", "word")]
    modifiers: Annotated[tuple[str, ...] | None, note("the modifiers; null unless billable", "left out")]


DAY_COLUMNS: Final = tuple(columns_of(DayRow))
DAY_ORDER: Final = ("patient", "episode", "date")
ADDED_FROM: Final = [column.name for column in DAY_COLUMNS].index("member")
"""Where in a day's columns those begin that edition 2 added."""
DayCells: Final = named_cells(DayRow)
"""A day as a row of SQL, its places named as the columns are."""


def day_row(cells: Cells) -> DayRow:
    """The row as it is shown."""
    return shown(DayRow, DAY_COLUMNS, cells)
