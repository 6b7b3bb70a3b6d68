"""What is built: files, each by its book, up to a position, with so much memory; and what was made of each."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from ledger.keys.cipher import MasterKey
from projections.read_model.trouble import SetAside
from projections.reading.budget import Budget

MEMORY_MB: Final = 512
"""How much memory all processes of a rebuild take, at most, unless they are allowed more."""


class Target(NamedTuple):
    """A file to be built, and the text of the book by which its rows are judged."""

    path: Path
    book: str


class Work(NamedTuple):
    """What one process has to do."""

    ledger: str
    known_on: date | None
    upto: int
    mapped_mb: int
    quarantine: bool
    master: MasterKey | None = None
    budget: Budget = Budget()


class BuiltPart(NamedTuple):
    """What one process made of a target: its fingerprints, and who had to be set aside."""

    sums: list[int]
    patients: int
    set_aside: list[SetAside]


def mapped_mb(memory_mb: int, processes: int) -> int:
    """How much of the ledger's file each of so many processes reads as mapped memory: what is allowed beyond need.

    Mapped pages are read a sixth faster, and count as memory of the process that reads them.
    """
    return max(0, memory_mb - MEMORY_MB) // processes
