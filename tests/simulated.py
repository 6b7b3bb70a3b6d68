"""Simulated histories recorded as they went, with what the house did meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from commands.writing.record import Outcome
from ledger.store import EpisodeLedger
from tests import ROOT


def tell_simulated(ledger: EpisodeLedger, folder: Path) -> Iterator[Outcome]:
    """Record what `scripts/simulate` wrote to a folder, acts of the house in their places."""
    with patch.object(sys, "path", [str(ROOT / "scripts"), *sys.path]):
        telling: Any = import_module("simulation.telling")
    outcomes: Iterator[Outcome] = telling.tell(ledger, folder)
    return outcomes
