"""What stays of the forgotten: their billed days and lines, under nobody's name, so that totals are what they were."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from ledger.facts.administration import KeptLine, PatientForgotten
from projections.rows.cells import NOTHING, Cells
from projections.rows.day_run import DayRun
from projections.rows.line import LineCells
from projections.rows.patient import Sheets

NOBODY: Final = ""
"""The patient of rows that are nobody's any more: a name is never empty."""


def kept_sheets(acts: Sequence[tuple[int, PatientForgotten]]) -> Sheets | None:
    """The rows that acts of forgetting kept, in order; None if nobody was forgotten."""
    if not acts:
        return None
    lines = [(_place(position, line), line) for position, act in acts for line in act.lines]
    runs = sorted(_run(place, line) for place, line in lines)
    return Sheets(runs, [], sorted(_line(place, line) for place, line in lines))


def _place(position: int, line: KeptLine) -> str:
    """What stands where an episode's name was: the act that forgot it, and which of the act's episodes it was."""
    return f"(forgotten {position}.{line.episode})"


def _run(place: str, line: KeptLine) -> DayRun:
    """The days of a line, which are exactly the billable ones (rulebook section 6)."""
    days = date.fromisoformat(line.to).toordinal() - date.fromisoformat(line.from_).toordinal() + 1
    return DayRun(
        patient=NOBODY, episode=place, first_date=line.from_, last_date=line.to, days=days, status="billable",
        reason=None, code=line.code, payer=line.payer, terms_from=line.terms_from,
        terms_published=line.terms_published, rate_cents=line.rate_cents, authorization=None,
        because=f"[{','.join([NOTHING] * days)}]", member=None, provider=None, place_of_service=None, modifiers=None,
    )  # fmt: skip


def _line(place: str, line: KeptLine) -> Cells:
    cells: Cells = LineCells(
        patient=NOBODY, episode=place, payer=line.payer, code=line.code, from_=line.from_, to=line.to,
        units=line.units, rate_cents=line.rate_cents, charge_cents=line.charge_cents, terms_from=line.terms_from,
        modifiers=NOTHING, expected_cents=line.units * line.rate_cents,
    )  # fmt: skip
    return cells
