"""Tasks: appending, ours against a raw INSERT and against the library's recorder, by turns on the same disk."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from benchmark import stock
from commands.door.intake import Line, read_lines
from commands.writing.handle import Recorded, Recorder
from commands.writing.record import BATCH_LINES, record
from ledger.facts.entry import Entry, encode
from ledger.facts.stored import TAGS
from ledger.recorders.sqlite.file import SETTINGS, TUNING
from ledger.store import open_ledger

Rows = list[tuple[str, float, int]]
StoredRow = tuple[str, int, str, str]
FULL: Final = 2
RAW_BATCH: Final = 1_000
ONE_BY_ONE: Final = 500
ONE_BY_ONE_TURN: Final = 50
MANY: Final = 40_000

PLAIN_TABLE: Final = (
    "CREATE TABLE entries (position INTEGER PRIMARY KEY, originator_id TEXT NOT NULL,"
    " originator_version INTEGER NOT NULL, topic TEXT NOT NULL, state TEXT NOT NULL,"
    " UNIQUE (originator_id, originator_version))",
)
INSERT: Final = "INSERT INTO entries (originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?)"
SEALED_INSERT: Final = (
    "INSERT INTO entries (originator_id, originator_version, topic, state, seal) VALUES (?, ?, ?, ?, zeroblob(32))"
)


class Contestant(NamedTuple):
    """One way of appending: it takes the entries from one place up to another, and is closed at the end."""

    key: str
    take: Callable[[int, int], object]
    close: Callable[[], object]


def by_turns(contestants: Sequence[Contestant], count: int, turn: int) -> Rows:
    """Each appends so many entries, in turns, who is first changing; closing (the last checkpoint) is counted in."""
    spent = dict.fromkeys((each.key for each in contestants), 0.0)
    order = list(contestants)
    for start in range(0, count, turn):
        for each in order:
            began = time.perf_counter()
            each.take(start, min(start + turn, count))
            spent[each.key] += time.perf_counter() - began
        order = order[1:] + order[:1]
    for each in contestants:
        began = time.perf_counter()
        each.close()
        spent[each.key] += time.perf_counter() - began
    return [(key, seconds, count) for key, seconds in spent.items()]


def first_entries(ledger: str, most: int) -> list[Entry]:
    """The first entries of the ledger."""
    with open_ledger(ledger, create=False) as opened:
        return [entry for _, entry in opened.follow(0, most)]


def few_entries(ledger: str) -> list[Entry]:
    """So many as can be committed one by one without waiting for long."""
    with open_ledger(ledger, create=False) as opened:
        return first_entries(ledger, min(ONE_BY_ONE, opened.position() // 10))


def row_of(entry: Entry) -> StoredRow:
    return entry.episode, entry.version, TAGS[type(entry.fact)], encode(entry).decode()


def line_of(entry: Entry) -> bytes:
    """The line of intake that makes this entry."""
    told = {"episode": entry.episode, "source": entry.source, "id": entry.id, "by": entry.by}
    return msgspec.json.encode(told | {"recorded_at": entry.recorded_at, "fact": entry.fact}) + b"\n"


def one_by_one(ledger: str, scratch: str) -> tuple[Rows, dict[str, Any]]:
    """Task: each entry in a transaction of its own."""
    entries = few_entries(ledger)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        place = Path(folder)
        default = _stock_singles(entries, place, "d.one.stock")
        full = _stock_singles(entries, place, "d.one.stock.full")
        contestants = [_our_singles(entries, place), _raw_singles(entries, place), default[0], full[0],
                       _aggregates(entries, place)]  # fmt: skip
        rows = by_turns(contestants, len(entries), ONE_BY_ONE_TURN)
    return rows, {"synchronous of the stock recorder by default": default[1]}


def _our_singles(entries: Sequence[Entry], place: Path) -> Contestant:
    lines = list(map(line_of, entries))
    ledger = open_ledger(place / "ours.db", create=True)
    recorder = Recorder(ledger, keep_recorded_at=True)

    def take(start: int, stop: int) -> None:
        for line in read_lines(BytesIO(b"".join(lines[start:stop]))):
            assert isinstance(line, Line)
            (handled,) = recorder.handle([line])
            assert isinstance(handled, Recorded)

    return Contestant("d.one.ours", take, ledger.close)


def raw_file(path: Path, statements: Sequence[str] = PLAIN_TABLE, synchronous: int = FULL) -> sqlite3.Connection:
    """A file with these tables and our settings of SQLite."""
    connection = sqlite3.connect(path, isolation_level=None)
    for name, value in {"journal_mode": "WAL", **SETTINGS, **TUNING, "synchronous": synchronous}.items():
        connection.execute(f"PRAGMA {name} = {value}")
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == synchronous
    for statement in statements:
        connection.execute(statement)
    return connection


def singles(key: str, entries: Sequence[Entry], connection: sqlite3.Connection, insert: str = INSERT) -> Contestant:
    """Rows inserted one a commit."""
    rows = list(map(row_of, entries))

    def take(start: int, stop: int) -> None:
        for row in rows[start:stop]:
            connection.execute(insert, row)

    return Contestant(key, take, connection.close)


def batches(
    key: str, entries: Sequence[Entry], connection: sqlite3.Connection, size: int, insert: str = INSERT
) -> Contestant:
    """Rows inserted many a commit."""
    rows = list(map(row_of, entries))

    def take(start: int, stop: int) -> None:
        for at in range(start, stop, size):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(insert, rows[at : min(at + size, stop)])
            connection.execute("COMMIT")

    return Contestant(key, take, connection.close)


def _raw_singles(entries: Sequence[Entry], place: Path) -> Contestant:
    return singles("d.one.raw", entries, raw_file(place / "raw.db"))


def _stock_singles(entries: Sequence[Entry], place: Path, key: str) -> tuple[Contestant, int]:
    app = stock.open_stock(place / f"{key}.db")
    synchronous = stock.synchronous_of(app)
    if key.endswith("full"):
        assert stock.set_synchronous(app, "FULL") == FULL
    stored = list(map(stock.stored_of, entries))

    def take(start: int, stop: int) -> None:
        for each in stored[start:stop]:
            app.recorder.insert_events([each])

    return Contestant(key, take, app.close), synchronous


def _aggregates(entries: Sequence[Entry], place: Path) -> Contestant:
    app = stock.open_aggregates(place / "aggregates.db")
    episodes: dict[str, stock.StockEpisode] = {}
    told = [msgspec.to_builtins(entry) for entry in entries]

    def take(start: int, stop: int) -> None:
        for entry in told[start:stop]:
            name = entry["episode"]
            if name not in episodes:
                episodes[name] = stock.StockEpisode(name)
            episodes[name].record(
                entry["source"], entry["id"], entry["by"], entry["recorded_at"], entry["nonce"], entry["fact"]
            )
            app.save(episodes[name])

    return Contestant("d.one.aggregate", take, app.close)


def in_batches(ledger: str, scratch: str) -> tuple[Rows, dict[str, Any]]:
    """Task: many entries a transaction."""
    entries = first_entries(ledger, MANY)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        place = Path(folder)
        contestants = [
            _our_batches(entries, place),
            batches("d.many.raw", entries, raw_file(place / "raw.db"), RAW_BATCH),
            _stock_batches(entries, place),
            _stock_puts(entries, place),
        ]
        return by_turns(contestants, len(entries), BATCH_LINES), {}


def _our_batches(entries: Sequence[Entry], place: Path) -> Contestant:
    ledger = open_ledger(place / "ours.db", create=True)
    outcomes = record(ledger, BytesIO(b"".join(map(line_of, entries))), keep_recorded_at=True)

    def take(start: int, stop: int) -> None:
        for outcome in islice(outcomes, stop - start):  # a turn is a batch: record works when it is asked
            assert outcome.outcome == "recorded"

    return Contestant("d.many.ours", take, ledger.close)


def _stock_batches(entries: Sequence[Entry], place: Path) -> Contestant:
    app = stock.open_stock(place / "stock.db")
    stored = list(map(stock.stored_of, entries))

    def take(start: int, stop: int) -> None:
        for at in range(start, stop, RAW_BATCH):
            app.recorder.insert_events(stored[at : min(at + RAW_BATCH, stop)])

    return Contestant("d.many.stock", take, app.close)


def _stock_puts(entries: Sequence[Entry], place: Path) -> Contestant:
    app = stock.open_stock(place / "stock-put.db")
    told = list(map(stock.event_of, entries))

    def take(start: int, stop: int) -> None:
        for at in range(start, stop, RAW_BATCH):
            app.events.put(told[at : min(at + RAW_BATCH, stop)])

    return Contestant("d.many.stock.put", take, app.close)
