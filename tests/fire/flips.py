"""Single bits flipped anywhere in the ledger's file: changed content is never shown while ``verify`` finds it good."""

from __future__ import annotations

import json
import os
from collections import Counter
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

from commands.writing.record import record
from ledger.facts.entry import UnreadableEntry
from ledger.keys.key_file import KeyTrouble
from ledger.recorders import StoreError
from tests.command_line import BOOK, run
from tests.fire.ground import MARK, book_read_once, facts, holds, patient
from tests.stores import open_ledger

LINES = 60

SET_ASIDE = " is set aside and not shown: "
"""Who is set aside is named on purpose: a row whose length was changed may cost more than the budget allows."""

SEEN_THROUGH_COMMANDS = 10
"""Of so many flips one is also looked at through the command line, which is slower."""


def flips(folder: Path, count: int, rng: Random, *, proving: bool = True) -> Counter[str]:
    """Flip so many bits, one at a time; without ``proving``, the control: whoever only reads takes changes for good."""
    with book_read_once():
        return _flips(folder, count, rng, proving)


def _flips(folder: Path, count: int, rng: Random, proving: bool) -> Counter[str]:
    found: Counter[str] = Counter(
        flips=0, changed=0, refused=0, shown_as_good=0, tracebacks=0, patients_named=0, through_commands=0
    )
    ledger = folder / "ledger.db"
    with open_ledger(ledger, create=True) as opened:
        list(record(opened, BytesIO(b"".join(json.dumps(each).encode() + b"\n" for each in facts(rng, LINES)))))
    before = _answers(ledger)
    assert holds(ledger)
    good = ledger.read_bytes()
    for _ in range(count):
        bit = rng.randrange(len(good) * 8)
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        ledger.write_bytes(damaged)
        found["flips"] += 1
        found.update(_looked_at(ledger, before, proving))
        if not found["flips"] % SEEN_THROUGH_COMMANDS:
            found.update(_through_commands(folder, ledger))
        _remove_logs(ledger)
    return found


def _looked_at(ledger: Path, before: Any, proving: bool) -> Counter[str]:
    try:
        answers = _answers(ledger)
    except (StoreError, UnreadableEntry, KeyTrouble):
        answers = None
    except Exception:
        return Counter(tracebacks=1)
    finally:
        _remove_logs(ledger)
    found = Counter(refused=int(answers is None), changed=int(answers not in (None, before)))
    if found["changed"] or found["refused"]:
        try:
            good = not proving or holds(ledger)
        except (StoreError, KeyTrouble):
            good = False
        except Exception:
            return Counter(tracebacks=1)
        found["shown_as_good"] = int(good and bool(found["changed"]))
    return found


def _answers(path: Path) -> Any:
    """Everything that is ever read of a ledger, by every way there is to it."""
    with open_ledger(path, create=False) as ledger:
        position = ledger.position()
        episodes = sorted(dict(ledger.versions_since(0)))
        return (
            ledger.id,
            position,
            list(ledger.follow(0)),
            [ledger.entries_of(episode) for episode in episodes],
            ledger.joined(episodes, position),
            ledger.extents(position),
            [ledger.patients_of(episode) for episode in episodes],
            [ledger.episodes_of(patient(number)) for number in range(4)],
            ledger.patients_since(0),
            ledger.house_acts(),
            ledger.seal_at(position),
        )


def _through_commands(folder: Path, ledger: Path) -> Counter[str]:
    """``verify`` and ``days`` as typed: they end as they should, without a traceback or an unforeseen fault."""
    found = Counter(through_commands=1)
    for args in (
        ("verify", "--key", folder / "none"),
        ("days", "--known-at", "2099-01-01T00:00Z"),
        ("doctor", "--key", folder / "none"),
    ):
        ended = run("--ledger", ledger, "--book", BOOK, *args)
        plain = "Traceback" not in ended.err and "unforeseen" not in ended.err
        found["tracebacks"] += not (plain and ended.status in (0, 1, 2, 3))
        told = [line for line in ended.err.splitlines() if SET_ASIDE not in line]
        found["patients_named"] += MARK in "\n".join(told)
    return found


def _remove_logs(ledger: Path) -> None:
    for ending in ("-wal", "-shm", "-journal"):
        if os.path.exists(log := f"{ledger}{ending}"):
            os.unlink(log)
