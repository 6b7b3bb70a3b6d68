"""The projector killed at any moment: brought up afterwards, the read model is what a rebuild makes."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from commands.terminal.options import Setup
from projections.read_model.catch_up import catch_up
from projections.read_model.generations import Places
from projections.read_model.tables import TABLES
from projections.read_model.version import code_version
from projections.read_model.views import passing_views, views_path
from tests import stores
from tests.command_line import BOOK
from tests.fire.ground import facts, write_lines
from tests.fire.moments import Moments
from tests.fire.stage import Stage
from tests.stores import open_ledger

LINES = 70
BATCH = 10

Rows = dict[str, list[tuple[Any, ...]]]


def projectors_killed(folder: Path, count: int, rng: Random, *, two: bool = False) -> Counter[str]:
    """Kill so many projectors while others' facts arrive; ``two`` is the control with rows and position apart."""
    found: Counter[str] = Counter(kills=0, too_early=0, too_late=0, behind=0, differs=0)
    source = write_lines(folder / "intake.jsonl", facts(rng, LINES))
    house = _house(folder)
    told = {"ledger": house.ledger_name, "book": str(BOOK), "lines": str(source), "batch": BATCH, "two": two}
    with Stage(folder) as stage:
        moments = Moments(rng, _time(stage, folder, told))
        while found["kills"] < count:
            _prepare(house, folder)
            projector = moments.kill(stage, "project", {}, **told)
            late, early = projector.wait() != -9, _is_empty(house)
            found["too_late" if late else "too_early" if early else "kills"] += 1
            moments.met("its end" if late else "nothing yet" if early else "its work")
            if not early:
                found.update(_compared(house))
    return found


def _house(folder: Path) -> Setup:
    return Setup(str(folder / "ledger.db"), str(BOOK), master_key=stores.master)


def _prepare(house: Setup, folder: Path) -> None:
    for left in folder.glob("ledger*"):  # among them what was building when it was killed
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    house.open(create=True).close()


def _time(stage: Stage, folder: Path, told: dict[str, Any]) -> float:
    took = []
    for _ in range(3):
        _prepare(_house(folder), folder)
        status, projector = stage.run("project", **told)
        assert status == 0, projector.complained
        took.append(projector.took)
    return min(took)


def _is_empty(house: Setup) -> bool:
    """Whether it was killed before it had recorded anything: that tries nothing."""
    with open_ledger(house.ledger_name, create=False) as ledger:
        return ledger.position() == 0


def _compared(house: Setup) -> Counter[str]:
    """Whether the read model, caught up, has the rows of one made in one piece."""
    places = Places(views_path(Path(house.ledger_name)))
    with open_ledger(house.ledger_name, create=False) as ledger, closing(places.open_live()) as live:
        made_by = live.noted().get("code", code_version())
        assert made_by == code_version(), "the sources were edited meanwhile: everything would be built anew"
        was_behind = int(live.noted().get("position", 0)) < ledger.position()
        catch_up(ledger, live, house.book)
        with closing(passing_views()) as fresh:
            catch_up(ledger, fresh, house.book)
            same = _rows(live.connection) == _rows(fresh.connection) and live.fingerprints() == fresh.fingerprints()
    return Counter(behind=int(was_behind), differs=int(not same))


def _rows(connection: sqlite3.Connection) -> Rows:
    return {table: sorted(connection.execute(f'SELECT * FROM "{table}"'), key=repr) for table in TABLES}
