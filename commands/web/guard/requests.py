"""What the site answered and how long it took: counted for its figures, and a line each in its log.

Nobody's data is in either: an address stands as the table of rights has it, its changing parts in braces.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from commands.web.guard.rights import MAY, PUBLIC, Asked

BUCKETS: Final = (0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0)
"""Seconds up to which requests are counted together."""
OTHER: Final = "other"
"""The address of what is no address of the site."""
_KNOWN: Final = MAY.keys() | PUBLIC


class Answered(NamedTuple):
    """A request that was answered."""

    method: str
    address: str
    status: int
    seconds: float
    session: str
    role: str


class Requests:
    """The requests of one running site; ``log`` is told of each."""

    def __init__(self, log: Callable[[Answered], None] = lambda answered: None) -> None:
        self.log, self.clock = log, time.monotonic
        self._turn = threading.Lock()
        self._counts: Counter[tuple[str, str, int, float]] = Counter()
        self._seconds: Counter[tuple[str, str, int]] = Counter()
        self.refused_sign_ins = 0

    def note(self, asked: Asked, status: int, began: float, session: str = "", role: str = "") -> None:
        """A request was answered."""
        method, address = asked if asked in _KNOWN else (OTHER, OTHER)
        seconds = self.clock() - began
        bucket = next((each for each in BUCKETS if seconds <= each), float("inf"))
        with self._turn:
            self._counts[method, address, status, bucket] += 1
            self._seconds[method, address, status] += seconds  # type: ignore[assignment]
        self.log(Answered(method, address, status, seconds, session, role))

    def histogram(self) -> Iterator[tuple[tuple[str, str, int], list[tuple[float, int]], float]]:
        """For each method, address and status: how many took at most so long, and the seconds of all."""
        with self._turn:
            counts, seconds = dict(self._counts), dict(self._seconds)
        for kind in sorted(seconds):
            total, found = 0, list[tuple[float, int]]()
            for bucket in (*BUCKETS, float("inf")):
                total += counts.get((*kind, bucket), 0)
                found.append((bucket, total))
            yield kind, found, seconds[kind]
