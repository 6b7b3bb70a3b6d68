"""Ledgers that many tests begin with: recorded once a run, by whichever process needs one first, and copied."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tests import ROOT, stores
from tests.command_line import House, run

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.jsonl"))
FOLDER = "EPISODE_TEST_KEPT"
"""The variable that tells the processes of one run where they are."""


def kept(name: str, make: Callable[[Path], object]) -> Path:
    """The folder of that name as ``make`` fills it; never to be changed."""
    folder = Path(os.environ[FOLDER])
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / name).exists():
            making = folder / f"{name}.making"
            shutil.rmtree(making, ignore_errors=True)  # what a failed test left
            making.mkdir()
            make(making)
            making.rename(folder / name)
    return folder / name


def copied(folder: Path, name: str, make: Callable[[Path], object]) -> None:
    """Fill a folder with a copy of what ``make`` makes, to be changed at will; in PostgreSQL it is made anew,
    and so it is for who is no run of tests."""
    if stores.kind() == "sqlite" and FOLDER in os.environ:
        shutil.copytree(kept(name, make), folder, symlinks=True, dirs_exist_ok=True)
    else:
        make(folder)


def house(folder: Path, name: str, tell: Callable[[House], object], book: str = "book") -> House:
    """A house in a folder with what ``tell`` tells it, its read model as it was left then."""
    copied(folder, name, lambda empty: tell(House(empty)))
    return House.at(folder, book)


def documented(folder: Path) -> House:
    """The examples of the documentation, read against the packaged book."""
    return house(folder, "documented", _tell_documented)


def _tell_documented(house: House) -> None:
    for intake in EXAMPLES:
        assert run("--ledger", house.ledger, "record", "--keep-recorded-at", intake).status == 0
    assert run("--ledger", house.ledger, "status").status == 0
