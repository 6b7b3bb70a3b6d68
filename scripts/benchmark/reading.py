"""Tasks: the floor (a plain scan, and a decode), and our build and rebuild."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from ledger.progress import silent

Rows = list[tuple[str, float, int]]
PASSES: Final = 3
SCAN: Final = "SELECT position, originator_id, originator_version, topic, state FROM entries ORDER BY position"


def scan(ledger: str, entries: int) -> tuple[Rows, dict[str, Any]]:
    """Task: every stored entry as a row of five columns."""
    return [("a.scan", _passes(ledger, lambda rows: deque(rows, maxlen=0)), entries)], {}


def decode(ledger: str, entries: int) -> tuple[Rows, dict[str, Any]]:
    """Task: the same, and each text decoded."""
    from ledger.facts.entry import decode as decode_entry

    text_of = itemgetter(4)
    decoded = _passes(ledger, lambda rows: deque(map(decode_entry, map(text_of, rows)), maxlen=0))
    return [("a.decode", decoded, entries)], {}


def _passes(ledger: str, take: Callable[[sqlite3.Cursor], object]) -> float:
    """The median of a few passes: one is short, and would be at the mercy of the moment."""
    seconds = []
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        for _ in range(PASSES):
            began = time.perf_counter()
            take(connection.execute(SCAN))
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def build(ledger: str, book: str, scratch: str, processes: int, key: str) -> tuple[Rows, dict[str, Any]]:
    """Task: every row written and fingerprinted into a new file."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        seconds, entries, fingerprints = timed_build(ledger, book, Path(folder) / "built.db", processes)
    return [(key, seconds, entries)], {"fingerprints": fingerprints}


def timed_build(ledger: str, book: str, path: Path, processes: int) -> tuple[float, int, list[str]]:
    import sqlite_utils  # noqa: F401  # before the clock starts, like every other import

    from ledger.book import load_book
    from ledger.store import open_ledger
    from projections.rebuild.build import build as build_views
    from projections.rebuild.work import MEMORY_MB, Target, Work, mapped_mb

    with open_ledger(ledger, create=False) as opened:
        upto = opened.position()
    work = Work(ledger, None, upto, mapped_mb(MEMORY_MB, processes), False)
    target = Target(path, load_book(Path(book)).text)
    began = time.perf_counter()
    ((sums, _),) = build_views([target], work, processes, silent)
    return time.perf_counter() - began, upto, sums.texts()


def rebuild(ledger: str, book: str, views: str, processes: int, key: str) -> tuple[Rows, dict[str, Any]]:
    """Task: the whole of it, with the proof against the live read model if there is one."""
    import sqlite_utils  # noqa: F401

    from ledger.book import load_book
    from projections.read_model.generations import Places
    from projections.rebuild.rebuild import Wanted
    from projections.rebuild.rebuild import rebuild as rebuild_views

    book_read = load_book(Path(book))
    began = time.perf_counter()
    made = rebuild_views(ledger, Places(Path(views)), book_read, Wanted(processes), datetime.now(UTC))
    seconds = time.perf_counter() - began
    told = {"outcome": made.outcome, "fingerprints": list(made.fingerprints_after.values())}
    return [(key, seconds, made.position)], told
