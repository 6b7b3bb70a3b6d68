"""A ledger that was put back to an earlier state: what a read model had seen of it is kept until that is accepted.

A read model notes the position it stands for and the seal there. Where the ledger has another seal at that position, an
older copy was put back, or other entries were recorded in place of those. The next reading builds the read model anew,
so what it had seen goes into a list beside it first, which is only ever added to. An act in the ledger accepts what is
listed there; until then it is said.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ledger.facts.administration import RollbackAccepted
from ledger.files import add_line
from projections.read_model.generations import Places

LONGEST_POSITION: Final = 12
"""Digits of a position; a note with more is damaged."""

Seen = tuple[int, str]
"""A position, and the seal that stood there."""


class Rollback(msgspec.Struct, frozen=True):
    """Up to where the ledger had been seen, with the seal there; when that was missed, and where it ended then."""

    ledger: str
    position: int
    seal: str
    found_at: str
    found_position: int

    @property
    def seen(self) -> Seen:
        """What had been seen."""
        return self.position, self.seal


class LedgerNow(NamedTuple):
    """What the ledger is now: its id, its last position, its seals in hex, and which rollbacks were accepted."""

    id: str
    position: int
    seal_at: Callable[[int], str]
    accepted: Callable[[], Collection[Seen]]


def accepted_by(acts: Collection[object]) -> set[Seen]:
    """What these acts accept."""
    return {(act.position, act.seal) for act in acts if isinstance(act, RollbackAccepted)}


def rollbacks(places: Places, now: LedgerNow, at: datetime, *, keep: bool) -> list[Rollback]:
    """Each rollback of this ledger that nobody accepted; with ``keep`` one just found is on the list afterwards."""
    listed = [each for each in _listed(places) if each.ledger == now.id]
    found = _found(places, now, at)
    if found and found.seen not in {each.seen for each in listed}:
        listed.append(found)
        if keep:
            add_line(list_of(places), msgspec.json.encode(found) + b"\n")
    if not listed:
        return []
    accepted = now.accepted()
    unlike = {each.seen: each for each in reversed(listed) if now.seal_at(each.position) != each.seal}
    return [each for seen, each in reversed(unlike.items()) if seen not in accepted]


def list_of(places: Places) -> Path:
    """The list of what was seen and is there no more."""
    return places.live.with_name(f"{places.stem}.rollbacks.jsonl")


def _listed(places: Places) -> Iterator[Rollback]:
    path = list_of(places)
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            yield msgspec.json.decode(line, type=Rollback)
        except (msgspec.MsgspecError, UnicodeError):  # a kill cut it off: it is found again
            continue


def _found(places: Places, now: LedgerNow, at: datetime) -> Rollback | None:
    """What the live read model had seen, if it is there no more."""
    noted = _noted(places.current())
    position = noted.get("position") or ""
    if noted.get("ledger") != now.id or not position.isdecimal() or len(position) > LONGEST_POSITION:
        return None
    seal = noted.get("last") or ""
    if now.seal_at(int(position)) == seal:
        return None
    return Rollback(now.id, int(position), seal, f"{at:%Y-%m-%dT%H:%M:%SZ}", now.position)


def _noted(live: Path | None) -> dict[str, str]:
    """What a read model says of itself; nothing if it cannot be read: its own readers say why."""
    if live is None:
        return {}
    log = live.with_name(live.name + "-wal").exists()  # where there is none, reading is to make none
    way = "mode=ro" if log else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{live.as_uri()}?{way}", uri=True)) as connection:
            return dict(connection.execute("SELECT key, value FROM model"))
    except (sqlite3.Error, UnicodeDecodeError, ValueError):
        return {}
