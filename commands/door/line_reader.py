"""Bytes to lines: one at a time, whatever their length, with the number each has in its file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from commands.door.source import Source

LONGEST_LINE_BYTES: Final = 65_536

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_READ_BYTES = LONGEST_LINE_BYTES + len(_BYTE_ORDER_MARK) + len(b"\r\n")


PAUSE: Final = (0, b"")
"""No line: before it waits for another one, a source that can pause says so once."""


def numbered_lines(stream: BinaryIO | Source) -> Iterator[tuple[int, bytes]]:
    """Every line that is not blank, without its end; of a line that is too long, only the beginning."""
    number = 0
    source = stream if isinstance(stream, Source) else None
    while True:
        if source is not None and source.pauses(_LONGEST_READ_BYTES):
            yield PAUSE
        if not (raw := stream.readline(_LONGEST_READ_BYTES)):
            return
        number += 1
        if len(raw) == _LONGEST_READ_BYTES and not raw.endswith(b"\n"):
            _skip_rest_of_line(stream)
        if number == 1:
            raw = raw.removeprefix(_BYTE_ORDER_MARK)
        if raw.endswith(b"\n"):
            raw = raw[:-2] if raw.endswith(b"\r\n") else raw[:-1]
        if len(raw) > LONGEST_LINE_BYTES or raw.strip(b" \t\r"):
            yield number, raw


def _skip_rest_of_line(stream: BinaryIO | Source) -> None:
    while rest := stream.readline(_LONGEST_READ_BYTES):
        if rest.endswith(b"\n"):
            return
