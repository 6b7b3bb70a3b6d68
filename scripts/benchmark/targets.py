"""The targets, and whether they are reached; a miss is shown like a hit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmark.commands import LONG
from benchmark.figures import Figures


class Target(NamedTuple):
    """What was wanted and what was found (None: not measured this time)."""

    name: str
    found: float | None
    limit: float
    unit: str
    at_least: bool = True

    @property
    def verdict(self) -> str:
        if self.found is None:
            return "not measured"
        reached = self.found >= self.limit if self.at_least else self.found <= self.limit
        return "reached" if reached else "MISSED"

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "verdict": self.verdict}


def targets(figures: Figures) -> Iterator[Target]:
    """Every target; those of a rebuild are meant for a million events, as the others that grow with the ledger."""
    for what, key, limit in (
        ("build, 1 process", "b.build.1", 0.19),
        ("build, 2 processes", "b.build.2", 1 / 3),
        ("rebuild with its proof, 2 processes", "b.rebuild.2", 0.29),
        ("rebuild as a command, 2 processes", "b.command", 0.28),
    ):
        yield _speed(figures, f"{what}, against the scan", key, "a.scan", limit)
    yield _speed(figures, "our path against the stock notification log", "c.ours", "c.log", 3)
    yield _speed(figures, "our path against the stock repository", "c.ours", "c.repository", 3)
    yield _speed(figures, "build from PostgreSQL, 2 processes, against COPY", "e.build.2", "e.copy", 1 / 4)
    for what, key in (("report", "report"), ("diff --claimed --all", "diff"), ("export claimed", "claimed")):
        yield _speed(figures, f"{what}, first, processor time, against a rebuild", f"f.{key}", "f.rebuild", 1)
        yield _speed(figures, f"{what}, again, processor time, against a rebuild", f"f.{key}.again", "f.rebuild", 1)
    yield _speed(figures, "export changes, processor time, against a rebuild", "f.changes", "f.rebuild", 1)
    yield Target("replay of an episode of 10,000 entries", _of_long(figures), 2, "s", at_least=False)
    yield Target("--help, processor time", figures.each("f.help"), 0.25, "s", at_least=False)
    yield Target("worklist's page, first", _thousands(figures, "f.worklist.first"), 150, "ms", at_least=False)
    yield Target("worklist's page, later", _thousands(figures, "f.worklist.later"), 30, "ms", at_least=False)
    yield Target("catch-up after one late entry", _thousands(figures, "b.catch-up"), 5, "ms", at_least=False)
    yield Target("catch-up after one late remittance", _thousands(figures, "b.remittance"), 20, "ms", at_least=False)
    yield Target("why, in the process", _thousands(figures, "b.why"), 5, "ms", at_least=False)
    yield _speed(figures, "one entry a commit against raw INSERT", "d.one.ours", "d.one.raw", 0.65)
    yield _speed(figures, "batches against raw executemany", "d.many.ours", "d.many.raw", 1 / 4)
    for processes in (1, 2):
        key = f"b.rebuild.{processes}"
        name = f"memory of a rebuild, {processes} process{'es' if processes > 1 else ''} in all"
        yield Target(name, figures.peak_mb(key), 512, "MB", at_least=False)


def _of_long(figures: Figures) -> float | None:
    """What the whole of a replay took, where the episode was as long as it is meant to be."""
    each, rows = figures.each("f.replay"), figures.rows.get("f.replay", [])
    return each * LONG if each is not None and rows[0].count == LONG else None


def _speed(figures: Figures, name: str, key: str, against: str, limit: float) -> Target:
    return Target(name, figures.times_as_fast(key, against), limit, "times its speed")


def _thousands(figures: Figures, key: str) -> float | None:
    each = figures.each(key)
    return None if each is None else each * 1e3
