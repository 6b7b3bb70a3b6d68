"""Programs that are raced against each other or killed, each a fork of one process that has loaded what they need.

Each is as fresh as one that is started anew: nothing of the ledger was opened before. To load everything takes longer
than most of their work.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final

LOADED: Final = (
    "commands.cli", "commands.verbs.backup", "commands.verbs.close", "commands.verbs.follow", "commands.verbs.lines",
    "commands.verbs.migrate", "commands.verbs.read", "commands.writing.record", "ledger.recorders.postgres.backup",
    "tests.at_once", "tests.builders", "tests.stores",
)  # fmt: skip


class Started:
    """A program under way: what the tests ask of ``subprocess.Popen``."""

    def __init__(self, code: str, args: Sequence[object], *, unbuffered: bool = False) -> None:
        forking = multiprocessing.get_context("forkserver")
        (out, theirs), (err, their_errors) = (forking.Pipe(duplex=False) for _ in range(2))
        told = code, [str(arg) for arg in args], dict(os.environ), theirs, their_errors
        self.process = forking.Process(target=_run, args=told, daemon=True)
        self.process.start()
        for end in (theirs, their_errors):
            end.close()
        how: tuple[Any, ...] = ("rb", 0) if unbuffered else ("r",)
        self.stdout, self.stderr = (os.fdopen(os.dup(end.fileno()), *how) for end in (out, err))

    def wait(self, timeout: float) -> int:
        """How it ended; below zero, the signal that ended it."""
        self.process.join(timeout)
        assert self.process.exitcode is not None, "it has not ended"
        return self.process.exitcode

    @property
    def returncode(self) -> int | None:
        """The same, without waiting; None while it is under way."""
        return self.process.exitcode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """What it said to its end, and what it complained of."""
        with self.stdout, self.stderr:
            said = self.stdout.read(), self.stderr.read()
        self.wait(timeout)
        return said

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()

    def interrupt(self) -> None:
        """SIGINT, as Ctrl-C sends it."""
        assert self.process.pid
        os.kill(self.process.pid, signal.SIGINT)


def started(code: str, *args: object) -> Started:
    """Begin what ``python -c`` does with this code."""
    return Started(code, args)


@contextmanager
def under_way(code: str, *args: object) -> Iterator[Started]:
    """The same, whose output is bytes that can be waited for; in the end it is killed, if it has not ended."""
    process = Started(code, args, unbuffered=True)
    with process.stdout, process.stderr:
        try:
            yield process
        finally:
            process.kill()
            process.wait(60)


def _run(code: str, args: Sequence[str], environment: Mapping[str, str], out: Connection, err: Connection) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, pipe in ((1, out), (2, err)):
        os.dup2(pipe.fileno(), number)
        pipe.close()
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be deaf to it in the background
    sys.argv = ["-c", *args]
    exec(code, {"__name__": "__main__"})
