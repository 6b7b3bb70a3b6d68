"""The example book: said when it is first used, and asked for by name once the ledger's payers are not in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.book.example import FIRST_USE
from tests.command_line import BOOK, INTAKE, OPENING, Told, assert_plain, lines_of, run, told

pytestmark = pytest.mark.sqlite_file

READS = (
    ("days",), ("findings",), ("lines",), ("status",), ("report",), ("why", "EP-1", "2026-02-02"), ("replay", "EP-1"),
    ("diff", "--claimed", "--all"), ("rebuild",), ("close", "2026-01"),
    ("what-if", "--set", "prairie-blue.line_max_days=7"),
    ("page", "EP-1"), ("days", "--known-at", "2098-01-01T00:00Z"),
)  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def covered(payer: str, id: str = "coverage", episode: str = "EP-1") -> Told:
    fact = {"type": "CoverageVerified", "payer": payer, "member": "M-1", "from": "2026-01-01"}
    return told(id, fact, episode=episode)


def tell(*lines: Told) -> str:
    ended = run("record", "-", stdin=lines_of(lines))
    assert ended.status == 0
    return ended.err


def test_the_first_use_is_said_once_in_one_sentence(here: Path) -> None:
    assert FIRST_USE in run("record", INTAKE).err.splitlines()
    assert FIRST_USE not in run("record", INTAKE).err
    assert run("days").err == ""


@pytest.mark.parametrize("named", [("--book", str(BOOK)), ("--example-book",)])
def test_where_a_book_is_named_nothing_is_said(here: Path, named: tuple[str, ...]) -> None:
    assert FIRST_USE not in run(*named, "record", INTAKE).err


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_a_ledger_of_other_payers_is_not_judged_by_it_unasked(here: Path, command: tuple[str, ...]) -> None:
    tell(told("opening", OPENING), covered("hpl"))
    assert_plain(run(*command), 2, "no payer of this ledger is in the example book", "--book DIR", "--example-book")
    assert run("--example-book", *command).status in (0, 1)
    assert run(*command, env={"EPISODE_EXAMPLE_BOOK": "1"}).status in (0, 1)
    assert run("--book", BOOK, *command).status in (0, 1)


def test_recording_and_proving_need_no_book(here: Path) -> None:
    tell(told("opening", OPENING), covered("hpl"))
    assert "no payer of this ledger is in the example book" in tell(covered("hpl", "again"))
    assert run("verify").status == 0


def test_medicare_alone_makes_no_ledger_the_examples(here: Path) -> None:
    tell(told("opening", OPENING), covered("medicare"))
    assert run("days").status == 0
    tell(covered("hpl", "second"))
    assert run("days").status == 2


def test_one_payer_of_the_example_is_enough(here: Path) -> None:
    tell(told("opening", OPENING), covered("hpl"), covered("prairie-blue", "second"))
    assert run("days").status == 0


def test_a_ledger_without_coverage_is_judged(here: Path) -> None:
    tell(told("opening", OPENING))
    assert run("days").status == 0


def test_both_ways_to_name_a_book_contradict_each_other(here: Path) -> None:
    assert_plain(run("--book", BOOK, "--example-book", "days"), 2, "--example-book")


def test_the_doctor_says_it_too(here: Path) -> None:
    tell(told("opening", OPENING), covered("hpl"))
    (row,) = [row for row in run("doctor").rows if row["check"] == "book"]
    assert row["state"] == "wrong"
    assert "example book" in row["says"]
