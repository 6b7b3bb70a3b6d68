"""The ledger that is measured: written by scripts/simulate, recorded through the door, kept for the next time."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmark.process import CHECKOUT, SCRIPTS, environment, run

LINES_AN_EPISODE: Final = 105.5
"""What scripts/simulate writes of an episode, on average."""

Rows = list[tuple[str, float, int]]


class Inputs(NamedTuple):
    """One ledger, its book, and what is known of them."""

    ledger: Path
    book: Path
    made: dict[str, Any]

    @property
    def entries(self) -> int:
        return int(self.made["entries"])


def prepare(work: Path, events: int, seed: int, say: Callable[[str], None]) -> Inputs:
    """The ledger of about so many events: the one kept from an earlier time, or a new one."""
    folder = work / f"{events}-events-seed-{seed}-{_recipe()}"
    if not (folder / "made.json").exists():
        say(f"Making a ledger of about {events:,} events; it is kept in {work.name}/.")
        shutil.rmtree(folder, ignore_errors=True)
        _make(folder, events, seed)
    return kept(folder)


def kept(folder: Path) -> Inputs:
    """A ledger that was made before."""
    made = json.loads((folder / "made.json").read_text())
    return Inputs(folder / "ledger.db", folder / "book", made)


def _recipe() -> str:
    """A digest of what decides on the file's content: another one makes a ledger anew."""
    sources = [SCRIPTS / "simulate", *sorted((SCRIPTS / "simulation").glob("*.py"))]
    sources += [CHECKOUT / "ledger" / name for name in ("facts/events.py", "recorders/sqlite/file.py")]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:8]


def _make(folder: Path, events: int, seed: int) -> None:
    folder.mkdir(parents=True)
    episodes = max(1, round(events / LINES_AN_EPISODE))
    arguments = ["--episodes", str(episodes), "--seed", str(seed), "--out", str(folder)]
    subprocess.run(
        [sys.executable, str(SCRIPTS / "simulate"), *arguments], check=True, capture_output=True, env=environment()
    )
    answer = run("inputs:record_intake", intake=folder / "intake.jsonl", ledger=folder / "ledger.db")
    for name in ("intake.jsonl", "acts.jsonl", "truth.jsonl"):  # measured is the door: no act is done
        (folder / name).unlink()
    made = answer.told | {"episodes": episodes, "seed": seed, "intake_peak_mb": answer.peak_mb}
    (folder / "made.json").write_text(json.dumps(made, indent=2) + "\n")


def record_intake(intake: str, ledger: str) -> tuple[Rows, dict[str, Any]]:
    """Task: the whole intake through the door."""
    from collections import Counter

    from commands.writing.record import record
    from ledger.store import open_ledger

    began = time.perf_counter()
    with open_ledger(ledger, create=True) as opened, open(intake, "rb") as stream:
        outcomes = Counter(outcome.outcome for outcome in record(opened, stream, keep_recorded_at=True))
        entries = opened.position()
    seconds = time.perf_counter() - began
    size = Path(ledger).stat().st_size
    return [], {"entries": entries, "lines": outcomes.total(), "outcomes": outcomes,
                "intake_seconds": seconds, "ledger_bytes": size}  # fmt: skip
