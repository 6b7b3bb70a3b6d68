"""Simulated episodes: what is read back from the files is what was billable and on no claim, each day once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.x12.structure import structure_faults
from tests.claims_simulated import claimable_days, claims_house, days_on


def differences(folder: Path, episodes: int, seed: int, *, judged_by_pyx12: bool) -> tuple[int, int]:
    """How many claims a simulated house writes, and how many days differ from what was to go out; the gate and pyx12
    find nothing, and the second time nothing goes out."""
    house = claims_house(folder, episodes, seed)
    expected = claimable_days(house)
    written = house.run("claims", "write", "--out", folder / "out")
    assert {row["outcome"] for row in written.rows} <= {"written"}, written.err
    files = sorted((folder / "out").glob("*.837"))
    there = days_on(house, files, {row["claim"]: row["episode"] for row in written.rows})
    different = sum(((there - expected) + (expected - there)).values())
    checked = house.run("claims", "check", *files) if files else None
    assert checked is None or not [row for row in checked.rows if row["level"] == "hard"], checked.rows
    if judged_by_pyx12:
        assert [fault.says for file in files for fault in structure_faults(file.read_bytes())] == []
    assert house.run("claims", "write", "--out", folder / "again").rows == []
    return len(written.rows), different


def test_what_is_read_back_is_what_was_to_go_out(tmp_path: Path) -> None:
    pytest.importorskip("pyx12")
    claims, different = differences(tmp_path / "house", 30, 4, judged_by_pyx12=True)
    assert (claims > 5, different) == (True, 0)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(200))
def test_what_is_read_back_is_what_was_to_go_out_for_many_seeds(tmp_path: Path, seed: int) -> None:
    assert differences(tmp_path / "house", 50, seed, judged_by_pyx12=True)[1] == 0
