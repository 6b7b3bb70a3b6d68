"""The writer killed at any moment: what was acknowledged is there, and no batch by halves."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from random import Random

from tests import stores
from tests.fire.ground import acknowledged, facts, look, remove, tell_the_rest, write_lines
from tests.fire.moments import Moments
from tests.fire.stage import Stage

LINES = 160
BATCH = 10
TUNED = {"batch": BATCH, "checkpoint_pages": 20}


def kills(folder: Path, count: int, rng: Random, act: str = "command") -> Counter[str]:
    """Kill so many writers, each at a moment of its own; ``act`` names a control that must show what it lacks."""
    found: Counter[str] = Counter(
        kills=0, too_late=0, acknowledged=0, lost=0, half_batches=0, does_not_hold=0, unmended=0
    )
    told = facts(rng, LINES)
    source = write_lines(folder / "intake.jsonl", told)
    with Stage(folder) as stage:
        moments = Moments(rng, _time(stage, folder, source, act))
        ledger = folder / "ledger.db"
        while found["kills"] < count:
            stores.make(ledger)
            told_it = _told(act, ledger, source)
            writer = moments.kill(stage, act, TUNED, waits=stores.on_postgres(), **told_it)
            late = writer.wait() != -9
            found["too_late" if late else "kills"] += 1
            acked = acknowledged(writer.said)
            moments.met("its end" if late else "its work" if acked else "nothing yet")
            found["acknowledged"] += len(acked)
            found.update(look(ledger, acked, BATCH, 0, LINES))
            found["unmended"] += not tell_the_rest(ledger, told, source.read_bytes())
            remove(ledger)
    return found


def _told(act: str, ledger: Path, source: Path) -> dict[str, object]:
    if act == "command":
        return {"args": [*stores.placed(ledger), "record", "--no-effect", str(source)]}
    more = {"batch": BATCH} if act == "eager" else {}
    return {"ledger": stores.named(ledger), "lines": str(source), **more}


def _time(stage: Stage, folder: Path, source: Path, act: str) -> float:
    """How long the writer takes when nobody kills it: the shortest of three."""
    took = []
    for _ in range(3):
        ledger = folder / "ledger.db"
        stores.make(ledger)
        began = time.monotonic()
        status, writer = stage.run(act, tuned=TUNED, **_told(act, ledger, source))
        took.append(time.monotonic() - began if stores.on_postgres() else writer.took)
        assert (status, len(acknowledged(writer.said))) == (0, LINES), writer.complained
        remove(ledger)
    return min(took)
