"""Where lines come from: read as they come, and known to pause; what was given instead of lines is recognized.

A pipe may pause for hours between two lines, and whoever wrote the last one waits for its answer. So a source that can
wait says when nothing more has come for a moment, or when the first line that is not answered has waited long enough.
"""

from __future__ import annotations

import io
import os
import re
import select
import stat
import time
from typing import BinaryIO, Final

IDLE_SECONDS: Final = 0.1
"""For how long nothing comes before what came is answered."""
LONGEST_WAIT_SECONDS: Final = 0.5
"""How long a line waits for others at most."""

_CHUNK_BYTES: Final = 1 << 16
_BEGINNING_BYTES: Final = 4096
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_PARTED: Final = re.compile(rb"[^,;\t]+(?:[,;\t][^,;\t]*)+\s*\Z")


class Source:
    """A stream of lines. Of one that can pause, only this reads."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._pipe = stream, _waiting(stream)
        self._buffer, self._at, self._ended = b"", 0, False
        self._unanswered_since: float | None = None
        self._poll = select.poll()
        if self._pipe is not None:
            self._poll.register(self._pipe, select.POLLIN)
        self.beginning = b""
        """The beginning of the first line that is not blank."""

    def readline(self, limit: int) -> bytes:
        """The next line with its end, or as much of it; nothing at the end of the stream."""
        line = self._stream.readline(limit) if self._pipe is None else self._next(limit)
        if not self.beginning:
            self.beginning = line.removeprefix(_BYTE_ORDER_MARK).strip()[:_BEGINNING_BYTES]
        return line

    def pauses(self, limit: int) -> bool:
        """Whether what came so far should be answered before another line is waited for."""
        if self._pipe is None:
            return False
        since = self._unanswered_since
        if since is None:
            return False
        now = time.monotonic()
        until = min(now + IDLE_SECONDS, since + LONGEST_WAIT_SECONDS)
        while now < until and not self._has_line(limit):
            if self._poll.poll((until - now) * 1000):
                self._read_more()
            now = time.monotonic()
        if now < since + LONGEST_WAIT_SECONDS and self._has_line(limit):
            return False
        self._unanswered_since = None
        return True

    def looks_like(self) -> str | None:
        """What was given instead of lines, and what takes it, in a sentence; None if nothing speaks for that."""
        if b"\x00" in self.beginning[:4]:
            return "This looks like UTF-16, as PowerShell's > writes it: save the file as UTF-8."
        if self.beginning.startswith(b"["):
            return "This looks like one JSON array: record takes an object a line, as 'jq -c .[] FILE' writes them."
        if self.beginning == b"{":
            return "This looks like objects over several lines: record takes one a line, as 'jq -c . FILE' writes them."
        if _PARTED.match(self.beginning) and not self.beginning.startswith((b"{", b'"{')):
            return "This looks like CSV: 'episode-ledger import' takes it."
        return None

    def _next(self, limit: int) -> bytes:
        while not self._has_line(limit):
            self._read_more()
        end = self._buffer.find(b"\n", self._at, self._at + limit)
        stop = end + 1 if end >= 0 else min(len(self._buffer), self._at + limit)
        line, self._at = self._buffer[self._at : stop], stop
        if line and self._unanswered_since is None:
            self._unanswered_since = time.monotonic()
        return line

    def _has_line(self, limit: int) -> bool:
        """Whether the next line, or the end, is here."""
        return (
            self._ended
            or self._buffer.find(b"\n", self._at, self._at + limit) >= 0
            or len(self._buffer) - self._at >= limit
        )

    def _read_more(self) -> None:
        assert self._pipe is not None
        chunk = os.read(self._pipe, _CHUNK_BYTES)
        self._ended = not chunk
        self._buffer, self._at = self._buffer[self._at :] + chunk, 0


def _waiting(stream: BinaryIO) -> int | None:
    """The descriptor of a stream that may pause: a pipe, a socket or a terminal."""
    try:
        descriptor = stream.fileno()
    except (OSError, io.UnsupportedOperation, AttributeError):
        return None
    mode = os.fstat(descriptor).st_mode
    return descriptor if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode) else None
