"""The bench of a team at the site sees what is lost and what is there twice, and runs to its end."""

from __future__ import annotations

import argparse
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commands.desk import open_work
from tests import ROOT
from tests.command_line import House, example
from tests.stores import open_ledger

pytestmark = pytest.mark.sqlite_file

SCRIPT = ROOT / "scripts" / "bench_load"


def test_what_was_said_and_is_missing_is_lost_and_what_is_there_twice_is_doubled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    house = House(tmp_path)
    assert house.tell(*example()).status == 0
    names: dict[str, Any] = runpy.run_path(str(SCRIPT))
    bench = names["Bench"](argparse.Namespace(slow=0, idle=0), tmp_path)
    feed = names["Feed"]([], {}, [], 1.0, bench.until)
    with open_ledger(house.ledger, create=False) as ledger:
        for text in ("once", "twice", "twice"):
            open_work.note(ledger, "ann", "EP-1", "to_bill", text)
    load = sys.modules["benchmark.load"]
    for text in ("once", "twice"):
        bench.seen.recorded(load.Written("note", text))
    assert bench._held_against_the_ledger(feed) == (0, 1)
    bench.seen.recorded(load.Written("fact", "never"))
    feed.recorded.append("f-1")
    assert bench._held_against_the_ledger(feed) == (2, 1)
    assert "lost: 2; doubled: 1" in capsys.readouterr().out


@pytest.mark.soak
def test_a_team_works_for_a_moment_and_everything_holds() -> None:
    words = [sys.executable, str(SCRIPT), "--users", "3", "--minutes", "0.15", "--episodes", "60", "--feed", "5"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("requests that failed: 0", "lost: 0; doubled: 0", "verify: holds; read model as built anew: yes"):
        assert said in done.stdout
