"""When a process is killed: at any moment between its first effect and its end, however busy the machine is.

How long it takes was measured once, and changes while others work beside it: what each kill met moves both ends.
"""

from __future__ import annotations

import time
from random import Random
from typing import Literal

Met = Literal["nothing yet", "its work", "its end"]
"""What a kill met: nothing had been done, something, or all."""


class Moments:
    """Moments drawn at random between two ends; ``took`` is how long the process takes, in seconds."""

    def __init__(self, rng: Random, took: float) -> None:
        self._rng, self._begins, self._ends, self._drawn = rng, 0.0, took, 0.0

    def wait(self) -> None:
        """Sleep until the next one."""
        self._drawn = self._rng.uniform(self._begins, self._ends)
        time.sleep(self._drawn)

    def met(self, what: Met) -> None:
        """Move the ends by what a kill met: most come between the first effect and the last."""
        if what == "nothing yet":
            self._begins, self._ends = (self._begins + self._drawn) / 2, self._ends * 1.02
        elif what == "its end":
            self._begins, self._ends = self._begins * 0.97, self._ends * 0.97
        else:
            self._begins, self._ends = self._begins * 0.95, self._ends * 1.01
