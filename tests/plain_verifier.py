"""A second verifier, written from docs/reference/seals.md alone: the standard library and nothing of the project's.

It is slow and simple on purpose. What it says is compared with what ``ledger.proof`` says.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple


class Row(NamedTuple):
    position: int
    episode: bytes
    version: int
    tag: bytes
    text: bytes
    seal: bytes


class Ledger(NamedTuple):
    id: str
    rows: list[Row]
    patients: list[tuple[bytes, bytes]]
    last_number: int


class Signed(NamedTuple):
    """What a checkpoint says."""

    ledger: str
    size: int
    root: bytes
    head: bytes


class Verdict(NamedTuple):
    holds: bool
    first: int | None
    head: bytes
    root: bytes
    checkpoints: list[bool]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def number(value: int) -> bytes:
    return b"i" + (8).to_bytes(8, "big") + value.to_bytes(8, "big")


def text(value: bytes) -> bytes:
    return b"t" + len(value).to_bytes(8, "big") + value


def leaf(position: int, row: Row) -> bytes:
    return sha256(b"\0" + number(position) + text(row.episode) + number(row.version) + text(row.tag) + text(row.text))


def seal(before: bytes, position: int, row: Row) -> bytes:
    return sha256(b"\1" + before + leaf(position, row))


def beginning(ledger_id: str) -> bytes:
    return sha256(b"\0" + text(ledger_id.encode()))


def root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\1" + root(leaves[:half]) + root(leaves[half:]))


def read(path: Path) -> Ledger:
    with closing(sqlite3.connect(path)) as file:
        columns = "position, CAST(originator_id AS BLOB), originator_version, CAST(topic AS BLOB), CAST(state AS BLOB)"
        rows = [Row(*row) for row in file.execute(f"SELECT {columns}, seal FROM entries ORDER BY position")]
        patients = file.execute("SELECT CAST(patient AS BLOB), CAST(episode AS BLOB) FROM patients").fetchall()
        last = file.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
        (name,) = file.execute("SELECT value FROM ledger WHERE key = 'id'").fetchone()
        return Ledger(name, rows, patients, last[0] if last else 0)


def verify(ledger: Ledger, signed: list[Signed] = []) -> Verdict:  # noqa: B006
    wrong: list[int | None] = []
    rows, seals = ledger.rows, [beginning(ledger.id)]
    for place, row in enumerate(rows, 1):
        if row.position != place or row.version < 1 or row.seal != seal(seals[-1], place, row):
            wrong.append(place)
            break
        seals.append(row.seal)
    sound = rows[: len(seals) - 1]
    wrong += unlikely(sound)
    if not wrong and named(sound) != set(ledger.patients):
        wrong.append(next(iter(positions_lacking(sound, set(ledger.patients))), None))
    last = rows[-1].position if rows else 0
    if ledger.last_number > last or any(each.ledger == ledger.id and each.size > last for each in signed):
        wrong.append(last + 1)
    elif ledger.last_number < last:
        wrong.append(None)
    leaves = [leaf(place, row) for place, row in enumerate(rows, 1) if row.version >= 1]
    held = [good(each, ledger, leaves) for each in signed]
    wrong += [None for each in signed if each.ledger != ledger.id]
    tried = [(each.size, holds) for each, holds in zip(signed, held, strict=True) if each.size <= last]
    failed = min((size for size, holds in tried if not holds), default=None)
    if failed is not None and not any(position is not None and position <= failed for position in wrong):
        wrong.append(max((size for size, holds in tried if holds and size < failed), default=0) + 1)
    positions = [position for position in wrong if position is not None]
    head = rows[-1].seal if rows else seals[0]
    return Verdict(not wrong, min(positions, default=None), head, root(leaves), held)


def good(signed: Signed, ledger: Ledger, leaves: list[bytes]) -> bool:
    rows = ledger.rows
    if signed.ledger != ledger.id or signed.size > len(rows):
        return False
    head = rows[signed.size - 1].seal if signed.size else beginning(ledger.id)
    whole = not signed.size or rows[signed.size - 1].position == signed.size
    return whole and (root(leaves[: signed.size]), head) == (signed.root, signed.head)


def unlikely(rows: list[Row]) -> list[int | None]:
    """The first row that fits its seal but cannot have been recorded."""
    for place, row in enumerate(rows):
        try:
            told = json.loads(row.text)
            agrees = agreeing(told, row, [json.loads(r.text) for r in rows[:place] if r.episode == row.episode])
        except (ValueError, KeyError, TypeError):
            agrees = False
        if not agrees:
            return [row.position]
    return []


def agreeing(told: Any, row: Row, before: list[Any]) -> bool:
    if row.version != len(before) + 1 or len(told["nonce"]) != 32:
        return False
    if row.episode == b"":
        return bool(told["type"].encode() == row.tag)
    named = (told["episode"].encode(), told["version"], told["fact"]["type"].encode())
    if named != (row.episode, row.version, row.tag):
        return False
    at = datetime.fromisoformat(told["recorded_at"])
    return not before or datetime.fromisoformat(before[-1]["recorded_at"]) <= at


def named(rows: list[Row]) -> set[tuple[bytes, bytes]]:
    return {pair for row in rows for pair in pair_of(row)}


def positions_lacking(rows: list[Row], patients: set[tuple[bytes, bytes]]) -> list[int]:
    return [row.position for row in rows if not set(pair_of(row)) <= patients]


def pair_of(row: Row) -> list[tuple[bytes, bytes]]:
    fact = json.loads(row.text).get("fact", {})
    said = fact["fact"] if fact.get("type") == "FactCorrected" else fact
    return [(said["patient"].encode(), row.episode)] if said.get("type") == "EpisodeOpened" else []
