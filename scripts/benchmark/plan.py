"""What is run in a round, group by group, and the rounds."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from benchmark import server
from benchmark.commands import OVER_ALL
from benchmark.figures import Figures, Row
from benchmark.inputs import Inputs
from benchmark.process import TaskFailed, run

STOCK_ENTRIES: Final = 50_000
PROCESSES: Final = (1, 2)


class Trial(NamedTuple):
    """A task with its arguments; trials that name the same ``proof`` must come to the same fingerprints."""

    task: str
    args: dict[str, Any]
    proof: str | None = None
    takes_turn: bool = False


class Bench:
    """One size of ledger: its trials, and what came out."""

    def __init__(
        self, inputs: Inputs, scratch: Path, groups: Sequence[str], say: Callable[[str], None], server: str = ""
    ) -> None:
        self.inputs, self.scratch, self.say, self.server = inputs, scratch, say, server
        self.figures = Figures()
        self.told: dict[str, Any] = {}
        self.proofs: dict[str, Any] = {}
        self.trials: list[Trial] = []
        makers = {"a": self._floor, "b": self._ours, "c": self._stock, "d": self._append, "e": self._server,
                  "f": self._over_all, "s": self._safety,
                  "p": self._profile}  # fmt: skip
        for group in groups:
            self.trials += makers[group]()

    def rounds(self, count: int) -> None:
        """Every trial once a round, in the order of the list and backwards by turns: drift hits all alike."""
        for turn in range(count):
            self.say(f"{self.inputs.entries:,} events, round {turn + 1} of {count}")
            for trial in self.trials if turn % 2 == 0 else reversed(self.trials):
                self._run(trial, turn)

    def _run(self, trial: Trial, turn: int) -> None:
        args = trial.args | ({"turn": turn} if trial.takes_turn else {})
        answer = run(trial.task, **args)
        for key, seconds, count in answer.rows:
            self.figures.add(Row(key, seconds, count, answer.peak_mb if trial.proof else None))
        told = dict(answer.told)
        if told.get("outcome", "equal") != "equal":
            raise TaskFailed(f"the rebuilt rows are not those before ({told['outcome']})")
        found = told.pop("fingerprints", None)
        if trial.proof and self.proofs.setdefault(trial.proof, found) != found:
            raise TaskFailed(f"{trial.task} {trial.args} made other rows than those before it")
        self.told |= {f"{key} ({trial.task})": value for key, value in told.items() if value and key != "outcome"}

    def _files(self) -> dict[str, Any]:
        return {"ledger": self.inputs.ledger, "book": self.inputs.book}

    def _folder(self, name: str) -> Path:
        folder = self.scratch / name
        folder.mkdir()
        return folder

    def _floor(self) -> list[Trial]:
        args = {"ledger": self.inputs.ledger, "entries": self.inputs.entries}
        return [Trial("reading:scan", args), Trial("reading:decode", args)]

    def _ours(self) -> list[Trial]:
        self.say("Building the read model that rebuilds are compared with")
        views = self._folder("views") / "ledger.views.db"
        first = run("reading:rebuild", **self._files(), views=views, processes=2, key="b.rebuild.2")
        self.proofs["whole"] = first.told["fingerprints"]
        files = self._files()
        builds = [
            Trial("reading:build", files | {"scratch": self.scratch, "processes": n, "key": f"b.build.{n}"}, "whole")
            for n in PROCESSES
        ]
        rebuilds = [
            Trial("reading:rebuild", files | {"views": views, "processes": n, "key": f"b.rebuild.{n}"}, "whole")
            for n in PROCESSES
        ]
        return [*builds, *rebuilds, *self._moments(views)]

    def _moments(self, views: Path) -> list[Trial]:
        late = self._folder("late")
        ledger, model = late / "ledger.db", late / "ledger.views.db"
        shutil.copy(self.inputs.ledger, ledger)
        shutil.copy(views.resolve(), model)
        files = {"ledger": ledger, "book": self.inputs.book}
        program = [*_program()]
        trials = [
            Trial("moments:catch_up", files | {"views": model}, takes_turn=True),
            Trial("moments:why", self._files(), takes_turn=True),
            Trial("moments:why_command", self._files() | {"program": program}, takes_turn=True),
        ]
        for key, words in self._commands():
            trials.append(Trial("moments:command", files | {"program": program, "words": words, "key": key}))
        return trials

    def _commands(self) -> Iterator[tuple[str, list[str]]]:
        yield "b.command", ["rebuild", "--processes", "2"]
        if find_spec("projections.rebuild.what_if"):
            change = run("moments:some_change", book=self.inputs.book).told["change"]
            yield "b.what-if", ["what-if", "--set", change, "--by", "payer"]

    def _stock(self) -> list[Trial]:
        self.say("Recording the same entries into a stock application")
        folder = self._folder("stock")
        subset, stock = folder / "subset.db", folder / "stock.db"
        made = run("stock:prepare", ledger=self.inputs.ledger, subset=subset, stock=stock, most=STOCK_ENTRIES)
        self.told["entries that the stock path reads"] = made.told["entries"]
        args = {"stock": stock, "subset": subset, "book": self.inputs.book, "scratch": self.scratch}
        return [
            Trial("stock:judged_from", args | {"source": source, "key": f"c.{source}"}, "subset")
            for source in ("ours", "log", "repository")
        ]

    def _append(self) -> list[Trial]:
        args = {"ledger": self.inputs.ledger, "scratch": self.scratch}
        return [Trial("append:one_by_one", args), Trial("append:in_batches", args)]

    def _server(self) -> list[Trial]:
        ledger = server.prepare(self.server, self.inputs, self.say)
        args = {"ledger": ledger, "book": self.inputs.book, "scratch": self.scratch}
        builds = [Trial("reading:build", args | {"processes": n, "key": f"e.build.{n}"}, "whole") for n in PROCESSES]
        return [Trial("server:copy", {"ledger": ledger, "entries": self.inputs.entries}), *builds]

    def _over_all(self) -> list[Trial]:
        folder = self._folder("commands")
        ledger, program = folder / "ledger.db", _program()
        shutil.copy(self.inputs.ledger, ledger)
        files = {"program": program, "ledger": ledger, "book": self.inputs.book}
        whole = {"scratch": self.scratch, "entries": self.inputs.entries}
        return [
            *(Trial("commands:over_all", files | whole | {"key": key}) for key in OVER_ALL),
            Trial("commands:replay", {"program": program, "book": self.inputs.book} | whole),
            Trial("commands:help_page", {"program": program}),
            Trial("commands:worklist", files),
        ]

    def _safety(self) -> list[Trial]:
        args = {"ledger": self.inputs.ledger}
        return [Trial("safety:tables", args | {"scratch": self.scratch}), Trial("safety:checks", args)]

    def _profile(self) -> list[Trial]:
        return [Trial("stages:profile", self._files() | {"scratch": self.scratch})]


def _program() -> list[str]:
    """How the command line is started in this environment."""
    beside = Path(sys.executable).with_name("episode-ledger")
    return [str(beside)] if beside.exists() else [sys.executable, "-c", "from commands.cli import main; main()"]


@contextmanager
def bench(
    inputs: Inputs, work: Path, groups: Sequence[str], runs: int, say: Callable[[str], None], server: str = ""
) -> Iterator[Bench]:
    """Everything measured on one ledger, with what it needs on disk meanwhile."""
    with TemporaryDirectory(prefix="scratch-", dir=work) as scratch:
        made = Bench(inputs, Path(scratch), groups, say, server)
        made.rounds(runs)
        yield made
