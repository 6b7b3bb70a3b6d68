"""Simulated episodes: what is read back from the files is what was billable and on no claim, each day once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ledger.x12.structure import structure_faults
from tests.claims_simulated import Day, claimable_days, claims_house, days_on


def differences(folder: Path, episodes: int, seed: int, *, judged_by_pyx12: bool) -> tuple[int, int]:
    """How many claims a simulated house writes, and how many days differ from what was to go out; held is only what
    something is missing for (a diagnosis that the payer does not ask for), the gate and pyx12 find nothing, and the
    second time nothing goes out."""
    house = claims_house(folder, episodes, seed)
    expected = claimable_days(house)
    lacking = [row for row in house.run("claims", "prepare").rows if not row["ready"]]
    ended = house.run("claims", "write", "--out", folder / "out")
    written = [row for row in ended.rows if row["outcome"] == "written"]
    assert len(ended.rows) - len(written) == len(lacking), ended.err
    assert {what.rsplit(" ", 1)[0] for row in lacking for what in row["missing"]} <= {"a diagnosis in force on"}
    files = sorted((folder / "out").glob("*.837"))
    there = days_on(house, files, {row["claim"]: row["episode"] for row in written})
    expected = Counter({day: count for day, count in expected.items() if not any(_lacks(row, day) for row in lacking)})
    different = sum(((there - expected) + (expected - there)).values())
    checked = house.run("claims", "check", *files) if files else None
    assert checked is None or not [row for row in checked.rows if row["level"] == "hard"], checked.rows
    if judged_by_pyx12:
        assert [fault.says for file in files for fault in structure_faults(file.read_bytes())] == []
    again = house.run("claims", "write", "--out", folder / "again").rows
    assert {row["outcome"] for row in again} <= {"held"}
    return len(written), different


def _lacks(row: dict[str, Any], day: Day) -> bool:
    """Whether a day is on a claim that something is missing for."""
    return (row["episode"], row["payer"]) == day[:2] and row["from"] <= day[2] <= row["to"]


def test_what_is_read_back_is_what_was_to_go_out(tmp_path: Path) -> None:
    pytest.importorskip("pyx12")
    claims, different = differences(tmp_path / "house", 15, 4, judged_by_pyx12=True)
    assert (claims > 5, different) == (True, 0)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200))
def test_what_is_read_back_is_what_was_to_go_out_for_many_seeds(tmp_path: Path, seed: int) -> None:
    assert differences(tmp_path / "house", 50, seed, judged_by_pyx12=True)[1] == 0
