"""The entries themselves as CloudEvents 1.0, one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO, Final

import msgspec

from ledger.facts.entry import Entry, fact_shown, tag_of
from projections.export.shapes import SCHEMA_VERSION
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
