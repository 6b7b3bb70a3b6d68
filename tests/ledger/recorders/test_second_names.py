"""A ledger with two names, or one where locks do nothing, is not opened or not made: entries would be lost."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.files import locks_hold
from tests.command_line import INTAKE, LIVE, House, assert_plain, run

pytestmark = pytest.mark.sqlite_file

SHIM = Path(__file__).with_name("shim_locks.c")


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    assert made.run("record", INTAKE).status == 0
    return made


COMMANDS = (
    ("record", INTAKE), ("days",), ("status",), ("verify",), ("backup", "--out", "x.backup"), ("doctor",), ("rebuild",),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
def test_a_ledger_with_a_second_name_is_opened_by_neither(
    house: House, monkeypatch: pytest.MonkeyPatch, command: tuple[object, ...]
) -> None:
    monkeypatch.chdir(house.folder)
    (house.folder / "elsewhere").mkdir()
    second = house.folder / "elsewhere" / "second.db"
    second.hardlink_to(house.ledger)
    for name in (house.ledger, second):
        ended = run("--ledger", str(name), *command)
        assert ended.status == (1 if command == ("doctor",) else 3), ended
        assert "second name" in ended.err + ended.out.decode()
    second.unlink()
    assert run("--ledger", str(house.ledger), *command).status == 0


def test_a_symbolic_link_is_no_second_name(house: House) -> None:
    link = house.folder / "link.db"
    link.symlink_to(house.ledger)
    assert run("--ledger", str(link), "record", INTAKE).status == 0
    assert run("--ledger", str(link), "verify").status == 0


def test_locks_are_found_to_hold_and_nothing_is_left_of_the_look(tmp_path: Path) -> None:
    assert locks_hold(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["lockf", "flock"])
def test_where_either_kind_of_lock_does_nothing_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(fcntl, kind, lambda *args: None)
    assert not locks_hold(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def lockless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine whose locks do nothing."""
    built = tmp_path_factory.mktemp("shim") / "locks.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", built, SHIM, "-ldl"], check=True)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("EPISODE_")}
    return plain | {"LD_PRELOAD": str(built)}


Live = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def live(lockless: dict[str, str]) -> Live:
    def command(*args: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*LIVE, *map(str, args)], env=lockless, capture_output=True, text=True, check=False)

    return command


def test_where_locks_do_nothing_no_ledger_is_made(tmp_path: Path, live: Live) -> None:
    ended = live("--ledger", tmp_path / "new.db", "record", INTAKE)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "writers would lose each other's entries" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_of_one_that_was_moved_there_doctor_says_so(house: House, live: Live) -> None:
    assert run("--ledger", str(house.ledger), "doctor").status == 0
    ended = live("--ledger", house.ledger, "doctor", "--format", "csv")
    assert ended.returncode == 1
    assert "locks,wrong," in ended.stdout


def test_a_folder_that_cannot_be_written_to_is_told_as_ever(tmp_path: Path) -> None:
    assert_plain(run("--ledger", str(tmp_path / "missing" / "new.db"), "record", INTAKE), 2, "does not exist")
