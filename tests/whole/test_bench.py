"""The benchmark runs to its end on a small ledger and shows every row; how fast anything is, is asserted nowhere."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import ROOT
from tests.stores import server

SCRIPTS = ROOT / "scripts"
NAMES = runpy.run_path(str(SCRIPTS / "benchmark" / "figures.py"))


class Benched(NamedTuple):
    """What one run printed and wrote, and where it worked."""

    printed: str
    written: dict[str, Any]
    work: Path


def run(*arguments: str, script: str = "bench", by_forking: bool = False) -> subprocess.CompletedProcess[str]:
    program = ["-m", "tests.bench_by_forking", script] if by_forking else [str(SCRIPTS / script)]
    return subprocess.run([sys.executable, *program, *arguments], capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def benched(tmp_path_factory: pytest.TempPathFactory) -> Benched:
    folder = tmp_path_factory.mktemp("bench")
    work, figures = folder / "work", folder / "figures.json"
    done = run(
        "--events", "1_000", "--runs", "1", "--safety", "--profile", "--work", str(work), "--json", str(figures),
        "--postgres", server(), by_forking=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Benched(done.stdout, json.loads(figures.read_text(encoding="utf-8")), work)


@pytest.fixture(scope="module")
def chosen(benched: Benched) -> Benched:
    """One group, at the size that was measured before and at another."""
    figures = benched.work.parent / "chosen.json"
    done = run(
        "--events", "1_000,2_000", "--runs", "1", "--only", "a", "--work", str(benched.work), "--json", str(figures)
    )
    assert done.returncode == 0, done.stderr
    return Benched(done.stdout, json.loads(figures.read_text(encoding="utf-8")), benched.work)


@pytest.mark.parametrize("key", NAMES["LABELS"])
def test_every_row_is_measured_printed_and_written(benched: Benched, key: str) -> None:
    for size in benched.written["sizes"]:
        found = size["figures"][key]
        assert found["count"] >= 1
        assert len(found["seconds"]) == 1
        assert any(line.startswith(found["label"] + "  ") for line in benched.printed.splitlines())


def test_method_inputs_and_groups_are_told(benched: Benched) -> None:
    assert {"Python", "SQLite", "cores", "seed", "runs", "load before", "load after"} <= benched.written["about"].keys()
    for text in ("== Method", "== Inputs", *NAMES["GROUPS"].values()):
        assert text in benched.printed


def test_every_target_has_a_verdict(benched: Benched) -> None:
    targets = benched.written["sizes"][0]["targets"]
    assert len(targets) > 10
    assert {target["verdict"] for target in targets} <= {"reached", "MISSED", "not measured"}
    assert all(target["name"] in benched.printed for target in targets)


def test_the_cost_of_one_size_is_compared_with_the_other(chosen: Benched) -> None:
    assert "Cost of one piece against that with" in chosen.printed
    assert chosen.written["growth"]["a.scan"]


def test_the_profile_knows_every_stage_of_the_build(benched: Benched) -> None:
    for size in benched.written["sizes"]:
        assert not [key for key in size["told"] if key.startswith("not found")]


def test_the_ledgers_are_kept_and_nothing_else(chosen: Benched) -> None:
    kept = sorted(path.name.split("-seed")[0] for path in chosen.work.iterdir())
    assert kept == ["1000-events", "2000-events"]


def test_archives_are_measured_against_rebuilds_and_come_to_the_same(benched: Benched, tmp_path: Path) -> None:
    (ledger,) = benched.work.glob("1000-events*")
    words = ["--kept", str(ledger), "--rounds", "1", "--buckets", "2", "--work", str(tmp_path), "--without-spark"]
    done = run(*words, script="bench_archive", by_forking=True)
    assert done.returncode == 0, done.stderr
    rows = [line[:28].strip() for line in done.stdout.splitlines() if " MB" in line[28:]]
    assert rows[1:6] == ["rebuild, 1 process", "rebuild, 2 processes", "archive", "judge, local, 1 process",
                         "judge, local, 2 processes"]  # fmt: skip
    assert "Equal fingerprints" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_chosen_groups_only(chosen: Benched) -> None:
    assert NAMES["LABELS"]["a.scan"] in chosen.printed
    assert NAMES["LABELS"]["b.build.1"] not in chosen.printed
    assert "not measured" in chosen.printed


@pytest.mark.parametrize("wrong", [["--only", "x"], ["--events", "10"], ["--runs", "0"]])
def test_a_wrong_argument_is_refused(wrong: list[str]) -> None:
    assert run(*wrong).returncode == 2
