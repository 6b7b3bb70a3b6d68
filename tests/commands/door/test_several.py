"""Several files as one: every line once, each file's in its order, and one line of each held."""

from __future__ import annotations

import json
from io import BytesIO
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from commands.door.intake import Line
from commands.door.several import by_recorded_at, one_after_another
from tests.intake_samples import SERVED, entry

DAYS = st.lists(st.one_of(st.none(), st.integers(1, 28)), max_size=8)


def stream(days: list[int | None]) -> BytesIO:
    """A line for each day on which it was recorded; None for a line that is none."""
    lines = [
        b"{" if day is None else json.dumps(entry(SERVED, recorded_at=f"2026-01-{day:02}T00:00Z")).encode()
        for day in days
    ]
    return BytesIO(b"\n".join(lines))


@given(st.lists(DAYS, max_size=4))
def test_each_line_comes_once_and_in_its_files_order(files: list[list[int | None]]) -> None:
    for merge in (by_recorded_at, one_after_another):
        found = list(merge([stream(days) for days in files]))
        for place, days in enumerate(files):
            assert [read.number for at, read in found if at == place] == list(range(1, len(days) + 1))


@given(st.lists(st.lists(st.integers(1, 28)).map(sorted), max_size=4))
def test_histories_that_are_in_order_are_in_order_together(files: list[list[int | None]]) -> None:
    found = [read for _, read in by_recorded_at([stream(days) for days in files])]
    instants = [read.recorded_at for read in found if isinstance(read, Line)]
    assert instants == sorted(instants, key=str)
    assert len(instants) == sum(map(len, files))


class Counting(BytesIO):
    """A stream that says how far it was read."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.read_lines = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self.read_lines += 1
        return super().readline(size)


def test_one_line_of_each_file_is_held() -> None:
    rng = Random(1)
    texts = [stream(sorted(rng.randint(1, 28) for _ in range(200))).getvalue() for _ in range(3)]
    streams = [Counting(text) for text in texts]
    for taken, _ in enumerate(by_recorded_at(streams), 1):
        assert sum(each.read_lines for each in streams) <= taken + len(streams) + 1
