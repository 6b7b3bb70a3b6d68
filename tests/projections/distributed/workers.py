"""What Spark's executors do in the tests instead of the plain work: nothing else, but slowly, or with a file noted."""

from __future__ import annotations

import time

from projections.distributed.bucket import judge_bucket
from projections.distributed.task import Report, Task


def lingering(task: Task) -> Report:
    """The work, and a moment in which its files stand and nobody was told: whoever is killed then is tried again."""
    report = judge_bucket(task)
    time.sleep(0.2)
    return report
