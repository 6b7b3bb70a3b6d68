"""Pages that hold a patient's entries take turns, so that a site needs the memory of one patient at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands.terminal.options import Setup
from commands.web.reading import Reader, Reading
from ledger.progress import silent
from projections.reading import turn as turns
from projections.reading.cohorts import cohorts_in, complete
from projections.reading.held import held_entries
from projections.reading.turn import Turn
from projections.report.asked import Asked
from projections.report.patients import patients_told
from tests.command_line import House, example

SOON_SECONDS = 60
ON = "2026-02-09"


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """The site's reader of a ledger with two patients, brought up."""
    house = House(tmp_path)
    assert house.tell(*example("EP-1", "P-1"), *example("EP-2", "P-2")).status == 0
    reader = Reader(Setup(str(house.ledger), str(house.book)))
    with reader.reading():
        return reader


def beside(act: Callable[[], object]) -> threading.Event:
    """Something done in a thread of its own; set when it is done."""
    is_done = threading.Event()
    threading.Thread(target=lambda: (act(), is_done.set()), daemon=True).start()
    return is_done


def in_line(turn: Turn, many: int) -> bool:
    """Once so many have the turn or wait for it; false if they never do."""
    until = time.monotonic() + SOON_SECONDS
    while len(turn._line) < many and time.monotonic() < until:
        time.sleep(0.001)
    return len(turn._line) == many


def page(reader: Reader, holds: Callable[[Reading], object]) -> Callable[[], None]:
    """A page that holds something."""

    def answer() -> None:
        with reader.reading() as reading:
            holds(reading)

    return answer


def an_episode(reading: Reading) -> object:
    return held_entries(reading.ledger, ["EP-2"])


def everybody(reading: Reading) -> object:
    return list(complete(reading.ledger, cohorts_in(reading.ledger, reading.position), reading.position))


@pytest.mark.parametrize("holds", [an_episode, everybody])
def test_a_page_waits_until_no_other_holds_entries(reader: Reader, holds: Callable[[Reading], object]) -> None:
    with reader.reading() as reading:
        an_episode(reading)
        other = beside(page(reader, holds))
        assert in_line(turns.turn, 2)
        assert not other.is_set()
    assert other.wait(SOON_SECONDS)


def test_a_page_that_holds_no_entries_waits_for_nobody(reader: Reader) -> None:
    with reader.reading() as reading:
        an_episode(reading)
        assert beside(page(reader, lambda reading: reading.views.noted())).wait(SOON_SECONDS)


def is_interrupted(reader: Reader, pieces: Iterator[object]) -> None:
    """Who asks for a page while a report has its turn gets theirs before its next piece."""
    next(pieces)
    other = beside(page(reader, an_episode))
    assert in_line(turns.turn, 2)
    assert not other.is_set()
    next(pieces)
    assert other.wait(SOON_SECONDS)


def test_between_two_handfuls_of_a_report_others_have_their_turn(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.reading.cohorts.ENTRIES_AT_ONCE", 1)
    with reader.reading() as reading:
        cohorts = cohorts_in(reading.ledger, reading.position)
        is_interrupted(reader, complete(reading.ledger, cohorts, reading.position))


def test_between_two_patients_of_a_report_others_have_their_turn(reader: Reader) -> None:
    with reader.reading() as reading:
        told = patients_told(reading.ledger, reading.views, reading.book, Asked(ON), [].append, silent)
        is_interrupted(reader, told)


def test_a_command_waits_for_nobody(reader: Reader) -> None:
    with reader.reading() as reading:
        an_episode(reading)
        with reader.setup.open() as ledger:
            assert beside(lambda: held_entries(ledger, ["EP-1"])).wait(SOON_SECONDS)


def test_whoever_waited_too_long_goes_on_all_the_same(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)
    with reader.reading() as reading:
        an_episode(reading)
        assert beside(page(reader, an_episode)).wait(SOON_SECONDS)


def test_turns_come_in_the_order_in_which_they_were_wanted() -> None:
    turn, came = Turn(), list[str]()

    def taken(name: str) -> None:
        with turn.taking_part():
            turn.take()
            came.append(name)

    with turn.taking_part():
        turn.take()
        done = []
        for at, name in enumerate("abc", 2):
            done.append(beside(lambda name=name: taken(name)))  # type: ignore[misc]
            assert in_line(turn, at)
    assert all(each.wait(SOON_SECONDS) for each in done)
    assert came == ["a", "b", "c"]
