"""A simulated history recorded as it went: its intake lines, and between them the acts of the house."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from commands.writing.record import Outcome, record
from ledger.facts.administration import PatientsMerged, PatientsParted
from ledger.store import EpisodeLedger


def tell(ledger: EpisodeLedger, folder: Path) -> Iterator[Outcome]:
    """Record what `simulate` wrote to a folder; gives the outcomes of the lines, numbered anew after each act."""
    with (folder / "intake.jsonl").open("rb") as intake, (folder / "acts.jsonl").open("rb") as acts:
        lines = _Lines(intake)
        for act in map(json.loads, acts):
            lines.until = act["recorded_at"].encode()
            yield from record(ledger, cast(BinaryIO, lines), keep_recorded_at=True)
            do(ledger, act)
        lines.until = None
        yield from record(ledger, cast(BinaryIO, lines), keep_recorded_at=True)


def do(ledger: EpisodeLedger, act: dict[str, Any]) -> int:
    """Do an act of the house, at its own time; gives its position."""
    fact, at, by = act["fact"], datetime.fromisoformat(act["recorded_at"]), act["by"]
    patient, reason, nonce = fact["patient"], fact["reason"], "0" * 32
    if fact["type"] == "PatientsMerged":
        return ledger.record_merging(PatientsMerged(at, by, patient, fact["into"], reason, nonce))
    return ledger.record_parting(PatientsParted(at, by, patient, reason, nonce))


class _Lines:
    """Intake that ends for a while before the first line that came after an instant."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._next = stream, b""
        self.until: bytes | None = None

    def readline(self, limit: int) -> bytes:
        line = self._next or self._stream.readline(limit)
        comes_later = self.until is not None and line.partition(b'"recorded_at":"')[2][: len(self.until)] > self.until
        self._next = line if comes_later else b""
        return b"" if comes_later else line
