"""The targets, and whether they are reached; a miss is shown like a hit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmark.figures import Figures


class Target(NamedTuple):
    """What was wanted and what was found (None: not measured this time); ``goal`` is where we would like to be."""

    name: str
    found: float | None
    limit: float
    unit: str
    at_least: bool = True
    goal: float | None = None

    @property
    def verdict(self) -> str:
        if self.found is None:
            return "not measured"
        if not self._within(self.limit):
            return "MISSED"
        if self.goal is None:
            return "reached"
        return "reached, goal too" if self._within(self.goal) else "reached, goal not"

    def _within(self, limit: float) -> bool:
        assert self.found is not None
        return self.found >= limit if self.at_least else self.found <= limit

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "verdict": self.verdict}


def targets(figures: Figures) -> Iterator[Target]:
    """Every target."""
    for what, keys in (("build", "b.build"), ("rebuild with its proof", "b.rebuild")):
        yield _speed(figures, f"{what}, 1 process, against the scan", f"{keys}.1", "a.scan", 1 / 5)
        yield _speed(figures, f"{what}, 2 processes, against the scan", f"{keys}.2", "a.scan", 1 / 3, 1 / 2)
    yield _speed(figures, "our path against the stock notification log", "c.ours", "c.log", 10)
    yield _speed(figures, "our path against the stock repository", "c.ours", "c.repository", 10)
    yield Target("catch-up after one late entry", _thousands(figures, "b.catch-up"), 20, "ms", at_least=False)
    yield Target("why, in the process", _thousands(figures, "b.why"), 5, "ms", at_least=False)
    yield Target("why, as a command", _thousands(figures, "b.why.command"), 500, "ms", at_least=False)
    one, many = "d.one.ours", "d.many.ours"
    yield _speed(figures, "one entry a commit against raw INSERT", one, "d.one.raw", 0.7)
    yield _speed(figures, "one entry a commit against the stock recorder", one, "d.one.stock", 1)
    yield _speed(figures, "one entry a commit against the stock recorder, FULL", one, "d.one.stock.full", 1)
    yield _speed(figures, "one entry a commit against the stock Aggregate", one, "d.one.aggregate", 1)
    yield _speed(figures, "batches against raw executemany", many, "d.many.raw", 1 / 5, 1 / 3)
    yield _speed(figures, "batches against the stock insert_events", many, "d.many.stock", 1)
    yield _speed(figures, "batches against the stock put", many, "d.many.stock.put", 1)
    for processes in (1, 2):
        key = f"b.rebuild.{processes}"
        name = f"memory of a rebuild, {processes} process{'es' if processes > 1 else ''} in all"
        yield Target(name, figures.peak_mb(key), 512, "MB", at_least=False)


def _speed(figures: Figures, name: str, key: str, against: str, limit: float, goal: float | None = None) -> Target:
    return Target(name, figures.times_as_fast(key, against), limit, "times its speed", goal=goal)


def _thousands(figures: Figures, key: str) -> float | None:
    each = figures.each(key)
    return None if each is None else each * 1e3
