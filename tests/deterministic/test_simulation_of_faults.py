"""The promise of the write path under everything that can go wrong, in worlds that a seed makes again.

Every append ends recorded, refused or unknown; a repeat never doubles; readers see every entry once, in order. More
worlds, or longer ones: ``python -m tests.deterministic --seed S --steps N``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ledger.recorders.by_name.proving import prove
from ledger.recorders.protocol import Entries
from tests import ROOT
from tests.deterministic.faults import APPEND_FAULTS, OTHERS, Faulty
from tests.deterministic.ground import Ground, InAFile, InMemory, Shelf
from tests.deterministic.lagging import Lagging
from tests.deterministic.model import Contradiction
from tests.deterministic.sabotage import WRONGS, Wrong
from tests.deterministic.world import World
from tests.tiers import many

SEEDS = range(100)
AT_ONCE = 10
"""So many of the seeds are tried with every change, the others before a release: ``pytest -m soak``."""
STEPS = 1_000
SOON = many(600, STEPS)
"""How many steps those worlds take that are tried with every change: every fault and answer has happened by then."""
TOGETHER = 10
FILE_STEPS = many(500, 2_000)
UNTIL_FOUND = 5_000
ANSWERS = {
    "recorded", "duplicate", "identity_reused", "not_opened", "already_opened", "recorded_at_not_allowed",
    "clock_future", "clock_backwards", "no_target", "target_not_correctable", "own_per_diem", "failed", "unknown",
    "died", "landed late", "landed in vain", "second answer", "failed readings",
}  # fmt: skip
"""What must have happened in every group of worlds, besides every fault: else nothing was tried."""


def ran(ground: Ground, seed: int, steps: int) -> World:
    world = World(ground, seed)
    try:
        world.run(steps)
    finally:
        world.close()
    return world


def groups() -> list[Any]:
    return [pytest.param(first, marks=[pytest.mark.soak] * (first >= AT_ONCE)) for first in SEEDS[::TOGETHER]]


def test_a_hundred_thousand_steps_are_taken_before_a_release_and_six_thousand_with_every_change() -> None:
    assert (len(SEEDS) * STEPS, AT_ONCE * SOON) == (100_000, many(6_000, 10_000))


@pytest.mark.parametrize("stand_in", [Shelf, Faulty, Lagging])
def test_what_stands_in_for_a_store_can_be_asked_what_a_store_can(stand_in: type) -> None:
    asked = {name for name in vars(Entries) if not name.startswith("_")}
    assert asked - set(dir(stand_in)) == {"keys_of", "scrub"}, "nobody is forgotten in these worlds"


@pytest.mark.parametrize("first", groups())
def test_whatever_goes_wrong_the_ledger_is_one_story_and_everybody_is_told_the_truth(first: int) -> None:
    happened: Counter[str] = Counter()
    for seed in range(first, first + TOGETHER):
        world = ran(InMemory(), seed, STEPS if first else SOON)
        happened += world.counts + world.troubles.tally
    assert (APPEND_FAULTS.keys() | OTHERS.keys() | ANSWERS) - happened.keys() == set()


def test_a_real_file_tells_the_same_story_as_the_lists_that_stand_in_for_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    filed = ran(InAFile(path), SEEDS[0], FILE_STEPS)
    listed = ran(InMemory(filed.ground.id), SEEDS[0], FILE_STEPS)
    assert filed.model.rows == listed.model.rows
    assert (filed.counts, filed.troubles.tally) == (listed.counts, listed.troubles.tally)
    report = prove(str(path))
    assert (report.holds, report.entries, report.head) == (True, filed.model.last, listed.model.seal)


def test_the_same_seed_is_the_same_story_in_every_process() -> None:
    command = [sys.executable, "-m", "tests.deterministic", "--seed", "7", "--steps", "200"]
    told = {
        subprocess.run(
            command, cwd=ROOT, env={"PYTHONHASHSEED": hashes}, capture_output=True, text=True, check=True
        ).stdout
        for hashes in ("1", "2")
    }
    assert len(told) == 1
    assert told.pop().startswith("seed 7, 200 steps\n")


def found(wrong: Wrong) -> tuple[Contradiction, int]:
    """What the model finds, and after how many steps; the seeds are tried one after the other."""
    steps = 0
    for seed in SEEDS[wrong.first :]:
        world = World(InMemory(shelf=wrong.shelf), seed, made=wrong.made, seen_as=wrong.seen_as)
        try:
            with wrong.patched():
                world.run(min(1_000, UNTIL_FOUND - steps))
        except Contradiction as contradiction:
            return contradiction, steps + world.steps
        finally:
            steps += world.steps
            world.close()
        if steps >= UNTIL_FOUND:
            break
    raise AssertionError(f"not found in {steps} steps")


@pytest.mark.parametrize("name", WRONGS)
def test_what_is_built_wrongly_is_found_within_some_thousand_steps(name: str) -> None:
    contradiction, steps = found(WRONGS[name])
    assert re.search(WRONGS[name].says, str(contradiction)), str(contradiction)
    assert steps <= UNTIL_FOUND


def test_a_contradiction_names_its_seed_and_how_to_see_it_again() -> None:
    contradiction, _ = found(WRONGS["a stale head and no check of conflicts"])
    told = re.search(r"seed (\d+), step (\d+): .*\n", str(contradiction))
    assert told
    seed, step = told.groups()
    assert f"rerun: python -m tests.deterministic --seed {seed} --steps {step}" in str(contradiction)
