"""Several files of lines as one: in the order in which their entries were recorded, each line read once."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO

from commands.door.intake import Line, Refusal, read_lines

Read = tuple[int, Line | Refusal]
"""Which of the files it is from, and what was read."""


def one_after_another(streams: Sequence[BinaryIO]) -> Iterator[Read]:
    """The lines of the first file, then those of the next."""
    for place, stream in enumerate(streams):
        for read in read_lines(stream):
            yield place, read


def by_recorded_at(streams: Sequence[BinaryIO]) -> Iterator[Read]:
    """The lines of all files by ``recorded_at``; one line of each file is held.

    Within a file lines stay as they are: one without an instant, or with an earlier one, goes with the line before it.
    """
    merged = heapq.merge(*(_placed(place, stream) for place, stream in enumerate(streams)), key=lambda each: each[0])
    return ((place, read) for _, place, read in merged)


def _placed(place: int, stream: BinaryIO) -> Iterator[tuple[datetime, int, Line | Refusal]]:
    latest = datetime.min.replace(tzinfo=UTC)
    for read in read_lines(stream):
        line = read if isinstance(read, Line) else read.line
        if line is not None and line.recorded_at is not None:
            latest = max(latest, line.recorded_at)
        yield latest, place, read
