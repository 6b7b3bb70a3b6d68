"""``follow``: changes as they come, in a pipe; stopped, closed, resumed."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from projections.export.shapes import DATASETS
from projections.read_model.version import code_version
from tests.at_once import Started, under_way
from tests.command_line import COMMAND, LIVE, House, assert_plain, example, interruptible, told
from tests.exports import export, rows_in
from tests.stores import open_ledger

WAIT_SECONDS = 20
DEATH = told("death", {"type": "PatientDied", "date": "2026-02-02"})


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    assert house.tell(*example()).status == 0
    return house


@contextmanager
def following(house: House, *options: object) -> Iterator[Started]:
    """``follow`` as a process of its own, in a pipe."""
    with under_way(COMMAND, *house.named, "follow", "--interval", 0.02, *options) as process:
        yield process


def changes(house: House, *options: object) -> list[dict[str, Any]]:
    """What ``follow`` prints until now, without its first line."""
    ended = house.run("follow", "--once", *options)
    assert ended.status == 0, ended
    return ended.rows[1:]


def next_round(process: Started) -> list[dict[str, Any]]:
    """The rows up to the last of a position."""
    assert process.stdout
    rows: list[dict[str, Any]] = []
    while not rows or not rows[-1]["last"]:
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        rows += [row for row in [json.loads(line)] if "last" in row]
    return rows


def test_a_line_is_a_row_of_the_export_and_says_when_it_is_the_last(house: House, tmp_path: Path) -> None:
    rows = changes(house, "--since", 0)
    with open_ledger(house.ledger, create=False) as ledger:
        assert rows[-1].pop("seal") == ledger.seal_at(rows[-1]["position"])
    assert [list(row) for row in rows] == [[*(column.name for column in DATASETS["changes"].columns), "last"]] * len(
        rows
    )
    assert [row.pop("last") for row in rows] == [False] * (len(rows) - 1) + [True]
    assert rows == rows_in(export(house, "changes", "jsonl", tmp_path / "out"))


def test_it_begins_now_unless_told_since_when(house: House) -> None:
    with following(house) as process:
        wait_until_adopted(house)
        house.tell(DEATH)
        assert {row["cause"][0] for row in next_round(process)} == {"pump:death"}


def wait_until_adopted(house: House) -> None:
    """It has begun when it has taken up its book."""
    until = time.monotonic() + WAIT_SECONDS
    with open_ledger(house.ledger, create=False) as ledger:
        while not ledger.adoptions():
            assert time.monotonic() < until
            time.sleep(0.01)


def test_it_prints_what_comes_and_is_resumed_where_it_was_stopped(house: House) -> None:
    with following(house, "--since", 0) as process:
        first = next_round(process)
        house.tell(DEATH)
        second = next_round(process)
        assert [first[-1]["position"] < second[-1]["position"], len(second) > 0] == [True, True]
        process.interrupt()
        assert process.wait(WAIT_SECONDS) == 0
        assert process.stderr
        assert process.stderr.read() == b""
    house.tell(told("back", {"type": "FactRetracted", "target_source": "pump", "target_id": "death", "reason": "no"}))
    third = changes(house, "--since", second[-1]["position"])
    assert [row["new_status"] for row in third] == [
        row["new_status"] for row in first if row["date"] in {each["date"] for each in third}
    ]
    assert changes(house, "--since", third[-1]["position"]) == []


def test_it_ends_when_nobody_reads_any_more_even_if_nothing_comes(house: House) -> None:
    with following(house, "--since", 0) as process:
        next_round(process)
        assert process.stdout
        process.stdout.close()
        assert process.wait(WAIT_SECONDS) == 0


def test_a_reader_that_leaves_in_the_middle_ends_it(house: House) -> None:
    with following(house, "--since", 0) as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(WAIT_SECONDS) == 0


def test_a_file_is_written_to_like_a_pipe(house: House, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        following = [*LIVE, *house.named, "follow", "--since", "0", "--interval", "0.02"]
        with subprocess.Popen(following, stdout=out, preexec_fn=interruptible) as process:
            until = time.monotonic() + WAIT_SECONDS
            while b'"last":true' not in (tmp_path / "out").read_bytes() and time.monotonic() < until:
                time.sleep(0.02)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            assert process.wait(WAIT_SECONDS) == 0
    assert (tmp_path / "out").read_bytes() == house.run("follow", "--since", 0, "--once").out


def test_a_position_that_nobody_has_is_refused_and_told_apart_from_a_mistyped_option(house: House) -> None:
    assert_plain(house.run("follow", "--since", "999", "--once"), 4, "beyond the ledger's last position")
    assert_plain(house.run("follow", "--since", 12, "--once"), 4, "load everything anew")
    assert_plain(house.run("follow", "--since", "-1", "--once"), 2, "--since")
    assert_plain(house.run("follow", "--seal", "ff", "--once"), 2, "--since, too")


def test_the_first_line_says_what_is_followed_and_from_where(house: House) -> None:
    first = house.run("follow", "--since", 3, "--once").rows[0]
    with open_ledger(house.ledger, create=False) as ledger:
        assert first == {
            "ledger": ledger.id, "position": 3, "seal": ledger.seal_at(3), "code_version": code_version(),
            "book_hash": ledger.adoptions()[-1][1].hash, "schema_version": "1",
        }  # fmt: skip


def test_who_says_what_they_have_is_refused_another_ledger_and_another_judge(house: House, tmp_path: Path) -> None:
    last = changes(house, "--since", 0)[-1]
    mine = ("--since", last["position"], "--seal", last["seal"], "--code-version", code_version())
    assert changes(house, *mine) == []
    (tmp_path / "other").mkdir()
    other = House(tmp_path / "other")
    other.tell(*example())
    changes(other, "--since", 0)
    for command in (["follow", "--once"], ["export", "changes", "--format", "jsonl", "--out", tmp_path / "out"]):
        assert_plain(other.run(*command, *mine), 4, "another seal", "load everything anew")
        ended = house.run(*command, *mine[:4], "--code-version", "0.1.0/2.4/another/2026a")
        assert_plain(ended, 4, "judged by", "load everything anew")
        assert house.run(*command, *mine[:4], "--code-version", f"9.9/{code_version().partition('/')[2]}").status == 0


def test_an_entry_that_changes_no_day_prints_nothing(house: House) -> None:
    position = changes(house, "--since", 0)[-1]["position"]
    house.tell(told("note", {"type": "CoordinationNoted", "date": "2026-02-02", "note": "called"}))
    ended = house.run("follow", "--since", position, "--once")
    assert (ended.status, len(ended.rows), ended.err) == (0, 1, "")
