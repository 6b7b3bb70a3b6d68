"""Processes that are killed or failed: a small server imports everything once and forks one for each act.

The test process talks to it over a pipe in lines of JSON, and keeps it for all its fires: to load everything takes
longer than most of them. Under the shim (tests/fire/shim.c) a process can be armed: its writes and syncs are noted in
a file, or fail.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from tests import stores

ROOT = Path(__file__).resolve().parent.parent.parent
SHIM_SOURCE = Path(__file__).with_name("shim.c")
SCRATCH = "/dev/shm"


class Arms(NamedTuple):
    """What the shim does in a process: where it notes, and which operation fails with which error."""

    prefix: str
    notes: str | None = None
    kind: str = ""
    nth: int = 0
    error: int = 0
    for_good: bool = False
    room: int = -1


def build_shim(folder: Path) -> Path:
    """The shim, compiled; it fails clearly where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "a C compiler is needed for the fire tests: apt-get install gcc libc6-dev"
    library = folder / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SHIM_SOURCE), "-ldl"], check=True)
    return library


class Act:
    """One process on the stage, and what it left."""

    def __init__(self, stage: Stage, number: int, out: Path, err: Path) -> None:
        self.stage, self.number, self.out, self.err = stage, number, out, err

        self.took = 0.0

    def send(self, number: signal.Signals = signal.SIGKILL) -> None:
        """A signal; it is not yet waited for, so the number is still its own."""
        os.kill(self.number, number)

    def wait(self) -> int:
        """Its exit status; below zero, the signal that ended it. Then ``took`` is its processor time in seconds."""
        status, self.took = self.stage.ask({"wait": self.number})
        return int(status)

    @property
    def said(self) -> bytes:
        """What it printed."""
        return self.out.read_bytes()

    @property
    def complained(self) -> str:
        """What it said beside its output."""
        return self.err.read_text(encoding="utf-8")


class Stage:
    """Forks acts; a context manager."""

    def __init__(self, folder: Path, *, shim: bool = False) -> None:
        self.folder, self.server, self.acts = folder, _server(shim, os.environ.get("TMPDIR", "")), 0

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error:  # a question may be without its answer
            _server.cache_clear()
            _end(self.server)

    def ask(self, what: dict[str, Any]) -> Any:
        """One question, one answer."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(what) + "\n")
        self.server.stdin.flush()
        return json.loads(self.server.stdout.readline())

    def start(self, act: str, arms: Arms | None = None, tuned: dict[str, Any] | None = None, **told: Any) -> Act:
        """Begin an act in a process of its own."""
        self.acts += 1
        out, err = self.folder / f"out-{self.acts % 50}", self.folder / f"err-{self.acts % 50}"
        out.write_bytes(b"")
        err.write_bytes(b"")
        store = {stores.STORE: stores.kind(), **stores.told_of_the_key()}
        asked = {"act": act, "told": told, "out": str(out), "err": str(err), "arms": arms, "tuned": tuned or {},
                 "store": store, "folder": str(self.folder)}  # fmt: skip
        return Act(self, int(self.ask(asked)), out, err)

    def run(
        self, act: str, arms: Arms | None = None, tuned: dict[str, Any] | None = None, **told: Any
    ) -> tuple[int, Act]:
        """Do an act to its end."""
        started = self.start(act, arms, tuned, **told)
        return started.wait(), started


@cache
def _server(shim: bool, passing: str) -> subprocess.Popen[str]:
    """The server of this process, with or without the shim; it ends with this process. SQLite asks once where passing
    files are."""
    loaded: dict[str, str] = {}
    if shim:
        folder = Path(tempfile.mkdtemp(prefix="shim-", dir=scratch()))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        loaded["LD_PRELOAD"] = str(build_shim(folder))
    env = {name: value for name, value in os.environ.items() if not name.startswith(("EPISODE_", "COV_"))}
    env |= {"PYTHONPATH": str(ROOT)} | loaded
    program = [sys.executable, "-m", "tests.fire.stage"]
    server = subprocess.Popen(program, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[str]) -> None:
    assert server.stdin is not None
    server.stdin.close()
    server.wait()


def scratch() -> Path | None:
    """Where there is memory for files that need not outlive the machine: SIGKILL spares the page cache all the same."""
    return Path(SCRATCH) if os.access(SCRATCH, os.W_OK) else None


def _arm(arms: list[Any]) -> None:
    prefix, notes, kind, nth, error, for_good, room = arms
    descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if notes else -1
    library = ctypes.CDLL(None)
    library.fire_arm.argtypes = (
        [ctypes.c_char_p] + [ctypes.c_int] * 2 + [ctypes.c_long] + [ctypes.c_int] * 2 + [ctypes.c_long]
    )
    library.fire_arm(prefix.encode(), descriptor, ord(kind) if kind else 0, nth, error, int(for_good), room)


def _killed_after(seconds: float) -> None:
    """SIGKILL from the system after so much processor time: a moment of the work, however busy the machine is."""
    library, timer, clock_of_the_process = ctypes.CDLL(None), ctypes.c_void_p(), 2
    event = (ctypes.c_int * 16)(0, 0, signal.SIGKILL, 0)
    at = (ctypes.c_long * 4)(0, 0, int(seconds), int(seconds % 1 * 1e9))
    assert library.timer_create(clock_of_the_process, event, ctypes.byref(timer)) == 0
    assert library.timer_settime(timer, 0, at, None) == 0


def _child(asked: dict[str, Any]) -> int:
    from tests.fire import acts

    out, err = Path(asked["out"]), Path(asked["err"])
    tuned = asked["tuned"]
    os.chdir(asked["folder"])
    os.environ |= asked["store"]
    if "batch" in tuned:
        acts.in_small_batches(tuned["batch"], tuned.get("checkpoint_pages", 30))
    if "claims_in_a_file" in tuned:
        acts.in_small_files(tuned["claims_in_a_file"])
    if "synchronous" in tuned:
        acts.waiting_for_the_disk(tuned["synchronous"])
    for descriptor, file in ((1, out), (2, err)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    if asked["arms"]:
        _arm(asked["arms"])
    if "killed_after" in tuned:
        _killed_after(tuned["killed_after"])
    return acts.perform(asked["act"], asked["told"])


def _serve() -> None:
    from tests.fire import acts

    assert acts.ACTS
    acts.warm()
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            _, status, used = os.wait4(asked["wait"], 0)
            answer: Any = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        else:
            answer = os.fork()
            if not answer:
                status = 70
                try:
                    status = _child(asked)
                finally:
                    os._exit(status)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve()
