"""Sets of dates as bit masks do what plain sets of dates do."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ledger.day_set import OPEN_END, Calendar, Days, smear

FIRST = date(2026, 11, 1).toordinal()

ordinals = st.integers(FIRST - 40, FIRST + 140)
calendars = st.builds(lambda first, length: Calendar(first, first + length - 1), ordinals, st.integers(0, 100))


def dates_of(calendar: Calendar) -> set[int]:
    return set(range(calendar.first, calendar.last + 1))


def mask(calendar: Calendar, dates: set[int]) -> Days:
    days = 0
    for each in dates:
        days |= calendar.day(each)
    return days


@st.composite
def calendars_with_dates(draw: st.DrawFn) -> tuple[Calendar, set[int]]:
    calendar = draw(calendars)
    dates = sorted(dates_of(calendar))
    return calendar, draw(st.sets(st.sampled_from(dates))) if dates else set()


@given(calendars_with_dates())
def test_a_set_gives_back_its_dates_in_order(given_dates: tuple[Calendar, set[int]]) -> None:
    calendar, dates = given_dates
    days = mask(calendar, dates)
    assert calendar.dates(days) == sorted(dates)
    assert days.bit_count() == len(dates)
    assert days & ~calendar.every == 0


@given(calendars)
def test_every_is_each_date_from_first_to_last(calendar: Calendar) -> None:
    assert calendar.dates(calendar.every) == sorted(dates_of(calendar))
    assert calendar.every == calendar.span(0, OPEN_END)


@given(calendars, st.lists(st.tuples(ordinals, st.one_of(ordinals, st.just(OPEN_END))), max_size=4))
def test_several_spans_are_the_dates_of_any_of_them(calendar: Calendar, spans: list[tuple[int, int]]) -> None:
    each = [set(calendar.dates(calendar.span(from_, to))) for from_, to in spans]
    assert set(calendar.dates(calendar.spans(spans))) == set().union(*each)


@given(calendars, ordinals)
def test_a_day_is_that_date_or_none(calendar: Calendar, ordinal: int) -> None:
    assert set(calendar.dates(calendar.day(ordinal))) == dates_of(calendar) & {ordinal}


@given(calendars, ordinals, st.one_of(ordinals, st.just(OPEN_END)))
def test_a_span_is_its_dates_within_the_calendar(calendar: Calendar, from_: int, to: int) -> None:
    spanned = {each for each in dates_of(calendar) if from_ <= each <= to}
    assert set(calendar.dates(calendar.span(from_, to))) == spanned


@given(calendars, ordinals, ordinals, ordinals, ordinals)
def test_sets_combine_as_sets_do(calendar: Calendar, a: int, b: int, c: int, d: int) -> None:
    one, other = calendar.span(a, b), calendar.span(c, d)
    ones, others = set(calendar.dates(one)), set(calendar.dates(other))
    assert set(calendar.dates(one | other)) == ones | others
    assert set(calendar.dates(one & other)) == ones & others
    assert set(calendar.dates(one & ~other)) == ones - others
    assert set(calendar.dates(calendar.every & ~one)) == dates_of(calendar) - ones


@given(calendars_with_dates())
def test_runs_are_the_unbroken_stretches(given_dates: tuple[Calendar, set[int]]) -> None:
    calendar, dates = given_dates
    firsts = sorted(each for each in dates if each - 1 not in dates)
    lasts = sorted(each for each in dates if each + 1 not in dates)
    assert list(calendar.runs(mask(calendar, dates))) == list(zip(firsts, lasts, strict=True))


@given(calendars_with_dates(), calendars)
def test_a_set_moves_to_another_calendar_as_far_as_it_reaches(
    given_dates: tuple[Calendar, set[int]], there: Calendar
) -> None:
    home, dates = given_dates
    assert set(there.dates(there.moved(mask(home, dates), home))) == dates & dates_of(there)


@given(calendars_with_dates(), st.integers(1, 200))
def test_a_smear_reaches_from_each_date_over_the_dates_after_it(
    given_dates: tuple[Calendar, set[int]], length: int
) -> None:
    calendar, dates = given_dates
    reached = {after for each in dates for after in range(each, each + length)}
    smeared = smear(mask(calendar, dates), length)
    assert set(calendar.dates(smeared & calendar.every)) == reached & dates_of(calendar)
    assert smeared.bit_count() == len(reached)
