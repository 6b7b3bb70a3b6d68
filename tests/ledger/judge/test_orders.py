"""An order that was told more than once: which telling says how often it is dosed (rulebook section 4, access)."""

from __future__ import annotations

from ledger.day_set import Calendar
from ledger.judge.orders import Order, Telling
from tests.chains import OPENING, stream

(ENTRY,) = stream(open=OPENING)
CALENDAR = Calendar(1, 20)


def told(from_: int, to: int, hours: int) -> Telling:
    return Telling(from_, to, "intermittent", hours, None, ENTRY)


def intervals(recorded: list[int], *tellings: Telling) -> dict[int, int]:
    """The interval of each recorded date."""
    days = CALENDAR.spans((date, date) for date in recorded)
    said = Order(tellings, CALENDAR).by_interval(days, CALENDAR)
    return {date: hours for hours, dates in said for date in CALENDAR.dates(dates)}


def test_a_date_has_the_interval_of_the_telling_that_counts_on_it() -> None:
    assert intervals([2, 6, 9], told(2, 5, 24), told(6, 9, 48)) == {2: 24, 6: 48, 9: 48}
    assert intervals([4, 6], told(2, 8, 24), told(5, 9, 48)) == {4: 24, 6: 48}, "the one recorded last counts"


def test_a_date_between_two_tellings_has_the_interval_of_the_one_before_it() -> None:
    first, second = told(2, 4, 24), told(8, 9, 48)
    assert intervals([5, 7], first, second) == intervals([5, 7], second, first) == {5: 24, 7: 24}
    assert intervals([4, 6], told(2, 3, 24), told(5, 5, 48)) == {4: 24, 6: 48}


def test_a_date_before_all_tellings_has_the_interval_of_the_earliest_and_of_equal_ones_that_recorded_last() -> None:
    assert intervals([1], told(5, 6, 48), told(2, 3, 24)) == {1: 24}
    assert intervals([1, 7], told(2, 6, 24), told(2, 5, 48)) == {1: 48, 7: 48}


def test_a_telling_that_counts_on_no_recorded_date_says_nothing() -> None:
    order = Order([told(2, 4, 24), told(6, 9, 48)], CALENDAR)
    assert [hours for hours, _ in order.by_interval(CALENDAR.day(7), CALENDAR)] == [48]
    assert [hours for hours, _ in order.by_interval(CALENDAR.day(3), CALENDAR)] == [24]
    assert [hours for hours, _ in order.by_interval(CALENDAR.day(12), CALENDAR)] == [48]


def test_the_telling_that_counts_on_a_date_is_the_last_recorded_that_covers_it() -> None:
    first, second = told(2, 8, 24), told(5, 6, 48)
    order = Order([first, second], CALENDAR)
    on = {date: order.telling_on(CALENDAR.day(date)) for date in (1, 4, 5, 6, 7, 9)}
    assert on == {1: None, 4: first, 5: second, 6: second, 7: first, 9: None}


def test_an_order_told_in_parts_begins_and_ends_with_each_of_them_but_not_where_the_calendar_does() -> None:
    def edges(*tellings: Telling) -> tuple[list[int], list[int]]:
        order = Order(tellings, CALENDAR)
        return list(CALENDAR.dates(order.begins)), list(CALENDAR.dates(order.ends))

    assert edges(told(2, 4, 24), told(5, 6, 48), told(9, 25, 24)) == ([2, 9], [6])
    assert edges(told(2, 4, 24), told(15, 20, 24)) == ([2, 15], [4, 20])
