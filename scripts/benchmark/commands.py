"""Tasks: commands as they are typed, by the processor time they take, and the site's worklist."""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmark.browser import browsing
from benchmark.process import environment

Rows = list[tuple[str, float, int]]
OVER_ALL: Final = {
    "f.rebuild": ["rebuild", "--processes", "1"],
    "f.report": ["report"],
    "f.diff": ["diff", "--claimed", "--all"],
    "f.claimed": ["export", "claimed", "--format", "csv", "--out", "{out}"],
    "f.changes": ["export", "changes", "--format", "csv", "--out", "{out}"],
}
"""Commands that look at every patient; {out} is a new folder."""
KEEPING: Final = ("f.report", "f.diff", "f.claimed")
"""Those that keep in the read model what they worked out of claims."""
LONG: Final = 10_000
"""Entries of the long episode, in a ledger of a million; fewer in a smaller one."""


def over_all(program: list[str], ledger: str, book: str, scratch: str, key: str, entries: int) -> tuple[Rows, Any]:
    """Task: one of these commands; of those that keep claims the first time, when nothing is kept, and the next."""
    let_go_of_claims(f"{Path(ledger).with_suffix('')}.views.db")
    rows = []
    for name in (key, f"{key}.again") if key in KEEPING else (key,):
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            words = [word.replace("{out}", f"{folder}/out") for word in OVER_ALL[key]]
            rows.append((name, processor_time([*program, "--ledger", ledger, "--book", book, *words]), entries))
    return rows, {}


def let_go_of_claims(views: str) -> None:
    """As after a rebuild, which keeps nothing of claims."""
    if Path(views).exists():
        with closing(sqlite3.connect(views, isolation_level=None)) as connection:
            connection.execute("DROP TABLE IF EXISTS claims")


def processor_time(command: list[str]) -> float:
    """What a command and all it starts take of the processors; it may end with 1, which is an answer, too."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in (0, 1), done.stderr.decode()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def help_page(program: list[str]) -> tuple[Rows, dict[str, Any]]:
    """Task: ``--help``."""
    return [("f.help", processor_time([*program, "--help"]), 1)], {}


def worklist(program: list[str], ledger: str, book: str) -> tuple[Rows, dict[str, Any]]:
    """Task: the site's first page, asked for twice over one connection; in time, as somebody waits for it."""
    with browsing([*program, "--ledger", ledger, "--book", book], environment()) as browser:
        first, later = (browser.timed("/")[0] / 1e3 for _ in range(2))
    return [("f.worklist.first", first, 1), ("f.worklist.later", later, 1)], {}


def replay(program: list[str], book: str, scratch: str, entries: int) -> tuple[Rows, dict[str, Any]]:
    """Task: the story of one long episode."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        ledger, intake = f"{folder}/long.db", Path(folder) / "long.jsonl"
        count = long_episode(intake, entries)
        command = [*program, "--ledger", ledger, "--book", book]
        processor_time([*command, "record", "--keep-recorded-at", str(intake)])
        seconds = processor_time([*command, "replay", "EP-LONG"])
    return [("f.replay", seconds, count)], {}


def long_episode(intake: Path, entries: int) -> int:
    """Write the lines of an episode whose length follows the ledger's; gives how many."""
    count = max(10, min(LONG, entries // 90))
    began = datetime(2020, 1, 1, tzinfo=UTC)
    opening = {"type": "EpisodeOpened", "patient": "P-LONG", "provider": "1234567893", "zone": "America/Chicago"}
    with intake.open("w") as lines:
        for number in range(count):
            at = began + timedelta(hours=number)
            served = {"type": "DayServed", "order": "RX-1", "date": (at - timedelta(hours=12)).date().isoformat()}
            told = {"episode": "EP-LONG", "source": "long", "id": str(number), "by": "bench",
                    "recorded_at": at.isoformat().replace("+00:00", "Z"),
                    "fact": served if number else opening}  # fmt: skip
            lines.write(json.dumps(told) + "\n")
    return count
