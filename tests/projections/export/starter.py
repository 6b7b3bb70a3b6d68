"""Exports started in processes of their own, and killed there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STARTER = """
import json, os, sys
import pyarrow.parquet, sqlite_utils
import commands.verbs.export, commands.verbs.read, projections.export.as_parquet
from commands.cli import run
def die_at(step):
    seen = [0]
    def count(event, args):
        if event in ("open", "os.rename", "os.mkdir", "os.symlink", "os.remove", "os.rmdir"):
            seen[0] += 1
            if seen[0] == step:
                os._exit(9)
    sys.addaudithook(count)
for line in sys.stdin:
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        args, step = json.loads(line)
        if step:
            die_at(step)
        os._exit(run(args))
    print(child, flush=True)
    sys.stdin.readline()  # until then the number is this child's, even if it has ended
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Starts the command line in one process after the other, with everything loaded: only its work takes time."""


class Starter:
    """Starts exports, and kills them after a while."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def start(self, args: list[str], die_at_step: int = 0) -> int:
        """The number of the process; it may be told to die before its n-th step that touches a file or a folder."""
        return self._asked(json.dumps([args, die_at_step]))

    def ended(self) -> int:
        return self._asked("")

    def _asked(self, line: str) -> int:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@contextmanager
def starter() -> Iterator[Starter]:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as it:
        yield Starter(it)
        assert it.stdin
        it.stdin.close()
