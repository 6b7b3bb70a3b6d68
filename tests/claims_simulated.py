"""Simulated histories that claims are written from, and the days that should go out beside those that did.

What should stand on the files is taken from ``lines --claimable``, which shares nothing with the writing of claims but
the judge; what does is read back from the files.
"""

from __future__ import annotations

import runpy
import sys
from collections import Counter
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests import ROOT, kept
from tests.command_line import House

SIMULATE = ROOT / "scripts" / "simulate"
IN_THE_OPEN = ("--identity-in-the-open", "--no-effect")
Day = tuple[str, str, str, str]
"""Episode, payer, date, code."""


def claims_house(folder: Path, episodes: int, seed: int) -> House:
    """A house told simulated histories, in their own book, and who the patients are."""
    return kept.house(folder, f"{episodes} to claim, {seed}", partial(_tell, episodes, seed), book="told/book")


def _tell(episodes: int, seed: int, house: House) -> None:
    told = house.folder / "told"
    with patch.object(sys, "path", [str(SIMULATE.parent), *sys.path]):  # in this process: it is quicker
        made = runpy.run_path(str(SIMULATE), run_name="simulate")
        made["simulate"](episodes, seed, told)
        made["add_billing"](told)
    house.book = told / "book"
    house.run("record", "--keep-recorded-at", "--no-effect", told / "intake.jsonl")
    recorded = house.run("record", *IN_THE_OPEN, told / "billing.jsonl")
    assert {row["outcome"] for row in recorded.rows} <= {"recorded", "duplicate"}, recorded.err


def claimable_days(house: House) -> Counter[Day]:
    """The days that should go out: billable, on no live claim, come, and touched by no hard finding."""
    return _days(house.run("lines", "--claimable", "--format", "json").rows)


def days_on(house: House, files: list[Path], episodes: dict[str, str]) -> Counter[Day]:
    """The days of per diems on some files, by the episodes that the claims were written for."""
    rows = house.run("claims", "read", *files).rows if files else []
    per_diems = [row for row in rows if row["code"].startswith("S93")]
    return _days([row | {"episode": episodes[row["claim"]]} for row in per_diems])


def _days(rows: list[dict[str, Any]]) -> Counter[Day]:
    found: Counter[Day] = Counter()
    for row in rows:
        first, last = date.fromisoformat(row["from"]), date.fromisoformat(row["to"])
        for place in range((last - first).days + 1):
            found[row["episode"], row["payer"], (first + timedelta(days=place)).isoformat(), row["code"]] += 1
    return found
