"""A benchmark whose tasks, commands and helpers are forks of one process that has loaded what they need.

    python -m tests.bench_by_forking bench [argument...]
    python -m tests.bench_by_forking bench_archive [argument...]

To load the program takes longer than most of what they do with a small ledger. How they are started otherwise is shown
by the benchmark of chosen groups, by the archive that is made, and by the site that is asked.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import IO, Any, Final

from tests import ROOT
from tests.helper_processes import LOADED, spawned_by

SCRIPTS: Final = ROOT / "scripts"
STARTED: Final = ("archive",)
"""Commands of bench_archive that are started as ever."""
HEAVY: Final = ("serve", "users")
"""Verbs that no benchmark runs as a command."""


def in_a_fork(work: Callable[[], int], out: int, err: int) -> int:
    """Do it in a fork that writes there; the fork's id."""
    if pid := os.fork():
        return pid
    status = 70
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
        status = work()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def task(name: str, **args: Any) -> Any:
    """What ``benchmark.process.run`` does in a process of its own."""
    process, tasks = import_module("benchmark.process"), import_module("benchmark.task")

    def work() -> int:
        given, text = os.pipe()
        os.write(text, json.dumps(args, default=str).encode())
        os.close(text)
        os.dup2(given, 0)
        sys.stdin, sys.argv = os.fdopen(0), ["task", name]
        tasks.main()
        return 0

    with tempfile.TemporaryFile("w+") as answer:
        pid = in_a_fork(work, answer.fileno(), 2)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
            raise process.TaskFailed(name)
        answer.seek(0)
        made = json.load(answer)
    return process.Answer([tuple(row) for row in made["rows"]], made["told"], made["own_peak_mb"])


class Command:
    """A command of the program in a fork: what the benchmarks ask of ``subprocess.Popen``."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self.out: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed when it was read
        self.err: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed when it was read
        self.returncode = 0

        def work() -> int:
            os.environ.clear()
            os.environ.update(environment)
            try:
                import_module("commands.cli").main(words)
            except SystemExit as ended:
                return int(ended.code or 0)
            return 70

        self.pid = in_a_fork(work, self.out.fileno(), self.err.fileno())

    def communicate(self) -> tuple[bytes, bytes]:
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        with self.out, self.err:
            self.out.seek(0)
            self.err.seek(0)
            return self.out.read(), self.err.read()


def words_of(command: list[str]) -> list[str]:
    """Without how the program is named."""
    return command[3:] if command[1:2] == ["-m"] else command[1:]


def popen(command: list[str], env: dict[str, str], **streams: Any) -> Any:
    """For ``bench_archive``."""
    if any(each in command for each in STARTED):
        return subprocess.Popen(command, env=env, **streams)
    return Command(words_of(command), env)


def run(command: list[str], check: bool = False, env: dict[str, str] | None = None, **_: Any) -> SimpleNamespace:
    """For the commands that a task types."""
    started = Command(words_of(command), env or dict(os.environ))
    out, err = started.communicate()
    if check and started.returncode:
        raise subprocess.CalledProcessError(started.returncode, command, out, err)
    return SimpleNamespace(returncode=started.returncode, stdout=out, stderr=err)


def main(script: str) -> int:
    """Load, and run the script."""
    sys.path[:0] = [str(SCRIPTS), str(ROOT)]
    verbs = import_module("commands.verbs.verb_list").VERBS
    for verb in verbs.keys() - set(HEAVY):
        import_module(f"commands.verbs.{verbs[verb].module}")
    for name in LOADED:
        import_module(name)
    spawned_by(multiprocessing.get_context("fork"))
    whole = {name: getattr(subprocess, name) for name in ("PIPE", "STDOUT", "DEVNULL", "CalledProcessError")}
    for name in ("commands", "moments"):
        import_module(f"benchmark.{name}").subprocess = SimpleNamespace(run=run, **whole)  # type: ignore[attr-defined]
    for name in ("inputs", "plan"):
        import_module(f"benchmark.{name}").run = task  # type: ignore[attr-defined]
    bench = runpy.run_path(str(SCRIPTS / script), run_name=script)
    if script == "bench_archive":
        bench["main"].__globals__["subprocess"] = SimpleNamespace(Popen=popen, run=run, **whole)
    status: int = bench["main"]()
    return status


if __name__ == "__main__":
    chosen = sys.argv[1]
    del sys.argv[1]
    sys.exit(main(chosen))
