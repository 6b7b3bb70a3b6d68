"""When a process is killed: at any moment between its first effect and its end.

Moments are of its processor time where it never waits, and of the clock's where it waits for a server. How long it
takes was measured once, and changes while others work beside it: what each kill met moves both ends.
"""

from __future__ import annotations

import time
from random import Random
from typing import Any, Literal

from tests.fire.stage import Act, Stage

Met = Literal["nothing yet", "its work", "its end"]
"""What a kill met: nothing had been done, something, or all."""


class Moments:
    """Moments drawn at random between two ends; ``took`` is how long the process takes, in seconds."""

    def __init__(self, rng: Random, took: float) -> None:
        self._rng, self._begins, self._ends, self._drawn = rng, 0.0, took, 0.0

    def draw(self) -> float:
        """The next one, in seconds."""
        self._drawn = self._rng.uniform(self._begins, self._ends)
        return self._drawn

    def kill(self, stage: Stage, act: str, tuned: dict[str, Any], *, waits: bool = False, **told: Any) -> Act:
        """A process that is killed at the next one; not yet waited for."""
        if not waits:
            return stage.start(act, tuned=tuned | {"killed_after": self.draw()}, **told)
        started = stage.start(act, tuned=tuned, **told)
        time.sleep(self.draw())
        started.send()
        return started

    def met(self, what: Met) -> None:
        """Move the ends by what a kill met: most come between the first effect and the last."""
        if what == "nothing yet":
            self._begins, self._ends = (self._begins + self._drawn) / 2, self._ends * 1.02
        elif what == "its end":
            self._begins, self._ends = self._begins * 0.97, self._ends * 0.92
        else:
            self._begins, self._ends = self._begins * 0.95, self._ends * 1.01
