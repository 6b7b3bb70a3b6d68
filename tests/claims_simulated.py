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

from ledger.book import load_book
from projections.operations.on_claims import shares_on_claims
from projections.reading.as_known import AsKnown
from tests import ROOT, kept
from tests.command_line import House
from tests.simulated import tell_simulated
from tests.stores import open_ledger

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
    with open_ledger(house.ledger, create=True) as ledger:
        list(tell_simulated(ledger, told))
    recorded = house.run("record", *IN_THE_OPEN, told / "billing.jsonl")
    assert {row["outcome"] for row in recorded.rows} <= {"recorded", "duplicate"}, recorded.err


def claimable_days(house: House) -> Counter[Day]:
    """The days that should go out: billable, on no live claim, come, and touched by no hard finding."""
    elsewhere = on_claims_of_others(house)
    days = _days(house.run("lines", "--claimable", "--format", "json").rows)
    return Counter({day: count for day, count in days.items() if (day[0], day[2]) not in elsewhere})


def on_claims_of_others(house: House) -> set[tuple[str, str]]:
    """Each episode's dates that a live claim of another of its patient's episodes asks for."""
    with open_ledger(house.ledger, create=False) as ledger:
        episodes = {row["episode"]: row["patient"] for row in house.run("lines").rows}
        found, past = set(), AsKnown(ledger, load_book(house.book))
        for episode, patient in episodes.items():
            for other in set(ledger.episodes_of(patient)) - {episode}:
                if past.owner(other) == patient:
                    found |= {(episode, day) for day in shares_on_claims(ledger, other)}
    return found


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
