"""A closed stream, a path whose bytes are no text, a name too long: one plain sentence, and nothing half done."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.command_line import INTAKE, LIVE, House
from tests.stores import named

pytestmark = [pytest.mark.process, pytest.mark.sqlite_file]


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    assert made.run("record", "--no-effect", INTAKE).status == 0
    return made


def shell(house: House, rest: str, *command: object) -> subprocess.CompletedProcess[bytes]:
    """A command of the house's ledger with its streams redirected as a shell does."""
    parts = [*LIVE, *house.placed, *map(str, command)]
    return subprocess.run(["bash", "-c", f'"$@" {rest}', "bash", *parts], capture_output=True, check=False)


@pytest.mark.parametrize("verb", [["days"], ["status"], ["why", "EP-1", "2026-02-02"], ["record", INTAKE], ["--help"]])
def test_where_the_output_is_closed_that_is_said_and_nothing_is_done(house: House, verb: list[str]) -> None:
    before = house.ledger.read_bytes()
    ended = shell(house, ">&-", *verb)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[0].startswith(b"episode-ledger: standard output is closed")
    assert house.ledger.read_bytes() == before


def test_without_a_place_for_messages_the_answer_is_the_same(house: House) -> None:
    ended = shell(house, "2>&-", "days")
    assert (ended.returncode, ended.stdout) == (0, shell(house, "", "days").stdout)
    assert ended.stdout


def test_without_an_input_there_is_nothing_to_record(house: House) -> None:
    ended = shell(house, "<&-", "record", "-")
    assert (ended.returncode, ended.stdout) == (0, b"")


@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_a_ledger_whose_name_is_no_text_is_looked_at_like_any_other(house: House, form: str) -> None:
    odd = house.folder / "odd\udcff.db"
    house.ledger.rename(odd)
    ended = house.run("--ledger", named(odd), "status", "--format", form)
    assert ended.status == 0
    assert ended.out.decode()


@pytest.mark.parametrize("command", [["page", "EP-1"], ["report"]])
def test_a_name_too_long_is_told_as_one(house: House, command: list[str]) -> None:
    ended = house.run(*command, "--out", house.folder / ("a" * 300))
    assert ended.status == 2
    assert ended.err.splitlines()[-1] == "hint: give a shorter name"
