"""What is told to a ledger under fire, and how it is looked at afterwards.

Ledgers are on the kind of store that ``tests/stores.py`` says: plain or encrypted, in a file or in PostgreSQL.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import AbstractContextManager
from datetime import date, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from commands.terminal import options
from commands.writing.record import record
from ledger.recorders import NoLedger
from ledger.recorders.by_name.proving import prove as prove_named
from tests import stores
from tests.intake_samples import NPI
from tests.stores import open_ledger

MARK = "ZQSECRETZQ"
"""Stands in every patient's and person's name: no message may hold it."""

EPISODES = 6
DAYS = 40
FIRST = date(2026, 6, 1)


def patient(number: int) -> str:
    """A patient's name."""
    return f"P-{MARK}-{number}"


def facts(rng: Random, many: int) -> list[dict[str, Any]]:
    """Lines that are all recorded, told of a few episodes at once; every one has an id of its own."""
    told: list[dict[str, Any]] = []
    for episode in range(EPISODES):
        opening = {
            "type": "EpisodeOpened",
            "patient": patient(episode // 2),
            "provider": NPI,
            "zone": "America/Chicago",
        }
        order = {
            "type": "TherapyOrdered",
            "order": "RX-1",
            "mode": "continuous",
            "from": "2026-06-01",
            "prescriber": NPI,
        }
        covered = {"type": "CoverageVerified", "payer": "prairie-blue", "member": "M-1", "from": "2026-01-01"}
        told += [_line(f"EP-{episode}", len(told) + at, fact) for at, fact in enumerate((opening, covered, order))]
    while len(told) < many:
        served = {"type": "DayServed", "order": "RX-1", "date": str(FIRST + timedelta(rng.randrange(DAYS)))}
        told.append(_line(f"EP-{rng.randrange(EPISODES)}", len(told), served))
    return told[:many]


def _line(episode: str, number: int, fact: dict[str, Any]) -> dict[str, Any]:
    return {"episode": episode, "source": "pump", "id": str(number), "by": MARK, "fact": fact}


def book_read_once() -> AbstractContextManager[object]:
    """Meanwhile each book is read once: half of a short command's time would go into reading it again."""
    return patch.object(options, "load_book", cache(options.load_book))


def holds(path: Path) -> bool:
    """Whether the walk over the whole ledger finds it as it was recorded, with its master key if it has one."""
    return prove_named(stores.named(path), master=stores.master()).holds


def remove(path: Path) -> None:
    """Take a ledger away, with its logs; in PostgreSQL, its schema."""
    stores.remove(path)
    for file in path.parent.glob(path.name + "*"):
        file.unlink()


def write_lines(path: Path, told: list[dict[str, Any]]) -> Path:
    """An intake file."""
    path.write_bytes(b"".join(json.dumps(each).encode() + b"\n" for each in told))
    return path


def acknowledged(said: bytes) -> dict[str, int]:
    """What was answered 'recorded' in whole lines: the id of each line's entry, and its position."""
    whole = said[: said.rfind(b"\n") + 1].splitlines()
    outcomes = [json.loads(line) for line in whole]
    return {str(each["line"] - 1): each["position"] for each in outcomes if each["outcome"] == "recorded"}


def look(path: Path, acked: dict[str, int], batch: int, before: int, of: int) -> Counter[str]:
    """What is wrong with a ledger after the fire: acknowledged entries lost, half batches, seals that do not hold."""
    found: Counter[str] = Counter(lost=0, half_batches=0, does_not_hold=0)
    there: dict[str, int] = {}
    if _was_made(path):
        found["does_not_hold"] = int(not holds(path))
        with open_ledger(path, create=False) as ledger:
            there = {entry.id: position for position, entry in ledger.follow(0)}
    found["lost"] = sum(there.get(id) != position for id, position in acked.items())
    told = len(there) - before
    found["half_batches"] = int(told % batch != 0 and told != of)
    return found


def _was_made(path: Path) -> bool:
    """Whether the ledger came so far as to be one; before that nothing can have been acknowledged."""
    try:
        open_ledger(path, create=False).close()
    except NoLedger:
        return False
    return True


def tell_the_rest(path: Path, told: list[dict[str, Any]], source: bytes) -> bool:
    """Whether sending everything again makes the ledger whole, each line once."""
    with open_ledger(path, create=True) as ledger:
        outcomes = [each.outcome for each in record(ledger, BytesIO(source))]
        entries = ledger.position()
    return "refused" not in outcomes and len(outcomes) == len(told) and entries == len(told) and holds(path)
