"""Backups taken while others record: restored, each is whole, of one moment, and no older than its beginning."""

from __future__ import annotations

import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

from tests import stores
from tests.command_line import run
from tests.fire.ground import facts, holds, remove, write_lines
from tests.fire.stage import Act, Stage
from tests.stores import open_ledger

LINES = 6_000
BATCH = 20
ONE_LEDGER = 8


def backups(folder: Path, count: int, rng: Random, *, plain_copy: bool = False) -> Counter[str]:
    """So many backups during writes; ``plain_copy`` is the control: the file alone, as ``cp`` takes it."""
    found: Counter[str] = Counter(taken=0, too_late=0, good=0, refused=0, lacking=0)
    source = write_lines(folder / "intake.jsonl", facts(rng, LINES))
    ledger = folder / "ledger.db"
    with Stage(folder) as stage:
        while found["taken"] < count:
            remove(ledger)
            open_ledger(ledger, create=True).close()
            writer = stage.start(
                "command",
                tuned={"batch": BATCH, "checkpoint_pages": 60},
                args=["--ledger", str(ledger), "record", str(source)],
            )
            for _ in range(ONE_LEDGER):
                time.sleep(rng.uniform(0, 0.02))
                if found["taken"] < count:
                    found.update(_one(writer, ledger, plain_copy))
            writer.send()
            writer.wait()
    return found


def _one(writer: Act, ledger: Path, plain_copy: bool) -> Counter[str]:
    """One backup, which counts only if entries were recorded before it began and until it ended; then it is restored,
    and the writer is held meanwhile. Not longer: it may be held with a lock of the ledger, which is looked at next."""
    backup, restored = ledger.with_name("ledger.backup"), ledger.with_name("restored.db")
    before = _position(ledger)
    if plain_copy:
        backup.write_bytes(ledger.read_bytes())
    else:
        assert run("--ledger", ledger, "backup", "--out", backup).status == 0
    during = _position(ledger) > before > 0
    writer.send(signal.SIGSTOP)
    is_restored = during and _is_restored(backup, restored)
    writer.send(signal.SIGCONT)
    found = Counter(taken=int(during), too_late=int(not during))
    if is_restored:
        found += _compared(restored, ledger, before)
    elif during:
        found += Counter(refused=1, lacking=int(_entries(backup) < before))
    remove(backup)
    remove(restored)
    return found


def _is_restored(backup: Path, restored: Path) -> bool:
    key = stores.told_of_the_key()
    checked = run("restore", "--check", backup, env=key).status
    ended = run("restore", backup, "--out", restored, env=key)
    return not checked and not ended.status


def _compared(restored: Path, ledger: Path, before: int) -> Counter[str]:
    """What was restored, held against the ledger, whose entries up to there stay as they are while it grows."""
    with open_ledger(restored, create=False) as copy, open_ledger(ledger, create=False) as live:
        end = copy.position()
        same = (
            copy.id == live.id
            and copy.seal_at(end) == live.seal_at(end)
            and list(copy.scan()) == list(live.scan(0, end))
        )
    return Counter(good=int(holds(restored) and end >= before and same), lacking=int(end < before))


def _position(ledger: Path) -> int:
    with open_ledger(ledger, create=False) as opened:
        return opened.position()


def _entries(copy: Path) -> int:
    """How many entries somebody would find in a plain copy."""
    with suppress(Exception):
        return _position(copy)
    return -1
