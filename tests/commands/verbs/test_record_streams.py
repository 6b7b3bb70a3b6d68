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
    with subprocess.Popen(  # unbuffered: what lay in a buffer of ours, select would not see
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as running:
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
    command = [*LIVE, *house.named, "record", "-", "--no-effect"]
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
        assert running.stderr.read().splitlines()[-1] == b"4 recorded, 0 duplicate, 0 refused"
        assert running.wait(60) == 0


def test_a_csv_is_told_once_to_a_person_with_what_takes_it(house: House, tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text("episode,order,from,to\n" + "EP-1,RX-1,2026-02-02,2026-02-03\n" * 24)
    ended = house.run("record", file, "--format", "table")
    assert ended.status == 1
    assert ended.out.count(b"malformed") == 1
    assert b"RX-1" not in ended.out
    assert ended.err.splitlines()[-2:] == [
        "This looks like CSV: 'episode-ledger import' takes it.", "0 recorded, 0 duplicate, 25 refused",
    ]  # fmt: skip


def test_to_a_program_each_line_of_it_is_answered_all_the_same(house: House) -> None:
    array = json.dumps([told("0", OPENING), told("1")], indent=1).encode()
    ended = house.run("record", "-", stdin=array)
    assert len(ended.rows) == len(array.splitlines())
    assert ended.err.count("This looks like one JSON array") == 1


def test_of_lines_with_a_mistake_nothing_else_is_said(house: House) -> None:
    ended = house.tell(told("0", OPENING), told("1", {"type": "DayServed"}), options=("--no-effect",))
    assert ended.err.splitlines()[-1] == "1 recorded, 0 duplicate, 1 refused"
    assert "looks like" not in ended.err


def history(source: str, *days: int) -> bytes:
    """Assessments of some days of January, each recorded a day later; the first file opens the episode."""
    facts = [OPENING] if source == "a" else []
    facts += [{"type": "PainAssessed", "date": f"2026-01-{day:02}", "score": 3} for day in days]
    when = [f"2026-01-{day + 1:02}T00:00Z" for day in ([0] if source == "a" else []) + list(days)]
    return lines_of(
        told(str(number), fact, source=source, recorded_at=at)
        for number, (fact, at) in enumerate(zip(facts, when, strict=True))
    )


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two histories of one episode."""
    made = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    made[0].write_bytes(history("a", 1, 4, 9))
    made[1].write_bytes(history("b", 2, 5, 6) + b"{}\n" + history("b", 10)[:-2] + b"\n")
    return made


def test_several_histories_go_into_one_order_whichever_is_named_first(house: House, files: list[Path]) -> None:
    ended = house.run("record", "--keep-recorded-at", *reversed(files), "--no-effect")
    assert (ended.status, ended.err.splitlines()[-1]) == (1, "7 recorded, 0 duplicate, 2 refused")
    assert [(Path(row["file"]).stem, row["line"], row["outcome"]) for row in ended.rows] == [
        ("a", 1, "recorded"), ("a", 2, "recorded"), ("b", 1, "recorded"), ("a", 3, "recorded"), ("b", 2, "recorded"),
        ("b", 3, "recorded"), ("b", 4, "refused"), ("b", 5, "refused"), ("a", 4, "recorded"),
    ]  # fmt: skip
    instants = [row["recorded_at"] for row in house.run("replay", "EP-1").rows]
    assert instants == sorted(instants)
    again = house.run("record", "--keep-recorded-at", *files, "--no-effect")
    assert again.err == "0 recorded, 7 duplicate, 2 refused\n"


def test_without_their_instants_one_file_follows_the_other(house: House, tmp_path: Path) -> None:
    one, other = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    one.write_bytes(lines_of([told("0", OPENING), told("1")]))
    other.write_bytes(lines_of([told("2"), told("3")]))
    ended = house.run("record", one, "-", "--no-effect", stdin=other.read_bytes())
    assert [row["outcome"] for row in ended.rows] == ["recorded"] * 4
    places = [(row["file"], row["line"]) for row in ended.rows]
    assert places == [(str(one), 1), (str(one), 2), ("-", 1), ("-", 2)]


def test_a_file_that_is_named_twice_is_refused(house: House, files: list[Path]) -> None:
    ended = house.run("record", files[0], files[0])
    assert ended.status == 2
    assert "a file is named twice" in ended.err


def test_history_that_comes_after_its_episode_has_gone_on_is_taken_as_told_now(house: House, files: list[Path]) -> None:
    assert house.run("record", "--keep-recorded-at", files[0], "--no-effect").status == 0
    late = house.run("record", "--keep-recorded-at", files[1], "--no-effect")
    assert [row["code"] for row in late.rows][:3] == ["clock_backwards"] * 3
    assert "--as-told-now" in late.rows[0]["message"]
    taken = house.run("record", "--keep-recorded-at", "--as-told-now", files[1], "--no-effect")
    assert [row["outcome"] for row in taken.rows] == ["recorded"] * 3 + ["refused"] * 2
    *before, first, _, last = house.run("replay", "EP-1").rows
    assert {row["told_at"] for row in before} == {None}
    assert (first["told_at"], last["told_at"]) == ("2026-01-03T00:00:00Z", "2026-01-07T00:00:00Z")
    assert first["recorded_at"] > before[-1]["recorded_at"]
    known = ("--known-at", "2026-06-01T00:00Z")
    assert len(house.run("replay", "EP-1", *known).rows) == len(before), "what came late was not known before it came"
    table = house.run("replay", "EP-1", "--format", "table").out.decode()
    assert ", told elsewhere 2026-01-03 00:00 UTC" in " ".join(table.split()), "its lines are folded"
    again = house.run("record", "--keep-recorded-at", "--as-told-now", files[1], "--no-effect")
    assert again.err.startswith("0 recorded, 3 duplicate, 2 refused")
    assert house.run("verify").status == 0


def test_an_instant_that_is_in_order_is_kept_as_ever(house: House, files: list[Path]) -> None:
    options = ("--keep-recorded-at", "--as-told-now", "--no-effect")
    assert house.run("record", *options, files[0]).status == 0
    rows = house.run("replay", "EP-1").rows
    assert [row["recorded_at"][:10] for row in rows] == ["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-10"]
    future = house.tell(
        told("x", {"type": "ResponseNoted", "date": "2026-01-01"}, recorded_at="2090-01-01T00:00Z"), options=options
    )
    assert future.rows[0]["code"] == "clock_future"


def test_it_goes_with_the_instants_that_are_kept(house: House, files: list[Path]) -> None:
    ended = house.run("record", "--as-told-now", files[0])
    assert (ended.status, "--keep-recorded-at" in ended.err) == (2, True)
