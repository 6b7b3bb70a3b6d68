"""Progress of long work, on stderr and only when that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.progress import Progress, silent


@contextmanager
def progress(doing: str, unit: str) -> Iterator[Progress]:
    """A function to be told (done, of how many; 0 if unknown); shows a line a few times a second."""
    if not sys.stderr.isatty():
        yield silent
        return
    started, shown = time.monotonic(), [0.0]

    def tell(done: int, of: int) -> None:
        now = time.monotonic()
        if now - shown[0] < 0.2 or now - started < 0.5:
            return
        shown[0] = now
        rate = done / (now - started)
        left = f", {(of - done) / rate:.0f} s left" if of and rate else ""
        total = f" of {of:,}" if of else ""
        sys.stderr.write(f"\r\x1b[K{doing}: {done:,}{total} {unit}, {rate:,.0f} a second{left}")
        sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown[0]:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
