"""The clock of a world: by its seed it ticks, stands still, jumps ahead and runs backwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

FIRST = datetime(2026, 11, 10, 12, tzinfo=UTC)
_MOVES = (
    *[timedelta(0)] * 4,
    *[timedelta(milliseconds=1), timedelta(seconds=2), timedelta(minutes=7)] * 2,
    timedelta(hours=30),
    -timedelta(microseconds=3),
    -timedelta(minutes=40),
    -timedelta(hours=9),
)


class SeededClock:
    """One clock for everybody; it moves whenever it is read, and while somebody sleeps."""

    def __init__(self, rng: Random) -> None:
        self.rng, self.at = rng, FIRST

    def __call__(self) -> datetime:
        self.at += self.rng.choice(_MOVES)
        return self.at

    def sleep(self, seconds: float) -> None:
        """Nobody waits here: the clock is put on instead."""
        self.at += timedelta(seconds=seconds > 0)
