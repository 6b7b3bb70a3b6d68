"""The entries themselves as rows of a table: who told what of which episode, and the fact as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Struct

from ledger.facts.entry import Entry, tag_of
from projections.rows.cells import Cells
from projections.rows.columns import Word, columns_of, note
from projections.words import utc_text


class ExportedEvent(Struct, frozen=True):
    """One entry as it was recorded."""

    position: Annotated[int, note("where it stands in the ledger; acts have positions, too", "left out")]
    episode: Annotated[str, note("the episode", "left out")]
    version: Annotated[int, note("its number in the episode", "left out")]
    type: Annotated[Word, note("the fact's type", "left out")]
    source: Annotated[Word, note("the system that told it", "left out")]
    id: Annotated[str, note("its name there", "left out")]
    by: Annotated[Word, note("who told it", "left out")]
    recorded_at: Annotated[datetime, note("when it was recorded", "left out")]
    fact: Annotated[str, note("the fact as JSON, as it was told", "left out")]


EVENT_COLUMNS: Final = tuple(columns_of(ExportedEvent))
_encode: Final = msgspec.json.Encoder().encode


def event_cells(positioned: tuple[int, Entry]) -> Cells:
    """An entry as a row."""
    position, entry = positioned
    return (
        position, entry.episode, entry.version, tag_of(entry.fact), entry.source, entry.id, entry.by,
        utc_text(entry.recorded_at), _encode(entry.fact).decode(),
    )  # fmt: skip
