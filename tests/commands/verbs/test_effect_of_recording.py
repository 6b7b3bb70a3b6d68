"""``record --dry-run``, and what is said of the effect after a real run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from commands.recording import effect
from tests.command_line import LIVE, SERVED, House, assert_plain, example, told

LAST = "2026-02-11"


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The shared example, of which its last day served is not told yet."""
    made = House(tmp_path)
    assert made.tell(*example()).status == 0
    return made


def more() -> list[dict[str, object]]:
    return [told("more", SERVED | {"date": "2026-02-19"}), told("bad", {"type": "DayServed"})]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and "-shm" not in path.name}


def test_a_dry_run_prints_the_outcomes_of_the_real_run_and_its_effect(house: House) -> None:
    before = house.run("days").out
    tried = house.tell(*more(), options=("--dry-run",))
    assert house.run("days").out == before
    done = house.tell(*more())
    assert (tried.status, tried.out) == (done.status, done.out)
    first, *rest = tried.err.splitlines()
    assert first == "Nothing was recorded; it would be: 1 recorded, 0 duplicate, 1 refused"
    assert done.err.splitlines() == ["1 recorded, 0 duplicate, 1 refused", *rest]
    assert any(line.startswith("  EP-1 2026-02-19: ") for line in rest)
    assert house.run("days").out != before


@pytest.mark.sqlite_file
def test_a_dry_run_leaves_no_file_behind(house: House) -> None:
    before = files(house.folder)
    assert house.tell(*more(), options=("--dry-run",)).status == 1
    assert files(house.folder) == before
    assert [path for path in house.folder.iterdir() if "rehearsal" in path.name] == []


@pytest.mark.sqlite_file
def test_a_dry_run_without_a_ledger_makes_none(tmp_path: Path) -> None:
    house = House(tmp_path)
    ended = house.tell(*example(), options=("--dry-run",))
    assert ended.status == 0
    assert [row["outcome"] for row in ended.rows] == ["recorded"] * len(example())
    assert "no day → billable" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


@pytest.mark.sqlite_file
@pytest.mark.process
def test_what_a_killed_dry_run_left_is_cleared_by_the_next(house: House) -> None:
    command = [*LIVE, "--ledger", str(house.ledger), "record", "--dry-run", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=house.folder) as running:
        while not list(house.folder.glob("ledger.views.rehearsal-*/rehearsal.db")):
            os.sched_yield()
        running.kill()
    assert list(house.folder.glob("ledger.views.rehearsal-*"))
    house.tell(*more(), options=("--dry-run",))
    assert list(house.folder.glob("ledger.views.rehearsal-*")) == []


def test_a_feed_is_told_nothing_of_the_effect(house: House) -> None:
    for options in (("--no-effect",), ("--no-effect", "--dry-run")):
        ended = house.tell(*more(), options=options)
        assert len(ended.err.splitlines()) == 1


def test_nothing_is_said_where_nothing_was_recorded(house: House) -> None:
    assert house.tell(*example()).err == f"0 recorded, {len(example())} duplicate, 0 refused\n"
    assert len(house.tell(*example(), options=("--dry-run",)).err.splitlines()) == 1
    note = told("note", {"type": "ResponseNoted", "date": "2026-02-02"})
    assert house.tell(note).err.splitlines()[1:] == ["No day, finding or claim changes."]


def test_the_whole_effect_goes_to_a_file_for_programs(house: House, tmp_path: Path) -> None:
    for name, options in (("tried", ("--dry-run",)), ("done", ())):
        assert house.tell(*more(), options=("--effect-to", str(tmp_path / name), *options)).status == 1
    assert (tmp_path / "tried").read_bytes() == (tmp_path / "done").read_bytes()
    rows = [json.loads(line) for line in (tmp_path / "done").read_text().splitlines()]
    assert rows[0]["effect"] == "days"
    assert rows[0]["episode"] == "EP-1"
    assert {row["effect"] for row in rows} <= {"days", "finding", "claim", "dollars"}
    again = house.tell(told("more still"), options=("--effect-to", str(tmp_path / "done")))
    assert_plain(again, 2, "is there already")


def test_the_file_and_no_effect_contradict_each_other(house: House) -> None:
    assert_plain(house.tell(*more(), options=("--no-effect", "--effect-to", "x")), 2, "--effect-to")


def test_of_more_patients_than_are_looked_at_it_is_said_what_shows_them(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(effect, "MOST_PATIENTS", 1)
    both = [*example("EP-2", "P-2"), *example("EP-3", "P-3")]
    for options in (("--dry-run",), ()):
        (_, line) = house.tell(*both, options=options).err.splitlines()
        assert line.startswith("What changes is not shown for 2 patients: --effect-to FILE")
    monkeypatch.setattr(effect, "MOST_ENTRIES", 3)
    ended = house.tell(*example("EP-4", "P-4"))
    assert f"for {len(example())} entries" in ended.err
    ended = house.tell(*example("EP-5", "P-5"), options=("--effect-to", str(tmp_path / "x")))
    assert "days change:" in ended.err


def test_a_book_with_a_mistake_does_not_stop_what_is_recorded(house: House) -> None:
    (house.book / "payers" / "wrong.toml").write_text("nothing = 1")
    ended = house.tell(told("more", SERVED | {"date": "2026-02-19"}))
    assert ended.status == 0
    assert ended.err.splitlines()[1] == "What changes is not shown: the book has mistakes, which 'days' lists."
    tried = house.tell(told("more 2", SERVED), options=("--dry-run",))
    assert (tried.status, tried.out) == (2, b"")
