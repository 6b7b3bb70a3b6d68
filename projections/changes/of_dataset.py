"""The changes of a dataset, whichever it is: days with what changed them, the others with what they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.changes.days import changes_since, days_inserted
from projections.changes.sheets import NOTHING_KEPT, KeptRows, sheet_changes_since, sheets_inserted
from projections.changes.stretch import Stretch
from projections.rows.cells import Cells
from projections.rows.day import DayCells

DAYS: Final = "days"


def changes_of(
    ledger: EpisodeLedger, of: str, since: int, upto: int, told: Progress = silent, kept: KeptRows = NOTHING_KEPT
) -> Iterator[Cells]:
    """The changes of a dataset's rows from a position to a later one."""
    if of == DAYS:
        return changes_since(ledger, since, upto, told)
    return sheet_changes_since(ledger, of, since, upto, told, kept)


def inserted(rows: Iterable[Cells], of: str, stretch: Stretch) -> Iterator[Cells]:
    """The rows of a dataset as changes, where nothing was before."""
    return days_inserted(map(DayCells._make, rows), stretch) if of == DAYS else sheets_inserted(rows, of, stretch)
