"""The entries themselves: as CloudEvents 1.0, one JSON object a line, or as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, BinaryIO, Final

import msgspec
from msgspec import Struct

from ledger.facts.entry import Entry, fact_shown, tag_of
from projections.export.shapes import SCHEMA_VERSION
from projections.rows.cells import Cells
from projections.rows.columns import Word, columns_of, note
from projections.words import utc_text

_encode: Final = msgspec.json.Encoder().encode


def cloud_event(ledger_id: str, position: int, entry: Entry) -> dict[str, Any]:
    """One entry as an event; ``data`` is the line of intake that made it, with its ``version`` in the episode.

    ``sequence`` orders events as text: the position in nineteen digits.
    """
    at = utc_text(entry.recorded_at)
    return {
        "specversion": "1.0",
        "id": f"{ledger_id}/{position}",
        "source": f"urn:episode-ledger:{ledger_id}",
        "type": f"episode-ledger.{tag_of(entry.fact)}.v{SCHEMA_VERSION}",
        "subject": entry.episode,
        "time": at,
        "datacontenttype": "application/json",
        "sequence": f"{position:019d}",
        "data": {
            "episode": entry.episode, "source": entry.source, "id": entry.id, "by": entry.by, "recorded_at": at,
            "version": entry.version, "fact": fact_shown(entry),
        },
    }  # fmt: skip


def write_events(file: BinaryIO, ledger_id: str, entries: Iterable[tuple[int, Entry]]) -> None:
    """Entries with their positions, one event a line."""
    file.writelines(_encode(cloud_event(ledger_id, position, entry)) + b"\n" for position, entry in entries)


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


def event_cells(positioned: tuple[int, Entry]) -> Cells:
    """An entry as a row."""
    position, entry = positioned
    return (
        position, entry.episode, entry.version, tag_of(entry.fact), entry.source, entry.id, entry.by,
        utc_text(entry.recorded_at), _encode(entry.fact).decode(),
    )  # fmt: skip
