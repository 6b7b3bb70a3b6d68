"""A clock that cannot be right stamps nothing: its time is never corrected, and its episode would keep it for ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from commands.writing import record as recording
from commands.writing.handle import WrongClock
from projections.operations.health import clock_row
from projections.reading.clock import newest_stamp
from tests.command_line import OPENING, SERVED, House, Told, assert_plain, lines_of, run
from tests.command_line import told as one
from tests.stores import open_ledger

pytestmark = pytest.mark.usefixtures("every_store")

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
FAR = NOW.replace(year=2098)

Set = Callable[[datetime], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Sets the clock of the commands that follow."""

    def put(at: datetime) -> None:
        for name in ("commands.verbs.record.record_stream", "commands.writing.record.record"):
            monkeypatch.setattr(name, lambda *args, **more: REAL(*args, **(more | {"clock": lambda: at})))

    REAL = recording.record
    return put


@pytest.fixture
def house(tmp_path: Path, clock: Set) -> House:
    made = House(tmp_path)
    clock(NOW)
    assert made.tell(one("1", OPENING), one("2")).status == 0
    return made


def of(episode: str, id: str, fact: Told = SERVED) -> Told:
    return one(id, fact, episode=episode)


def entries(house: House) -> list[tuple[str, datetime]]:
    with open_ledger(house.ledger, create=False) as ledger:
        return [(entry.episode, entry.recorded_at) for _, entry in ledger.follow(0)]


@pytest.mark.parametrize("off", [-timedelta(minutes=59), timedelta(0), timedelta(days=366)])
def test_a_clock_that_may_be_right_records(house: House, clock: Set, off: timedelta) -> None:
    clock(NOW + off)
    assert house.tell(of("EP-2", "3", OPENING)).status == 0


@pytest.mark.parametrize("off", [-timedelta(minutes=61), timedelta(days=367), FAR - NOW, timedelta(days=-365)])
def test_one_that_cannot_be_records_nothing_until_somebody_says_that_it_is_right(
    house: House, clock: Set, off: timedelta
) -> None:
    clock(NOW + off)
    for told in ([of("EP-2", "3", OPENING)], [one("4")]):
        assert_plain(house.tell(*told), 2, "clock", "--clock-is-right")
    assert len(entries(house)) == 2
    assert house.tell(of("EP-2", "3", OPENING), options=["--clock-is-right"]).status == 0
    assert entries(house)[2:] == [("EP-2", NOW + off)]


def test_it_may_say_of_a_line_that_it_is_there_already_or_refused(house: House, clock: Set) -> None:
    clock(FAR)
    assert [row["outcome"] for row in house.tell(one("1", OPENING), one("2")).rows] == ["duplicate"] * 2
    assert [row["code"] for row in house.tell(of("EP-9", "1")).rows] == ["not_opened"]


def test_lines_that_bring_their_own_time_need_no_clock_and_those_among_them_that_bring_none_do(
    house: House, clock: Set
) -> None:
    clock(FAR)
    history = of("EP-3", "1", OPENING) | {"recorded_at": "2020-01-01T00:00Z"}
    assert house.tell(history, options=["--keep-recorded-at"]).status == 0
    assert_plain(house.tell(of("EP-3", "2"), options=["--keep-recorded-at"]), 2, "clock")


def test_after_a_wrong_stamp_the_right_clock_has_to_be_confirmed_once(house: House, clock: Set) -> None:
    clock(FAR)
    assert house.tell(one("3"), options=["--clock-is-right"]).status == 0
    clock(NOW)
    assert_plain(house.tell(of("EP-2", "1", OPENING)), 2, "before the newest entry (2098-11-28T12:00:00Z)")
    assert house.tell(of("EP-2", "1", OPENING), options=["--clock-is-right"]).status == 0
    assert house.tell(of("EP-2", "2")).status == 0
    assert house.tell(one("4")).status == 0, "its episode keeps the wrong time"
    assert house.tell(one("5"), of("EP-2", "3")).status == 0, "and that is not taken for the clock's"
    assert [at for episode, at in entries(house) if episode == "EP-1"] == [NOW, NOW, FAR, FAR, FAR]
    assert {at for episode, at in entries(house) if episode == "EP-2"} == {NOW}


def test_a_clock_that_jumps_while_a_long_file_is_read_is_found(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.tell(one("1", OPENING))
    times = iter([datetime.now(UTC), datetime.now(UTC).replace(year=2098)])
    with open_ledger(house.ledger, create=True) as ledger:
        told = BytesIO(lines_of([one("2"), one("3")]))
        outcomes = recording.record(ledger, told, clock=lambda: next(times), batch=1, clock_is_right=False)
        assert next(outcomes).outcome == "recorded"
        with pytest.raises(WrongClock):
            next(outcomes)


def test_doctor_says_how_to_go_on(house: House, clock: Set) -> None:
    clock(FAR)
    assert house.tell(one("3"), options=["--clock-is-right"]).status == 0
    with open_ledger(house.ledger, create=False) as ledger:
        row = clock_row(NOW, newest_stamp(ledger))
    assert row.state == "wrong"
    assert "--clock-is-right" in (row.do or "")
    ahead = clock_row(NOW + timedelta(days=400), NOW)
    assert (ahead.state, "--clock-is-right" in (ahead.do or "")) == ("warn", True)


def test_an_empty_ledger_has_no_opinion(tmp_path: Path, clock: Set) -> None:
    clock(FAR)
    house = House(tmp_path)
    assert house.tell(one("1", OPENING)).status == 0
    assert run("help").status == 0
