"""Where lines come from: pipes that pause, and what was given instead of lines."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pytest

from commands.door import source as where
from commands.door.line_reader import PAUSE, numbered_lines
from commands.door.source import Source


@contextmanager
def pipe() -> Iterator[tuple[int, BinaryIO]]:
    """Both ends of a pipe; the writing one is closed by whoever writes."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as stream:
        yield write, stream


def test_a_pipe_that_pauses_says_so_once_and_goes_on() -> None:
    with pipe() as (write, stream):
        lines = numbered_lines(Source(stream))
        os.write(write, b"one\ntwo\nthr")
        assert [next(lines) for _ in range(3)] == [(1, b"one"), (2, b"two"), PAUSE]
        os.write(write, b"ee\n\n")
        assert next(lines) == (3, b"three")
        assert next(lines) == PAUSE, "a blank line is no line, and nothing came after it"
        os.write(write, b"four")
        os.close(write)
        assert list(lines) == [(5, b"four")]


def test_a_pipe_that_trickles_does_not_keep_its_first_line_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_000))
    monkeypatch.setattr(where.time, "monotonic", lambda: next(clock) / 8)
    with pipe() as (write, stream):
        lines = numbered_lines(Source(stream))
        os.write(write, b"".join(b"%d\n" % number for number in range(100)))
        os.close(write)
        told = list(lines)
    assert told.count(PAUSE) > 10
    assert [line for line in told if line != PAUSE] == [(n + 1, b"%d" % n) for n in range(100)]


def test_a_pipe_is_read_as_a_file_is() -> None:
    texts = [b"", b"\n", b"a", b"\xef\xbb\xbfa\r\n\n" + b"x" * 70_000 + b"\nb\n", b"y" * 200_000]
    for text in texts:
        with pipe() as (write, stream):
            if not (child := os.fork()):
                with os.fdopen(write, "wb") as out:
                    out.write(text)
                os._exit(0)
            os.close(write)
            told = [line for line in numbered_lines(Source(stream)) if line != PAUSE]
            os.waitpid(child, 0)
        assert told == list(numbered_lines(io.BytesIO(text))) == list(numbered_lines(Source(io.BytesIO(text))))


test_a_pipe_is_read_as_a_file_is = pytest.mark.process(test_a_pipe_is_read_as_a_file_is)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"episode,date,order\nEP-1,2026-02-02,RX-1\n", "looks like CSV"),
        (b'\xef\xbb\xbf"episode";"date"\n', "looks like CSV"),
        (b"episode\tdate\n", "looks like CSV"),
        (b"\n\n[\n", "looks like one JSON array"),
        (json.dumps([{"episode": "EP-1"}]).encode(), "looks like one JSON array"),
        (b"{\n", "objects over several lines"),
        (b'{"episode": "EP-1", "source": "x"}\n', None),
        (b'{"episode": "EP-1", ', None),
        ('{"episode": "EP-1", "source": "x"}\n'.encode("utf-16"), "looks like UTF-16"),
        ("episode,date,order\n".encode("utf-16-be"), "looks like UTF-16"),
        (b"nothing of the kind\n", None),
        (b"", None),
    ],
)
def test_what_was_given_instead_of_lines_is_recognized(text: bytes, says: str | None) -> None:
    source = Source(io.BytesIO(text))
    list(numbered_lines(source))
    found = source.looks_like()
    assert (says in found) if says and found else found is says
