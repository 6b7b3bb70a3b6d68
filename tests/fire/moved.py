"""Cipher text moved: to another ledger, patient, version, type or key, by somebody who may write what they like.

The mover knows the format, moves wrapped keys along if it helps, and rewrites whatever is in the open. What counts is
whether the ledger's own way of opening an entry gives anything out in the new place.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

from commands.writing.record import record
from ledger.keys import envelope
from ledger.keys.cipher import MasterKey, Unopened, WrappedKey
from ledger.keys.keyring import Keyring
from ledger.store import open_ledger
from tests.fire.ground import facts

LINES = 400


class Row(NamedTuple):
    """An entry as it stands in the file, and the key that its episode has there."""

    ledger: str
    episode: str
    version: int
    tag: str
    text: dict[str, Any]
    key: WrappedKey


def moved(folder: Path, count: int, rng: Random, *, bound: bool = True) -> Counter[str]:
    """Move so many cipher texts; with nothing bound to them, the control: they open wherever their key is."""
    found: Counter[str] = Counter(moves=0, accepted=0, stayed_and_opened=0)
    master = MasterKey(rng.randbytes(32))
    with nullcontext() if bound else patch.object(envelope, "_circumstances", _nothing):
        rows = [row for name in ("one", "two") for row in _rows(folder / f"{name}.db", master, rng)]
        for row in rows:
            found["stayed_and_opened"] += _opens(master, row)
        while found["moves"] < count:
            from_, to = rng.sample(rows, 2)
            move = rng.choice(MOVES)
            forged = move(from_, to)
            if _place(forged) == _place(from_):
                continue
            found["moves"] += 1
            found[move.__name__.strip("_")] += 1
            found["accepted"] += _opens(master, forged)
    return found


def _nothing(*place: object) -> bytes:
    return b""


def _rows(ledger: Path, master: MasterKey, rng: Random) -> list[Row]:
    with open_ledger(ledger, create=True, master=master) as opened:
        list(record(opened, BytesIO(b"".join(json.dumps(each).encode() + b"\n" for each in facts(rng, LINES)))))
        id = opened.id
    with closing(sqlite3.connect(ledger)) as file:
        keys = {row[1]: WrappedKey(*row) for row in file.execute("SELECT id, episode, wrapped FROM keys")}
        found = file.execute("SELECT originator_id, originator_version, topic, state FROM entries").fetchall()
    return [Row(id, episode, version, tag, json.loads(text), keys[episode]) for episode, version, tag, text in found]


def _place(row: Row) -> Sequence[object]:
    return row.ledger, row.episode, row.version, row.tag, row.text["key"], row.text["sealed"]


def _rewritten(from_: Row, to: Row, **kept: Any) -> dict[str, Any]:
    """The envelope of one place with what it says in the open made fit for another."""
    fit = {"episode": to.episode, "version": to.version, "type": to.tag, "key": to.text["key"]}
    return from_.text | fit | kept


def _whole_row(from_: Row, to: Row) -> Row:
    """The text as it is, under another place's columns."""
    return to._replace(text=from_.text)


def _rewritten_row(from_: Row, to: Row) -> Row:
    """The cipher text under another place's columns and words, with that place's key."""
    return to._replace(text=_rewritten(from_, to))


def _with_its_key(from_: Row, to: Row) -> Row:
    """The cipher text to another place, and the wrapped key along with it."""
    text = _rewritten(from_, to, key=from_.text["key"])
    return to._replace(text=text, key=WrappedKey(from_.key.id, to.episode, from_.key.wrapped))


def _other_version(from_: Row, to: Row) -> Row:
    """Within the episode, to another version."""
    return from_._replace(version=to.version, text=from_.text | {"version": to.version})


def _other_type(from_: Row, to: Row) -> Row:
    """In its place, as another type."""
    return from_._replace(tag=to.tag, text=from_.text | {"type": to.tag})


def _other_ledger(from_: Row, to: Row) -> Row:
    """The same place of another ledger under the same master key, wrapped key and all."""
    return from_._replace(ledger=to.ledger)


def _other_key_id(from_: Row, to: Row) -> Row:
    """In its place, under another key's id."""
    key = WrappedKey(to.key.id, from_.episode, from_.key.wrapped)
    return from_._replace(text=from_.text | {"key": to.key.id}, key=key)


MOVES: Sequence[Callable[[Row, Row], Row]] = (
    _whole_row, _rewritten_row, _with_its_key, _other_version, _other_type, _other_ledger, _other_key_id,
)  # fmt: skip


def _opens(master: MasterKey, row: Row) -> bool:
    keyring = Keyring(master, row.ledger, lambda episodes: [row.key])
    try:
        text = json.dumps(row.text, separators=(",", ":")).encode()  # as envelopes are written, or none would open
        return keyring.open_row(row.episode.encode(), row.version, row.tag.encode(), text) is not None
    except Unopened:
        return False
