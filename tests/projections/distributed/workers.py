"""What Spark's executors do in the tests instead of the plain work: nothing else, but slowly, or with a file noted."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from msgspec.structs import replace

from projections.distributed.bucket import judge_bucket
from projections.distributed.task import Report, Task


def lingering(task: Task) -> Report:
    """The work, and a moment in which its files stand and nobody was told: whoever is killed then is tried again."""
    report = judge_bucket(task)
    time.sleep(0.2)
    return report


def killing_once(task: Task) -> Report:
    """The work; the first that is done with its bucket kills its executor before anybody is told of it."""
    report = judge_bucket(task)
    mark = Path(task.by[0].out) / ".killed"
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return report
    os.kill(_executor(), signal.SIGKILL)
    time.sleep(600)
    return report


def _executor() -> int:
    """The executor whose worker this is: its nearest parent that is Java."""
    process = os.getpid()
    while b"CoarseGrainedExecutorBackend" not in Path(f"/proc/{process}/cmdline").read_bytes():
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return process


def of_another_version(task: Task) -> Report:
    """As one executor works whose program is another one."""
    report = judge_bucket(task)
    return replace(report, code="0.1.0/2.4/other/2026a") if task.bucket == 1 else report
