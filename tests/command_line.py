"""The command line run in this process, its output caught as bytes; and small histories told by hand."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple, Self
from unittest.mock import patch

from commands import cli
from tests import stores

Told = dict[str, Any]

EXAMPLE = Path(__file__).parent / "golden" / "example"
BOOK = EXAMPLE / "book"
INTAKE = EXAMPLE / "intake.jsonl"
OPENING = {"type": "EpisodeOpened", "patient": "P-1", "provider": "1234567893", "zone": "America/Chicago"}
SERVED = {"type": "DayServed", "order": "RX-1", "date": "2026-02-02"}
ANYWAY = ("--anyway", "the claims follow")
"""Closes a month though something is open in it."""
COMMAND = "from episode_ledger.__main__ import main; main()"
LIVE = [sys.executable, "-c", COMMAND]
"""The command line as a process of its own."""


def interruptible() -> None:
    """For ``preexec_fn``: a process started in the background is deaf to SIGINT, and so would be what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def forked(act: Callable[[], int]) -> int:
    """Start a copy of this process for one act; its number. Whatever happens there, it never goes on with the tests."""
    child = os.fork()
    if child:
        return child
    try:
        os._exit(act())
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(70)


def status_of(child: int) -> int:
    """How a copy of this process ended."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    status: int
    out: bytes
    err: str

    @property
    def rows(self) -> list[Any]:
        """What it printed as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


class _Screen(io.TextIOWrapper):
    tty = False

    def isatty(self) -> bool:
        return self.tty


class _Terminal(_Screen):
    tty = True


def run(*args: object, stdin: bytes = b"", tty: bool = False, env: dict[str, str] | None = None) -> Ended:
    """One command, without the variables of this environment; a path stands for a ledger of the tests' store."""
    if args[:1] == ("--ledger",) and isinstance(args[1], Path):
        if "record" in args:
            stores.make(args[1])
        args = (*stores.placed(args[1]), *args[2:])
        env = stores.told_of_the_key() | (env or {})
    out = (_Terminal if tty else _Screen)(io.BytesIO(), encoding="utf-8")
    err = io.StringIO()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("EPISODE_")} | (env or {})
    typed = io.TextIOWrapper(io.BytesIO(stdin))
    here = patch.dict(os.environ, plain, clear=True), patch.object(sys, "stdin", typed)
    with here[0], here[1], redirect_stdout(out), redirect_stderr(err):
        status = cli.run([str(arg) for arg in args])
    out.flush()
    return Ended(status, out.buffer.getvalue(), err.getvalue())  # type: ignore[attr-defined]


class House:
    """A ledger and a book in a folder, and the command line over both."""

    def __init__(self, folder: Path) -> None:
        self._settle(folder, "book")
        shutil.copytree(BOOK, self.book)

    @classmethod
    def at(cls, folder: Path, book: str = "book") -> Self:
        """The one that stands in a folder already."""
        house = cls.__new__(cls)
        house._settle(folder, book)
        return house

    def _settle(self, folder: Path, book: str) -> None:
        self.folder, self.ledger, self.views = folder, folder / "ledger.db", stores.views_of(folder / "ledger.db")
        self.book = folder / book

    @property
    def placed(self) -> list[str]:
        """How a command is told of the ledger alone; the book is then the one in the package."""
        return stores.placed(self.ledger)

    @property
    def named(self) -> list[str]:
        """How a command is told of both."""
        return [*self.placed, "--book", str(self.book)]

    def run(self, *args: object, **more: Any) -> Ended:
        """One command."""
        if args and args[0] == "record":
            stores.make(self.ledger)
        return run(*self.named, *args, env=stores.told_of_the_key() | (more.pop("env", None) or {}), **more)

    def tell(self, *told: Told, **more: Any) -> Ended:
        """Record lines given on standard input."""
        return self.run("record", "-", *more.pop("options", ()), stdin=lines_of(told), **more)


def told(id: str, fact: Told = SERVED, **changes: Any) -> Told:
    """One line of intake."""
    return {"episode": "EP-1", "source": "pump", "id": id, "by": "rn-1", "fact": fact} | changes


def lines_of(many: Any) -> bytes:
    """Lines as a file."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in many)


def example(episode: str = "EP-1", patient: str = "P-1") -> list[Told]:
    """The shared example, told of another episode and patient."""
    entries = [json.loads(line) for line in INTAKE.read_text(encoding="utf-8").splitlines()]
    entries[0]["fact"]["patient"] = patient
    return [entry | {"episode": episode} for entry in entries]


@contextmanager
def ordinary_user() -> Iterator[Path]:
    """A folder whose rights count, even where the tests run as root; everything needed is loaded before."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        house = House(folder)
        house.run("record", INTAKE)
        house.run("days", "--format", "table")
        if os.geteuid() != 0:
            yield folder
            return
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, 65534, 65534)
        os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(0)


def assert_plain(ended: Ended, status: int, *words: str) -> None:
    """It ended with that status, and said so in one line and one hint, with these words, and printed nothing."""
    lines = ended.err.splitlines()
    assert ended.status == status, ended
    assert len(lines) == 2, ended.err
    assert lines[0].startswith("episode-ledger: ")
    assert lines[1].startswith("hint: ")
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.err
    assert ended.out == b""
