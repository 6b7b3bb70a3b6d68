"""Bytes to numbered lines: line ends, blank lines, a byte-order mark, lines that are too long."""

from __future__ import annotations

import io

import pytest

from commands.door.intake import Line, Refusal, read_lines
from tests.intake_samples import SERVED, line


def lines_of(text: bytes) -> list[Line | Refusal]:
    return list(read_lines(io.BytesIO(text)))


def test_lines_are_numbered_as_in_the_file_and_blank_ones_are_skipped() -> None:
    good = line(SERVED)
    text = b"\n \t\r\n" + good + b"\r\n\n{}\n" + good + b"\r" + b"\n" + good
    assert [(each.number, type(each)) for each in lines_of(text)] == [(3, Line), (5, Refusal), (6, Line), (7, Line)]
    assert lines_of(b"") == lines_of(b"\n") == lines_of(b" ") == lines_of(b"\xef\xbb\xbf") == []


def test_only_blanks_and_tabs_make_a_blank_line_and_not_too_many_of_them() -> None:
    answers = lines_of(b"\x0c\n\xc2\xa0\n\0\n" + b" " * 65_536 + b"\n" + b" " * 65_537)
    assert [(each.number, getattr(each, "code", "")) for each in answers] == [
        (1, "malformed"),
        (2, "malformed"),
        (3, "malformed"),
        (5, "too_large"),
    ]


def test_a_byte_order_mark_is_dropped_at_the_very_start_only() -> None:
    mark, good = b"\xef\xbb\xbf", line(SERVED)
    assert [type(each) for each in lines_of(mark + good + b"\n" + mark + good + b"\n" + good)] == [Line, Refusal, Line]
    assert [type(each) for each in lines_of(mark + mark + good)] == [Refusal]
    assert [each.number for each in lines_of(mark + b"\n" + good)] == [2]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("excess", [0, 1, 2, 3, 4, 5, 6, 65_536, 65_541, 200_000])
def test_a_line_that_is_too_long_is_refused_and_the_next_goes_on(excess: int, mark: bytes, end: bytes) -> None:
    good = line(SERVED)
    long = good + b" " * (65_536 - len(good) + excess)
    answers = lines_of(mark + long + end + (good if end else b""))
    expected = [Line if not excess else Refusal] + [Line] * bool(end)
    assert [type(each) for each in answers] == expected
    if excess:
        assert answers[0] == Refusal(
            1, "too_large", "line 1: expected a line of at most 65,536 bytes. Shorten it and send it again."
        )
    assert [each.number for each in answers] == [1, 2][: len(answers)]


class Endless(io.RawIOBase):
    """A stream of one line that never ends within the test, and counts what was asked of it at once."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self.left, self.largest = total, 0

    def readline(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0
        self.largest = max(self.largest, size)
        given = min(size, self.left)
        self.left -= given
        return b"x" * given


def test_a_line_without_end_is_never_held_in_memory() -> None:
    stream = Endless(200_000_000)
    answers = list(read_lines(stream))  # type: ignore[arg-type]
    assert [getattr(each, "code", None) for each in answers] == ["too_large"]
    assert stream.left == 0
    assert stream.largest < 70_000
