"""An export killed at any moment leaves a whole one standing: the one before, or its own."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.command_line import House
from tests.exports import FORMS, as_exported, manifest_of, rows_in, simulated_house, told_house
from tests.projections.export.starter import (
    starter,
)
from tests.tiers import in_proportion


def days_now(house: House) -> list[str]:
    """Every day as an export has it, in no order."""
    return sorted(json.dumps(as_exported(row), sort_keys=True) for row in house.run("days").rows)


def more(house: House, number: int, episode: str) -> None:
    """One more entry, which makes another day."""
    fact = {"type": "NursingVisited", "date": f"2026-{1 + number // 28:02d}-{1 + number % 28:02d}"}
    told = {"episode": episode, "source": "kill", "id": str(number), "by": "rn-1", "fact": fact}
    assert house.tell(told).status == 0


@pytest.mark.parametrize("kills", in_proportion(12, 51))
def test_a_whole_export_stands_whenever_one_is_killed(tmp_path: Path, kills: int) -> None:
    house, rng = simulated_house(tmp_path, 6), random.Random(51)
    episode = house.run("days").rows[0]["episode"]
    found: Counter[str] = Counter()
    named = house.named
    expected: dict[str, list[str]] = {}
    took: dict[str, float] = {}
    child = starter()
    for number in range(kills + len(FORMS)):
        form = FORMS[number % len(FORMS)]
        out = tmp_path / form
        more(house, number, episode)
        now = days_now(house)
        began = time.monotonic()
        process = child.start([*named, "export", "days", "--format", form, "--out", str(out)])
        if form in took:
            slept = rng.uniform(0, took[form])
            time.sleep(slept)
            os.kill(process, signal.SIGKILL)
            status = child.ended()
            if status == 0:  # it takes no longer than that
                took[form] = slept
        else:
            status = child.ended()
            took[form] = time.monotonic() - began
            assert status == 0
        assert status in (0, -signal.SIGKILL)
        made = standing(out)
        assert made in (expected.get(form), now)
        if status == 0:
            assert made == now
        found["new" if made == now else "before"] += 1
        found["killed"] += status != 0
        expected[form] = made
    assert found["killed"] > kills / 4, "on a busy machine many end before their moment comes"
    assert found["before"] > kills / 4
    for form in FORMS:
        assert house.run("export", "days", "--format", form, "--out", tmp_path / form).status == 0
        assert len(list((tmp_path / form).iterdir())) == 4, "two exports, the link, the lock"


def standing(out: Path) -> list[str]:
    """The rows of the export that stands, each file held against its manifest."""
    place = out / "days"
    assert manifest_of(place)["rows"]
    return sorted(json.dumps(row, sort_keys=True) for row in rows_in(place))


@pytest.mark.parametrize("apart", in_proportion(4, 1))
def test_a_whole_export_stands_whichever_step_was_the_last(tmp_path: Path, apart: int) -> None:
    house = told_house(tmp_path)
    out = tmp_path / "out"
    command = [*house.named, "export", "days", "--format", "csv", "--out",
               str(out)]  # fmt: skip
    assert house.run(*command[4:]).status == 0
    before, seen = days_now(house), list[bool]()
    more(house, 1, "EP-1")
    now = days_now(house)
    assert now != before
    child = starter()
    for step in range(1, 1000, apart):
        child.start(command, step)
        status = child.ended()
        made = standing(out)
        assert made in (before, now)
        seen.append(made == now)
        if status == 0:
            break
    assert seen == sorted(seen), "once the new one stands, it stands"
    assert seen[-1]
    assert seen.count(False) > 15 // apart
