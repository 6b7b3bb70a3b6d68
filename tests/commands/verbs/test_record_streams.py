"""``record`` over pipes that pause, and over files that hold no lines."""

from __future__ import annotations

import json
import select
import subprocess
from pathlib import Path

import pytest

from tests.command_line import LIVE, OPENING, House, lines_of, told
from tests.stores import make


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    make(made.ledger)
    return made


@pytest.mark.process
@pytest.mark.sqlite_file
@pytest.mark.parametrize("form", ["json", "csv"])
def test_each_line_of_a_slow_pipe_is_answered_before_the_next_is_sent(house: House, form: str) -> None:
    command = [*LIVE, *house.placed, "record", "-", "--format", form]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for number, line in enumerate([told("0", OPENING), told("1"), told("1"), told("2")]):
            running.stdin.write(lines_of([line]))
            running.stdin.flush()
            if form == "csv" and not number:
                assert running.stdout.readline().startswith(b"line,outcome")
            assert select.select([running.stdout], [], [], 60)[0], "no answer while the pipe is open"
            assert (b"duplicate" if number == 2 else b"recorded") in running.stdout.readline()
        running.stdin.close()
        assert running.wait(60) == 0


@pytest.mark.process
@pytest.mark.sqlite_file
def test_a_reader_that_has_left_a_slow_pipe_stops_nothing(house: House) -> None:
    command = [*LIVE, *house.placed, "record", "-", "--no-effect"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(lines_of([told("0", OPENING)]))
        running.stdin.flush()
        assert b"recorded" in running.stdout.readline()
        running.stdout.close()
        for number in range(1, 4):
            running.stdin.write(lines_of([told(str(number))]))
            running.stdin.flush()
            select.select([], [], [], 0.3)
        running.stdin.close()
        assert running.stderr is not None
        assert running.stderr.read().splitlines() == [b"4 recorded, 0 duplicate, 0 refused"]
        assert running.wait(60) == 0


def test_a_csv_is_told_once_to_a_person_with_what_takes_it(house: House, tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text("episode,order,from,to\n" + "EP-1,RX-1,2026-02-02,2026-02-03\n" * 24)
    ended = house.run("record", file, "--format", "table")
    assert ended.status == 1
    assert ended.out.count(b"malformed") == 1
    assert b"RX-1" not in ended.out
    assert ended.err.splitlines() == [
        "This looks like CSV: 'episode-ledger import' takes it.", "0 recorded, 0 duplicate, 25 refused",
    ]  # fmt: skip


def test_to_a_program_each_line_of_it_is_answered_all_the_same(house: House) -> None:
    array = json.dumps([told("0", OPENING), told("1")], indent=1).encode()
    ended = house.run("record", "-", stdin=array)
    assert len(ended.rows) == len(array.splitlines())
    assert ended.err.count("This looks like one JSON array") == 1


def test_of_lines_with_a_mistake_nothing_else_is_said(house: House) -> None:
    ended = house.tell(told("0", OPENING), told("1", {"type": "DayServed"}), options=("--no-effect",))
    assert ended.err == "1 recorded, 0 duplicate, 1 refused\n"
