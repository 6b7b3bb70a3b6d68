"""``doctor``: what is looked at, what is wrong, and what only deserves a look."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections import namedtuple
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.verbs import doctor as doctor_command
from ledger.recorders.sqlite import rights as sqlite_files
from ledger.recorders.sqlite.checkpoint_turns import has_reset_bug
from ledger.recorders.sqlite.rights import Engine, Rights
from projections.operations.health import clock_row, engine_rows, log_row, rights_rows, room_row, setting_rows
from tests.command_line import House, assert_plain, example, run, told

MIB = 2**20


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    tmp_path.chmod(0o700)
    assert made.tell(*example()).status == 0
    return made


def states(house: House, *options: object, status: int = 0) -> dict[str, dict[str, Any]]:
    ended = house.run("doctor", "--key", house.folder.parent / "none", *options)
    assert ended.status == status, ended
    return {row["check"].replace(str(house.folder), "."): row for row in ended.rows}


@pytest.mark.sqlite_file
def test_a_sound_ledger_is_all_right(house: House) -> None:
    found = states(house)
    assert {row["state"] for name, row in found.items() if name != "sqlite"} == {"ok"}
    assert found.keys() >= {
        "ledger", "clock", "disk room", "read model", "book", "setting journal_mode", "setting synchronous",
        "rights of .", "rights of ./ledger.db", "signing key", "event store library", "write-ahead log",
    }  # fmt: skip
    assert found["setting synchronous"]["says"] == "2"
    assert f"{len(example())} entries" in found["ledger"]["says"]


def test_it_has_the_usual_forms(house: House) -> None:
    assert house.run("doctor", "--format", "table").out.startswith(b"check ")
    assert house.run("doctor", "--format", "csv").out.startswith(b"check,state,says,do\r\n")
    assert list(json.loads(house.run("doctor").out.splitlines()[0])) == ["check", "state", "says", "do"]


def test_it_changes_nothing(house: House) -> None:
    house.run("days")
    before = {path: path.read_bytes() for path in house.folder.glob("ledger*") if path.is_file()}
    states(house)
    assert {path: path.read_bytes() for path in house.folder.glob("ledger*") if path.is_file()} == before


@pytest.mark.sqlite_file
@pytest.mark.parametrize(
    ("mode", "state", "status"),
    [(0o600, "ok", 0), (0o640, "warn", 0), (0o644, "wrong", 1), (0o660, "wrong", 1), (0o602, "wrong", 1)],
)
def test_rights_of_the_ledger(house: House, mode: int, state: str, status: int) -> None:
    house.ledger.chmod(mode)
    row = states(house, status=status)["rights of ./ledger.db"]
    assert row["state"] == state
    assert row["says"].startswith(f"{mode:04o}")


@pytest.mark.sqlite_file
@pytest.mark.parametrize(("mode", "state"), [(0o755, "ok"), (0o777, "wrong"), (0o1777, "ok")])
def test_rights_of_its_folder(house: House, mode: int, state: str) -> None:
    house.folder.chmod(mode)
    assert states(house, status=int(state == "wrong"))["rights of ."]["state"] == state


@pytest.mark.sqlite_file
def test_a_read_model_that_anybody_may_read_is_wrong(house: House) -> None:
    house.run("days")
    house.views.resolve().chmod(0o604)
    assert states(house, status=1)["rights of ./ledger.views.1.db"]["state"] == "wrong"


def test_another_users_file_deserves_a_look() -> None:
    (row,) = rights_rows([Rights(Path("x"), False, 0o600, owner=7)], user=8)
    assert (row.state, row.says) == ("warn", "0600, it belongs to another user")


@pytest.mark.parametrize(
    ("version", "bug"),
    [((3, 6, 23), True), ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 45, 0), True),
     ((3, 50, 6), True), ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 53, 0), False)],
)  # fmt: skip
def test_versions_with_the_wal_reset_bug(version: tuple[int, ...], bug: bool) -> None:
    assert has_reset_bug(version) == bug


def test_the_wal_reset_bug_is_said() -> None:
    (row,) = engine_rows(Engine("3.40.1", True))
    assert row.state == "warn"
    assert "WAL-reset bug" in row.says
    assert "3.51.3" in str(row.do)
    (row,) = engine_rows(Engine("3.51.3", False))
    assert row.state == "ok"


def test_settings_that_another_program_changed_are_wrong() -> None:
    rows = list(setting_rows({"journal_mode": "delete", "synchronous": "2", "sqlite": "3.40.1"}))
    assert [row.state for row in rows] == ["wrong", "ok", "ok"]
    assert rows[0].says == "delete, and should be wal"


@pytest.mark.parametrize(
    ("free", "ledger", "log", "state"),
    [(500, 100, 1, "ok"), (99, 10, 1, "warn"), (500, 501, 1, "warn"), (500, 100, 300, "warn"), (31, 1, 1, "wrong")],
)
def test_disk_room(free: int, ledger: int, log: int, state: str) -> None:
    assert room_row(free * MIB, 1000 * MIB, ledger * MIB, log * MIB).state == state


@pytest.mark.sqlite_file
def test_a_full_disk_ends_with_1(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(1000, 1000, 0)
    monkeypatch.setattr(sqlite_files.shutil, "disk_usage", lambda folder: usage)
    assert states(house, status=1)["disk room"]["state"] == "wrong"


def test_a_long_log_deserves_a_look() -> None:
    assert log_row(255 * MIB).state == "ok"
    assert log_row(257 * MIB).state == "warn"


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "newest", "state"),
    [
        (NOW, None, "ok"), (NOW, NOW, "ok"), (NOW, NOW + timedelta(seconds=1), "ok"),
        (NOW, NOW + timedelta(minutes=1), "wrong"), (NOW.replace(year=1970), None, "wrong"),
        (NOW.replace(year=2101), None, "wrong"),
    ],
)  # fmt: skip
def test_the_clock(now: datetime, newest: datetime | None, state: str) -> None:
    assert clock_row(now, newest).state == state


def test_a_clock_that_was_set_back_ends_with_1(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_command, "utc_now", lambda: datetime(2026, 1, 1, tzinfo=UTC))
    row = states(house, status=1)["clock"]
    assert "before the newest" in row["says"]


def test_lag_is_said_and_is_no_fault(house: House) -> None:
    house.run("days")
    house.tell(told("later", {"type": "DayServed", "order": "RX-1", "date": "2026-02-20"}))
    row = states(house)["read model"]
    assert (row["state"], row["says"]) == ("ok", "1 entries behind; every read command catches up first")


@pytest.mark.sqlite_file
def test_a_read_model_of_another_book_deserves_a_look(house: House) -> None:
    house.run("days")
    payer = next((house.book / "payers").glob("*.toml"))
    payer.write_text(payer.read_text(encoding="utf-8") + "\n# compared again\n", encoding="utf-8")
    ended = run("--ledger", house.ledger, "doctor", "--key", house.folder / "none")
    row = next(row for row in ended.rows if row["check"] == "read model")
    assert (ended.status, row["state"], row["says"]) == (0, "warn", "it was made with another book")


@pytest.mark.sqlite_file
def test_a_ruined_read_model_is_wrong_and_the_rest_is_told(house: House) -> None:
    house.run("days")
    house.views.resolve().write_bytes(b"no database " * 1000)
    found = states(house, status=1)
    assert found["read model"]["state"] == "wrong"
    assert found["ledger"]["state"] == found["signing key"]["state"] == "ok"


@pytest.mark.sqlite_file
def test_a_ledger_that_lost_a_guard_is_wrong_and_the_rest_is_told(house: House) -> None:
    with closing(sqlite3.connect(house.ledger)) as file:
        file.execute("DROP TRIGGER entries_update")
    found = states(house, status=1)
    assert "entries_update" in found["ledger"]["says"]
    assert found["disk room"]["state"] == "ok"


def test_a_wrong_book_is_wrong(house: House) -> None:
    next((house.book / "payers").glob("*.toml")).write_text("idd = 1", encoding="utf-8")
    assert states(house, status=1)["book"]["state"] == "wrong"


@pytest.mark.sqlite_file
def test_a_signing_key_that_others_may_read_is_wrong(house: House, tmp_path: Path) -> None:
    key = tmp_path.parent / f"{tmp_path.name}.key"
    house.run("checkpoint", "--init-key", "--key", key)
    ended = house.run("doctor", "--key", key)
    assert (ended.status, ended.rows[-1]["check"], ended.rows[-1]["state"]) == (0, "signing key", "ok")
    key.chmod(0o644)
    ended = house.run("doctor", "--key", key)
    assert (ended.status, ended.rows[-1]["check"], ended.rows[-1]["state"]) == (1, "signing key", "wrong")


def test_no_ledger_ends_with_2(tmp_path: Path) -> None:
    assert_plain(run("--ledger", tmp_path / "none.db", "doctor"), 2, "there is no ledger")
    assert os.listdir(tmp_path) == []


def test_the_status_for_scrapers_has_the_numbers_of_the_status_and_nobodys_name(house: House) -> None:
    """By the grammar of OpenMetrics: families described before their samples, labels quoted, an end."""
    lines = house.run("status", "--format", "openmetrics").out.decode().splitlines()
    (status,) = house.run("status", "--format", "json").rows
    assert lines[-1] == "# EOF"
    samples = dict(re.fullmatch(r'(\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})?) (\d+)', line).groups()  # type: ignore[union-attr]
                   for line in lines if not line.startswith("#"))  # fmt: skip
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert {name.partition("{")[0].removesuffix("_info") for name in samples} <= set(families)
    assert int(samples["episode_ledger_position"]) == status["position"]
    days = {name: int(number) for name, number in samples.items() if name.startswith("episode_ledger_days")}
    assert sum(days.values()) == status["days"] > 0
    assert all(f'status="{verdict.split()[0]}"' in " ".join(days) for verdict in status["verdicts"])
    assert not any("P-1" in line or "EP-1" in line for line in lines)
