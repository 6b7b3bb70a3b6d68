"""Exports started in processes of their own, and killed there. The process that starts them is kept for all tests."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests import ROOT

DIE_AT = """
import os, sys
def die_at(step):
    seen = [0]
    def count(event, args):
        if event in ("open", "os.rename", "os.mkdir", "os.symlink", "os.remove", "os.rmdir"):
            seen[0] += 1
            if seen[0] == step:
                os._exit(9)
    sys.addaudithook(count)
    return seen
"""
"""Has its process die before its n-th step that touches a file; gives how many there were so far."""
STARTER = f"""{DIE_AT}
import gc, json
import pyarrow.parquet, sqlite_utils
import commands.verbs.export, commands.verbs.page, commands.verbs.read, commands.verbs.report
import projections.export.as_parquet, projections.page.html, projections.report.html
from commands.cli import run
from ledger.book.files import load_book
from tests import books_read
from tests.command_line import BOOK
books_read.once_a_process()
load_book(BOOK)
projections.page.html._template()
projections.report.html._template()
gc.freeze()  # so that a child's collector copies nothing
for line in sys.stdin:
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        args, step, environment, counted = json.loads(line)
        os.environ.clear()
        os.environ.update(environment)
        seen = die_at(step) if step or counted else [0]
        status, steps = run(args), seen[0]
        if counted:
            open(counted, "w").write(str(steps))
        os._exit(status)
    print(child, flush=True)
    sys.stdin.readline()  # until then the number is this child's, even if it has ended
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Starts the command line in one process after the other, with everything loaded and the book and the templates read:
only its work takes time."""


class Starter:
    """Starts exports, and kills them after a while."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def start(self, args: list[str], die_at_step: int = 0, counted: str = "") -> int:
        """The number of the process; it may be told to die before its n-th step that touches a file or a folder."""
        return self._asked(json.dumps([args, die_at_step, dict(os.environ), counted]))

    def steps(self, args: list[str], note: Path) -> int:
        """How many such steps there are, noted in a file."""
        self.start(args, counted=str(note))
        assert self.ended() == 0
        return int(note.read_text())

    def ended(self) -> int:
        return self._asked("")

    def _asked(self, line: str) -> int:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@cache
def starter() -> Starter:
    """The one of this process."""
    command = [sys.executable, "-c", STARTER]
    it = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    atexit.register(_end, it)
    return Starter(it)


def _end(it: subprocess.Popen[str]) -> None:
    assert it.stdin
    it.stdin.close()
    it.wait()
