"""Each measurement in a process of its own, with the memory of that process and all it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, NamedTuple

SCRIPTS: Final = Path(__file__).resolve().parent.parent
CHECKOUT: Final = SCRIPTS.parent
SAMPLE_SECONDS: Final = 0.02
_PAGE_MB: Final = os.sysconf("SC_PAGE_SIZE") / 2**20


class Answer(NamedTuple):
    """What a task measured: rows of (key, seconds, count), what else it told, and the peak memory of its processes."""

    rows: list[tuple[str, float, int]]
    told: dict[str, Any]
    peak_mb: float


class TaskFailed(Exception):
    """A measurement could not be made."""


def environment() -> dict[str, str]:
    """The surroundings of every child: this checkout's code, and no setting of a user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EPISODE_", "PYTHON"))}
    return kept | {"PYTHONPATH": os.pathsep.join([str(SCRIPTS), str(CHECKOUT)])}


def run(task: str, **args: Any) -> Answer:
    """Run one task ("module:function" of this package) in a fresh process."""
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmark.task", task],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True,
    )  # fmt: skip
    ended = Event()
    watch = _Watch(child.pid, ended)
    watch.start()
    out, err = child.communicate(json.dumps(args, default=str))
    ended.set()
    watch.join()
    if child.returncode:
        raise TaskFailed(f"{task} ended with {child.returncode}:\n{err}")
    answer = json.loads(out)
    return Answer([tuple(row) for row in answer["rows"]], answer["told"], max(watch.peak_mb, answer["own_peak_mb"]))


class _Watch(Thread):
    """Adds up the resident memory of a process and its descendants, again and again; pages they share count twice."""

    def __init__(self, pid: int, ended: Event) -> None:
        super().__init__(daemon=True)
        self.pid, self.ended, self.peak_mb = pid, ended, 0.0

    def run(self) -> None:
        while not self.ended.wait(SAMPLE_SECONDS):
            self.peak_mb = max(self.peak_mb, sum(map(_resident_mb, tree(self.pid))))


def tree(pid: int) -> list[int]:
    """A process and all it started that still run."""
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        found.append(each)
        try:
            for thread in Path(f"/proc/{each}/task").glob("*/children"):
                waiting += map(int, thread.read_text().split())
        except OSError:  # it has just ended
            continue
    return found


def _resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_MB
    except (OSError, IndexError):  # it has just ended, or there is no /proc: then the task's own figure stands
        return 0.0
