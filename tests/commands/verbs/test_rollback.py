"""A ledger that was put back to an earlier state is told of until somebody accepts it, and what was seen is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.facts.administration import RollbackAccepted
from ledger.recorders.by_name.tail import ENTRIES_LOOKED_AT, broken_in_tail
from ledger.store import EpisodeLedger, open_ledger
from tests import kept
from tests.command_line import OPENING, SERVED, House, Told, assert_plain, example, told
from tests.encrypted_house import Locked, unguarded

pytestmark = pytest.mark.sqlite_file

SAYS = "The ledger was put back to an earlier state: position 12"
ENDING_WITH_1 = (("verify",), ("doctor",), ("status",), ("report",), ("close", "--list"))
GOING_ON = (("days",), ("findings",), ("lines",), ("why", "EP-1", "2026-02-02"), ("replay", "EP-1"))


def later(number: int) -> Told:
    return told(f"later-{number}", SERVED | {"date": f"2026-02-{number:02}"})


def put_back(house: House, copy: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        house.ledger.with_name(f"ledger.db{ending}").unlink(missing_ok=True)
    assert house.run("restore", copy).status == 0


KINDS: dict[str, type[House]] = {"plain": House, "encrypted": Locked}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def house(tmp_path: Path, kind: str) -> House:
    kept.copied(tmp_path, f"the example, {kind}", lambda empty: _told(KINDS[kind](empty)))
    return KINDS[kind].at(tmp_path)


@pytest.fixture
def back(tmp_path: Path, kind: str) -> House:
    """A ledger that was read at position 12, and is the one of position 11 again."""
    kept.copied(tmp_path, f"put back, {kind}", lambda empty: _back(_told(KINDS[kind](empty))))
    return KINDS[kind].at(tmp_path)


def _told(house: House) -> House:
    assert house.tell(*example()).status == 0
    return house


def _back(house: House) -> None:
    copy = house.folder / "old.backup"
    assert house.run("backup", "--out", copy).status == 0
    assert house.tell(later(20)).status == 0
    assert house.run("days").status == 0
    put_back(house, copy)


def said_by_all(back: House) -> None:
    for command in ENDING_WITH_1:
        ended = back.run(*command)
        assert ended.status == 1, command
        assert "was put back to an earlier state: position 12" in ended.err + ended.out.decode(), command
    for command in GOING_ON:
        ended = back.run(*command)
        assert ended.status == 0, command
        assert SAYS in ended.err, command
        assert "--accept-rollback" in ended.err


def accepted(back: House) -> None:
    assert back.run("verify", "--accept-rollback", "disk failed, backup restored", "--by", "ops").status == 0


@pytest.mark.parametrize("first", ENDING_WITH_1 + GOING_ON + (("rebuild",), ("what-if", "--set", "x=1")), ids=str)
def test_whoever_looks_first_it_is_said_by_all_until_it_is_accepted(back: House, first: tuple[str, ...]) -> None:
    back.run(*first)
    said_by_all(back)
    accepted(back)
    assert "--accept-rollback" not in back.run(*first).err


def test_it_is_said_by_all_again_and_again_and_by_nobody_once_it_is_accepted(back: House) -> None:
    for _ in range(3):
        said_by_all(back)
    accepted(back)
    for command in (*ENDING_WITH_1, *GOING_ON):
        ended = back.run(*command)
        assert ended.status == 0, command
        assert "--accept-rollback" not in ended.err


def test_that_it_was_accepted_is_an_act_on_record(back: House) -> None:
    back.run("days")
    assert back.run("verify", "--accept-rollback", "disk failed", "--by", "ops").status == 0
    with opened(back) as ledger:
        ((position, act),) = ledger.house_acts()
    assert isinstance(act, RollbackAccepted)
    assert (position, act.by, act.reason, act.position, len(act.seal)) == (12, "ops", "disk failed", 12, 64)
    assert back.run("verify").status == 0
    assert back.run("rebuild", "--check").status == 0


def opened(house: House) -> EpisodeLedger:
    return house.open() if isinstance(house, Locked) else open_ledger(house.ledger, create=False)


def test_it_is_found_though_the_ledger_has_grown_past_where_it_was(back: House) -> None:
    assert back.tell(*(later(number) for number in range(21, 25))).status == 0
    ended = back.run("status")
    assert ended.status == 1
    assert SAYS in ended.err


def test_what_had_been_seen_outlives_the_read_model(back: House) -> None:
    back.run("days")
    for path in back.folder.glob("ledger.views*.db*"):
        path.unlink()
    assert back.run("status").status == 1
    kept = json.loads((back.folder / "ledger.views.rollbacks.jsonl").read_text())
    assert (kept["position"], kept["found_position"], len(kept["seal"])) == (12, 11, 64)


def test_the_right_ledger_put_in_its_place_again_needs_no_acceptance(house: House, tmp_path: Path) -> None:
    old, new = house.folder / "old.backup", house.folder / "new.backup"
    house.run("backup", "--out", old)
    house.tell(later(20))
    house.run("days")
    house.run("backup", "--out", new)
    put_back(house, old)
    assert house.run("status").status == 1
    put_back(house, new)
    assert house.run("status").status == 0


def test_a_second_rollback_is_one_of_its_own(back: House) -> None:
    back.run("days")
    assert back.run("verify", "--accept-rollback", "first").status == 0
    back.tell(later(22))
    assert back.run("days").status == 0
    put_back(back, back.folder / "old.backup")
    ended = back.run("status")
    assert ended.status == 1
    assert ended.err.count("was put back to an earlier state: position") == 2, "the first act is gone with the rest"


def test_verify_finds_it_without_the_master_key_and_writes_nothing(back: House) -> None:
    before = {path: path.stat().st_mtime_ns for path in back.folder.glob("ledger.views*")}
    ended = back.run("verify", env={})
    assert ended.status == 1
    assert SAYS in ended.err
    assert {path: path.stat().st_mtime_ns for path in back.folder.glob("ledger.views*")} == before


def test_nothing_is_closed_on_such_a_ledger_and_a_closed_month_still_prints_its_bytes(house: House) -> None:
    assert house.run("close", "2026-01", "--format", "json").status == 0
    closed = house.run("close", "2026-01", "--format", "json").out
    copy = house.folder / "old.backup"
    house.run("backup", "--out", copy)
    house.tell(later(20))
    house.run("days")
    put_back(house, copy)
    ended = house.run("close", "2026-02")
    assert (ended.status, ended.out) == (1, b"")
    again = house.run("close", "2026-01", "--format", "json")
    assert (again.status, again.out) == (1, closed)
    assert len(house.run("close", "--list").rows) == 1


def test_there_is_nothing_to_accept_where_nothing_was_put_back(house: House) -> None:
    house.run("days")
    assert house.run("verify").status == 0
    ended = house.run("verify", "--accept-rollback", "why not")
    assert ended.status == 2
    assert "nothing to accept" in ended.err
    assert_plain(house.run("verify", "--by", "ops"), 2, "--accept-rollback")
    for reason in ("", "x" * 1001):
        assert house.run("verify", "--accept-rollback", reason).status == 2
    with opened(house) as ledger:
        assert ledger.house_acts() == []


# The end of the ledger


def damage(house: House, where: int) -> None:
    with unguarded(house.ledger) as ledger:
        ledger.execute("UPDATE entries SET state = state || ' ' WHERE position = ?", (where,))


def test_nothing_is_recorded_after_an_entry_that_does_not_hold(house: House) -> None:
    damage(house, 11)
    ended = house.tell(later(20))
    assert ended.status == 3
    assert "does not hold at position 11" in ended.err


@pytest.mark.parametrize("where", [1, 2, 11])
def test_doctor_finds_one_of_the_last_entries_that_does_not_hold(house: House, where: int) -> None:
    assert checked(house)["last entries"] == "ok"
    damage(house, where)
    assert checked(house)["last entries"] == "wrong"


def checked(house: House) -> dict[str, str]:
    return {row["check"]: row["state"] for row in house.run("doctor", "--format", "json").rows}


def test_damage_further_back_keeps_nobody_from_recording(house: House) -> None:
    damage(house, 10)
    assert house.tell(told("1", OPENING, episode="EP-2")).status == 0


def test_a_month_is_not_closed_on_a_ledger_that_does_not_hold(house: House) -> None:
    with unguarded(house.ledger) as ledger:
        ledger.execute("UPDATE entries SET seal = zeroblob(32) WHERE position = 1")
    assert_plain(house.run("close", "2026-01"), 1, "does not hold", "no month was closed")
    assert house.run("close", "--list").rows == []


def test_an_empty_ledger_and_one_of_acts_alone_hold(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.run("record", "-").status == 0
    assert broken_in_tail(str(house.ledger)) is None
    assert house.run("export", "days", "--format", "jsonl", "--out", tmp_path / "feed").status == 0
    assert house.tell(*example()).status == 0
    assert house.tell(*(told(f"x{number}", SERVED) for number in range(2 * ENTRIES_LOOKED_AT))).status == 0
    assert broken_in_tail(str(house.ledger)) is None
    assert house.run("doctor").status == 0
