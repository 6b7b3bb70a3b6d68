"""Cells become values, or are told what belongs there."""

from __future__ import annotations

from typing import Any

import pytest

from commands.sheets import cells
from commands.sheets.cells import Convert, Unfit
from commands.sheets.moments import DateForm


def unfit(convert: Convert, text: str) -> str:
    with pytest.raises(Unfit) as caught:
        convert(text)
    return caught.value.expected


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("00409-1234-01", "00409123401"),
        ("0409-1234-01", "00409123401"),
        ("63323-286-35", "63323028635"),
        ("42023-1141-0", "42023114100"),
        ("00409123401", "00409123401"),
    ],
)
def test_an_ndc_gets_its_zero_where_its_hyphens_say(text: str, digits: str) -> None:
    assert cells.as_ndc(text) == digits


def test_ten_digits_without_hyphens_are_told_where_the_zero_would_go() -> None:
    says = unfit(cells.as_ndc, "0409123401")
    for place in ("first part of 4-4-2", "second part of 5-3-2", "last part of 5-4-1"):
        assert place in says


@pytest.mark.parametrize("text", ["409123401", "4091234"])
def test_an_ndc_that_lost_its_zeros_in_a_spreadsheet_is_told_so(text: str) -> None:
    assert "format its column as text" in unfit(cells.as_ndc, text)


@pytest.mark.parametrize(
    "text", ["0409-123-01", "00409-1234-1-1", "00409-123-1", "004091234012", "x", "４２023-114-10"]
)
def test_what_is_no_ndc_is_refused(text: str) -> None:
    assert unfit(cells.as_ndc, text)


@pytest.mark.parametrize(
    ("convert", "text", "value"),
    [
        (cells.as_icd10, "g893", "G89.3"),
        (cells.as_icd10, "G89.3", "G89.3"),
        (cells.as_icd10, "C61", "C61"),
        (cells.as_icd10, "Z96652", "Z96.652"),
        (cells.as_code, "s9325", "S9325"),
        (cells.as_quantity, "2", "2"),
        (cells.as_quantity, "2.50", "2.5"),
        (cells.as_quantity, "1,000", "1000"),
        (cells.whole("a whole number"), "24.0", 24),
        (cells.whole("a whole number"), "0", 0),
        (cells.as_cents, "1862", 186200),
        (cells.as_cents, "$1,862.05", 186205),
        (cells.as_cents, "0.10", 10),
        (cells.as_units, "14", 14),
        (cells.as_units, "1.5", "1.5"),
        (cells.as_yes_or_no, "Y", True),
        (cells.as_yes_or_no, "false", False),
        (cells.one_of(("continuous", "implanted_pump")), "Implanted pump", "implanted_pump"),
        (cells.renamed("payers", {"HPL PPO": "hpl"}), "hpl ppo", "hpl"),
        (cells.listed(cells.as_code, None), "s9325; S9326,s9327", ["S9325", "S9326", "S9327"]),
        (cells.listed(cells.as_text, "/"), "a b / c", ["a b", "c"]),
    ],
)
def test_a_cell_becomes_its_value(convert: Convert, text: str, value: Any) -> None:
    assert convert(text) == value


@pytest.mark.parametrize(
    ("convert", "text"),
    [
        (cells.as_icd10, "893"), (cells.as_icd10, "G89.3.1"),
        (cells.as_quantity, "0"), (cells.as_quantity, "-1"), (cells.as_quantity, "1e3"), (cells.as_quantity, "1,00"),
        (cells.as_quantity, "NaN"), (cells.as_quantity, "٣"),
        (cells.whole("1"), "1.5"), (cells.whole("1"), "ten"), (cells.whole("1"), ""),
        (cells.as_cents, "1.005"), (cells.as_cents, "(5.00)"), (cells.as_cents, "-5"), (cells.as_cents, "5 USD"),
        (cells.as_yes_or_no, "perhaps"),
        (cells.one_of(("snf",)), "SECRETZQ"), (cells.renamed("payers", {"A": "a"}), "SECRETZQ"),
    ],
)  # fmt: skip
def test_a_cell_that_does_not_fit_is_told_what_belongs_there_and_not_what_is_there(convert: Convert, text: str) -> None:
    assert "SECRETZQ" not in unfit(convert, text)


