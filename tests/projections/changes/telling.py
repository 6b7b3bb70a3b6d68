"""A ledger told a random history, in part: what lies in the future is refused, and the rest goes on."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

from commands.writing.record import record
from ledger.store import EpisodeLedger

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def tell(ledger: EpisodeLedger, entries: list[dict[str, Any]]) -> list[Any]:
    stream = io.BytesIO(b"".join(json.dumps(entry).encode() + b"\n" for entry in entries))
    return list(record(ledger, stream, keep_recorded_at=True))
