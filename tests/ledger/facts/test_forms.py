"""The forms of single fields: what each takes, in which canonical shape, and what passes to the typed conversion."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts.forms import (
    LARGEST_INTEGER,
    Number,
    check_date,
    check_decimal,
    check_hcpcs,
    check_instant,
    check_npi,
    check_zone,
    has_npi_check_digit,
    parse_instant,
)
from ledger.facts.texts import CONTROL_CHARACTER

CHECKS: list[Callable[[Any], Any]] = [check_date, check_decimal, check_hcpcs, check_instant, check_npi, check_zone]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("value", [None, True, [], {}, 1.5])
def test_a_value_of_a_foreign_type_is_left_to_the_conversion(check: Callable[[Any], Any], value: Any) -> None:
    assert check(value) is value


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-02T16:00Z", datetime(2026, 11, 2, 16, tzinfo=UTC)),
        ("2026-11-02T16:00:30Z", datetime(2026, 11, 2, 16, 0, 30, tzinfo=UTC)),
        ("2026-11-02T16:00:30.5Z", datetime(2026, 11, 2, 16, 0, 30, 500_000, tzinfo=UTC)),
        ("2026-11-02T16:00:30.123456Z", datetime(2026, 11, 2, 16, 0, 30, 123_456, tzinfo=UTC)),
        ("2026-11-02T10:00-06:00", datetime(2026, 11, 2, 16, tzinfo=UTC)),
        ("2026-11-02T21:30:00+05:30", datetime(2026, 11, 2, 16, tzinfo=UTC)),
        ("2026-11-02T16:00-00:00", datetime(2026, 11, 2, 16, tzinfo=UTC)),
        ("2000-01-01T00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("2099-12-31T23:59:59.999999Z", datetime(2099, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("1999-12-31T20:00-05:00", datetime(2000, 1, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_instant_is_taken_in_utc(text: str, instant: datetime) -> None:
    assert check_instant(text) == parse_instant(text) == instant
    assert check_instant(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["1999-12-31T23:59:59.999999Z", "2100-01-01T00:00Z", "2099-12-31T20:00-05:00"])
def test_a_facts_instant_lies_within_the_bounds_in_utc(text: str) -> None:
    assert parse_instant(text)
    with pytest.raises(ValueError):
        check_instant(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+01:00", "9999-12-31T23:00-05:00"])
def test_an_instant_out_of_all_calendars_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_instant(text)


@given(st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)), st.integers(-1439, 1439))
def test_every_instant_as_any_zone_writes_it(at: datetime, offset: int) -> None:
    written = f"{at.isoformat()}{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    assert check_instant(written) == datetime.fromisoformat(written)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (10**128 - 1, "9" * 128),
        ("1", "1"),
        ("1.50", "1.5"),
        ("10.0", "10"),
        ("100", "100"),
        ("0.001", "0.001"),
        ("0.100", "0.1"),
        (Number("2.5"), "2.5"),
        (Number("2.000"), "2"),
    ],
)
def test_a_decimal_has_one_canonical_text(value: Any, text: str) -> None:
    assert check_decimal(value) == text


@pytest.mark.parametrize(
    "value",
    [0, -1, 10**128, "0", "0.0", "00", "01", "1.", ".5", "1.0001", "+1", "-1", "1e3", "1E3", "NaN", "inf", "Infinity",
     "1_0", " 1", "1 ", "1\n", "१", "", "9" * 129, Number("1e3"), Number("0.0"), Number("-1.5"), Number("1.0001")],
)  # fmt: skip
def test_a_decimal_of_another_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        check_decimal(value)


@given(st.decimals(min_value="0.001", max_value="999999", places=3))
def test_a_canonical_decimal_is_the_same_number(number: Decimal) -> None:
    text = check_decimal(str(number))
    assert Decimal(text) == number
    assert check_decimal(text) == text
    assert not re.search(r"\.\d*0$|\.$", text)


@pytest.mark.parametrize("npi", ["1234567893", "1888888884", "1999999984"])
def test_an_npi_with_its_check_digit_is_taken(npi: str) -> None:
    assert check_npi(npi) == npi


@given(st.from_regex(r"[12][0-9]{8}", fullmatch=True))
def test_nine_digits_have_one_check_digit(nine: str) -> None:
    valid = [nine + digit for digit in "0123456789" if has_npi_check_digit(nine + digit)]
    luhn = sum(sum(divmod(int(d) * (2 - at % 2), 10)) for at, d in enumerate(reversed("80840" + nine)))
    assert valid == [nine + str(-luhn % 10)]


@given(st.sampled_from(["1234567893", "1888888884", "1999999984"]), st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_of_an_npi_is_noticed(npi: str, place: int, by: int) -> None:
    wrong = npi[:place] + str((int(npi[place]) + by) % 10) + npi[place + 1 :]
    with pytest.raises(ValueError):
        check_npi(wrong)


@pytest.mark.parametrize(
    "zone", ["America/Chicago", "Pacific/Honolulu", "America/Indiana/Knox", "America/Fort_Wayne", "Asia/Calcutta"]
)
def test_a_zone_of_the_database_is_taken(zone: str) -> None:
    assert check_zone(zone) == zone


@pytest.mark.parametrize(
    "zone",
    ["Factory", "localtime", "CDT", "America", "America/chicago", "posix/UTC", "/UTC", "UTC", "Etc/UTC", "US/Central",
     "EST", "Canada/Eastern", "posix/America/Chicago", "America/Chicago ", "America/../UTC", "America/Nowhere"],
)  # fmt: skip
def test_what_is_no_place_is_refused(zone: str) -> None:
    with pytest.raises(ValueError):
        check_zone(zone)


def test_control_characters_are_those_of_unicode_and_lone_surrogates() -> None:
    found = {code for code in range(0x11000) if CONTROL_CHARACTER.search(chr(code))}
    assert found == {*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)}


def test_integers_go_as_far_as_every_reader_of_json_can_hold() -> None:
    assert float(LARGEST_INTEGER) == LARGEST_INTEGER == 9_007_199_254_740_991