# Dates and instants


@pytest.mark.parametrize(
    ("text", "form", "date"),
    [
        ("10/05/2026", "month/day/year", "2026-10-05"),
        ("10/5/2026", "month/day/year", "2026-10-05"),
        ("10-5-2026", "month/day/year", "2026-10-05"),
        ("5/10/2026", "day/month/year", "2026-10-05"),
        ("2026-10-05", "month/day/year", "2026-10-05"),
        ("2026-10-05 00:00:00", "month/day/year", "2026-10-05"),
        ("10/5/2026 12:00:00 AM", "month/day/year", "2026-10-05"),
        ("2026-10-05T14:30", "month/day/year", "2026-10-05"),
        ("05-Oct-2026", "month/day/year", "2026-10-05"),
        ("Oct 5, 2026", "day/month/year", "2026-10-05"),
        ("5 October 2026", "month/day/year", "2026-10-05"),
        ("20261005", "yyyymmdd", "2026-10-05"),
        ("46300", "excel", "2026-10-05"),
    ],
)
def test_a_date_is_read_as_it_is_written(text: str, form: DateForm, date: str) -> None:
    assert cells.as_date(form)(text) == date


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("10/5/26", "month/day/year"), ("13/05/2026", "month/day/year"), ("05/13/2026", "day/month/year"),
        ("2026-02-30", "month/day/year"), ("20261005", "month/day/year"), ("46300", "month/day/year"),
        ("10/05/2026 25:00", "month/day/year"), ("2026-10-05T02:00Z", "month/day/year"), ("", "month/day/year"),
        ("05-Foo-2026", "month/day/year"), ("9999999", "excel"), ("today", "excel"),
    ],
)  # fmt: skip
def test_what_is_no_date_is_told_the_form(text: str, form: DateForm) -> None:
    assert unfit(cells.as_date(form), text).startswith("a date such as")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("10/05/2026 14:30", "2026-10-05T14:30:00-05:00"),
        ("10/5/2026 2:30 PM", "2026-10-05T14:30:00-05:00"),
        ("10/5/2026 12:05 am", "2026-10-05T00:05:00-05:00"),
        ("2026-12-05 14:30:15", "2026-12-05T14:30:15-06:00"),
        ("2026-10-05T14:30Z", "2026-10-05T14:30:00Z"),
        ("2026-10-05 14:30-04:00", "2026-10-05T14:30:00-04:00"),
        ("10/05/2026 14:30 America/New_York", "2026-10-05T14:30:00-04:00"),
    ],
)
def test_a_local_time_gets_the_offset_of_its_zone(text: str, instant: str) -> None:
    assert cells.as_instant("month/day/year", "America/Chicago")(text) == instant


def test_a_time_that_never_came_or_came_twice_is_refused() -> None:
    convert = cells.as_instant("month/day/year", "America/Chicago")
    assert "clocks were put forward" in unfit(convert, "03/08/2026 02:30")
    assert "came twice" in unfit(convert, "11/01/2026 01:30")
    assert convert("11/01/2026 01:30-05:00") == "2026-11-01T01:30:00-05:00"


@pytest.mark.parametrize("text", ["10/05/2026", "10/05/2026 24:00", "10/05/2026 13:00 PM", "10/05/2026 10:75", "14:30"])
def test_what_is_no_instant_is_told_the_form(text: str) -> None:
    assert "with a time such as" in unfit(cells.as_instant("month/day/year", "America/Chicago"), text)


def test_without_a_zone_a_local_time_is_no_instant() -> None:
    assert unfit(cells.as_instant("month/day/year", None), "10/05/2026 14:30")


def test_where_a_date_will_do_the_time_may_be_absent() -> None:
    convert = cells.as_instant_or_date("month/day/year", "America/Chicago")
    assert convert("10/05/2026") == "2026-10-05"
    assert convert("10/05/2026  America/Chicago") == "2026-10-05"
    assert convert("10/05/2026 14:30") == "2026-10-05T14:30:00-05:00"
