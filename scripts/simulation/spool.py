"""Arrival order with bounded memory: lines wait in one heap a day, and the heaps move to files when they grow."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from .clock import DAY

KEY_WIDTH = 10 + 9 + 5


def sort_key(second: int, serial: int, place: int) -> str:
    """A prefix that sorts lines by arrival, then episode, then place in the episode."""
    return f"{second:010d}{serial:09d}{place:05d}"


class Spool:
    """Collects keyed lines in any order and writes them out in order of their keys."""

    def __init__(self, out: TextIO, scratch: Path, limit: int = 200_000) -> None:
        self._out = out
        self._scratch = scratch
        self._limit = limit
        self._held = 0
        self._days: dict[int, list[str]] = {}
        self._spilled: dict[int, Path] = {}
        self.written = 0

    def put(self, second: int, keyed: str) -> None:
        """Hold one keyed line that arrives in `second`."""
        day = second // DAY
        waiting = self._days.get(day)
        if waiting is None:
            self._days[day] = [keyed]
        else:
            waiting.append(keyed)
        self._held += 1

    def flush(self, before: int) -> None:
        """Write every day before `before`: nothing more may arrive on those. Spill the rest if it is too much."""
        ready = [day for day in {**self._days, **self._spilled} if day < before]
        for day in sorted(ready):
            lines = self._take(day)
            lines.sort()
            self._out.write("\n".join([line[KEY_WIDTH:] for line in lines]) + "\n")
            self.written += len(lines)
        if self._held > self._limit:
            self._spill()

    def _take(self, day: int) -> list[str]:
        lines = self._days.pop(day, [])
        self._held -= len(lines)
        path = self._spilled.pop(day, None)
        if path is not None:
            with path.open(encoding="utf-8", newline="\n") as file:
                lines.extend(line.rstrip("\n") for line in file)
            path.unlink()
        return lines

    def _spill(self) -> None:
        for day, lines in self._days.items():
            path = self._spilled.setdefault(day, self._scratch / f"{day}.lines")
            with path.open("a", encoding="utf-8", newline="\n") as file:
                file.write("\n".join(lines) + "\n")
        self._days.clear()
        self._held = 0
