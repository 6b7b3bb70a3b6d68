"""Writes, syncs, cuts and removals that fail, once or for good, and disks that fill up: no answer is wrong for it."""

from __future__ import annotations

import errno
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.command_line import BOOK
from tests.fire.ground import MARK, acknowledged, facts, look, remove, tell_the_rest, write_lines
from tests.fire.power import notes_of
from tests.fire.stage import Act, Arms, Stage

LINES = 160
BATCH = 20
TUNED = {"batch": BATCH, "checkpoint_pages": 12}
KINDS = "WSTU"


class Fault(NamedTuple):
    """Which operation fails, and how."""

    kind: str
    nth: int
    error: int
    for_good: bool


def _faults(folder: Path, stage: Stage, source: Path) -> list[Fault]:
    """Every operation of a whole run, failing in each way."""
    ledger, notes = folder / "ledger.db", folder / "notes"
    status, _ = stage.run("command", Arms(str(ledger), str(notes)), TUNED, **_record(ledger, source))
    assert status == 0
    remove(ledger)
    many = Counter(note.kind for note in notes_of(notes) if note.name != "-shm")
    assert all(many[kind] for kind in KINDS), f"each kind of operation is met: {many}"
    return [
        Fault(kind, nth, error, for_good)
        for kind in KINDS
        for nth in range(1, many[kind] + 1)
        for error in ((errno.EIO, errno.ENOSPC) if kind == "W" else (errno.EIO,))
        for for_good in (False, True)
    ]


def _chosen(faults: list[Fault], count: int, rng: Random) -> Iterator[Fault]:
    """As many of each kind as there are to have, at places of their own."""
    by_kind = {kind: [fault for fault in faults if fault.kind == kind] for kind in KINDS}
    for each in by_kind.values():
        rng.shuffle(each)
    while count and any(by_kind.values()):
        for kind in KINDS:
            if count and by_kind[kind]:
                yield by_kind[kind].pop()
                count -= 1


def failures(folder: Path, count: int, rng: Random, act: str = "command") -> Counter[str]:
    """So many runs, in each of which one operation fails once, or it and all after it."""
    found: Counter[str] = Counter(runs=0, went_on=0, gave_up=0, wrong_answers=0, unplain=0, does_not_hold=0, unmended=0)
    told = facts(rng, LINES)
    source = write_lines(folder / "intake.jsonl", told)
    ledger = folder / "ledger.db"
    with Stage(folder, shim=True) as stage:
        for fault in _chosen(_faults(folder, stage, source), count, rng):
            arms = Arms(str(ledger), None, fault.kind, fault.nth, fault.error, fault.for_good)
            more = (
                _record(ledger, source)
                if act == "command"
                else {"ledger": str(ledger), "lines": str(source), "batch": BATCH}
            )
            status, writer = stage.run(act, arms, TUNED, **more)
            found["runs"] += 1
            found.update(_judged(status, writer, ledger))
            found["unmended"] += not tell_the_rest(ledger, told, source.read_bytes())
            remove(ledger)
    return found


def full_disks(folder: Path, count: int, rng: Random) -> Counter[str]:
    """So many disks that fill up after a number of bytes; when there is room again, everything goes on."""
    found: Counter[str] = Counter(
        sizes=0, refused=0, wrong_answers=0, unplain=0, does_not_hold=0, not_writable_afterwards=0
    )
    told = facts(rng, LINES)
    source = write_lines(folder / "intake.jsonl", told)
    ledger = folder / "ledger.db"
    with Stage(folder, shim=True) as stage:
        largest = _needed(stage, ledger, source)
        for number in range(count):
            room = round(largest * number / (count - 1))
            status, writer = stage.run("command", Arms(str(ledger), room=room), TUNED, **_record(ledger, source))
            found["sizes"] += 1
            found["refused"] += status == 3
            judged = _judged(status, writer, ledger)
            found.update({name: judged[name] for name in ("wrong_answers", "unplain", "does_not_hold")})
            found["not_writable_afterwards"] += not tell_the_rest(ledger, told, source.read_bytes())
            remove(ledger)
    return found


def _needed(stage: Stage, ledger: Path, source: Path) -> int:
    """How many bytes the files grow by when there is room, as the shim counts: one made again grows again."""
    notes = ledger.with_name("notes")
    assert stage.run("command", Arms(str(ledger), str(notes)), TUNED, **_record(ledger, source))[0] == 0
    remove(ledger)
    sizes: Counter[str] = Counter()
    grown = 0
    for note in notes_of(notes):
        end = {"W": note.offset + len(note.data), "T": note.offset, "U": 0}.get(note.kind, sizes[note.name])
        if note.kind == "W":
            end = max(end, sizes[note.name])
            grown += end - sizes[note.name]
        sizes[note.name] = end
    return grown


def _record(ledger: Path, source: Path) -> dict[str, Any]:
    return {"args": ["--ledger", str(ledger), "--book", str(BOOK), "record", "--no-effect", str(source)]}


def _judged(status: int, writer: Act, ledger: Path) -> Counter[str]:
    """Whether what was said is true, and said plainly."""
    acked = acknowledged(writer.said)
    found = look(ledger, acked, BATCH, 0, LINES)
    said_wrong = found["lost"] + found["half_batches"] + (status == 0 and len(acked) != LINES) + (status not in (0, 3))
    return Counter(
        went_on=int(status == 0),
        gave_up=int(status == 3),
        wrong_answers=int(said_wrong > 0),
        unplain=int(not _is_plain(status, writer.complained)),
        does_not_hold=found["does_not_hold"],
    )


def _is_plain(status: int, complained: str) -> bool:
    """One line and a hint, or the usual sum; before it, perhaps, that the ledger is a new one, and what to look at."""
    before_it = r"Made a new ledger: .*\n|Note: .*\n"
    lines = re.sub(rf"\A(?:{before_it})*", "", complained).splitlines()
    if MARK in complained:
        return False
    if status == 0:
        return len(lines) == 1
    return len(lines) == 2 and lines[0].startswith("episode-ledger: ") and "unforeseen" not in complained
