"""Task: the real build with a clock at the doors between its stages; what runs inside a stage counts for that stage."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from benchmark.reading import timed_build

Rows = list[tuple[str, float, int]]
DOORS: Final = (
    ("p.extents", "ledger.store", "EpisodeLedger.extents"),
    ("p.extents", "projections.reading.cohorts", "cohorts_of"),
    ("p.scan", "ledger.store", "EpisodeLedger.joined"),
    ("p.gather", "projections.rebuild.part", "complete_together"),
    ("p.decode", "projections.reading.joined", "entries_in"),
    ("p.fold", "projections.rebuild.part", "gather"),
    ("p.judge", "projections.rows.patient", "judge_each"),
    ("p.findings", "projections.rows.patient", "find_each"),
    ("p.days", "projections.rows.patient", "day_runs"),
    ("p.lines", "projections.rows.patient", "line_cells"),
    ("p.finding-rows", "projections.rows.patient", "finding_cells"),
    ("p.digests", "projections.read_model.rows_file", "digests_of"),
    ("p.insert", "projections.read_model.rows_file", "RowsFile._flush"),
    ("p.index", "projections.rebuild.build", "index_tables"),
)
"""Stage, module, and the name under which the build calls it."""
_GENERATORS: Final = {"complete_together"}


class StageClock:
    """Time by stage: a stage stands still while another runs inside it."""

    def __init__(self) -> None:
        self.spent = dict.fromkeys((stage for stage, _, _ in DOORS), 0.0)
        self.open: list[str] = []
        self.since = 0.0

    def enter(self, stage: str) -> None:
        self._count()
        self.open.append(stage)

    def leave(self) -> None:
        self._count()
        self.open.pop()

    def _count(self) -> None:
        now = time.perf_counter()
        if self.open:
            self.spent[self.open[-1]] += now - self.since
        self.since = now

    def calling(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            self.enter(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self.leave()

        return timed

    def drawing_from(self, stage: str, function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def timed(*args: Any, **kwargs: Any) -> Iterator[Any]:
            drawn = function(*args, **kwargs)
            following = self.calling(stage, lambda: next(drawn, drawn))
            while (each := following()) is not drawn:
                yield each

        return timed


def profile(ledger: str, book: str, scratch: str) -> tuple[Rows, dict[str, Any]]:
    """Task: a build in one process, stage by stage."""
    clock, missing = StageClock(), []
    for stage, module, name in DOORS:
        owner: Any = import_module(module)
        *classes, last = name.split(".")
        for each in classes:
            owner = getattr(owner, each, None)
        function = getattr(owner, last, None)
        if function is None:
            missing.append(f"{module}.{name}")
            continue
        wrap = clock.drawing_from if name in _GENERATORS else clock.calling
        setattr(owner, last, wrap(stage, function))
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        seconds, entries, _ = timed_build(ledger, book, Path(folder) / "built.db", 1)
    rest = seconds - sum(clock.spent.values())
    rows = [(stage, spent, entries) for stage, spent in {**clock.spent, "p.rest": rest}.items()]
    return rows, {"not found": missing}
