"""One cell's text to the value that a fact has there; or what was expected of it, never what was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from commands.sheets.moments import DateForm, date_of, instant_of, instant_or_date_of

Convert = Callable[[str], Any]
"""Takes the text of a cell that is not empty; raises ``Unfit``."""

_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?\Z")
_NUMBER = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?\Z")
_NDC_PARTS = re.compile(r"([0-9]{4,5})-([0-9]{3,4})-([0-9]{1,2})\Z")
_ICD10 = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?\Z")
_SEPARATORS: Final = re.compile(r"[;,\s]+")

_YES: Final = frozenset({"yes", "y", "true", "t", "1", "x"})
_NO: Final = frozenset({"no", "n", "false", "f", "0"})
_ZERO_PLACE: Final = {
    (4, 4, 2): "in front of the first part",
    (5, 3, 2): "in front of the second part",
    (5, 4, 1): "in front of the last part",
}
NDC_EXPECTED: Final = (
    "an NDC of 11 digits, or one with hyphens in 4-4-2, 5-3-2 or 5-4-1 (the zero is put "
    + ", ".join(f"{place} of {'-'.join(map(str, parts))}" for parts, place in _ZERO_PLACE.items())
    + ")"
)
_TEN_DIGITS: Final = "an NDC with its hyphens: ten digits alone do not say where the zero goes, which is " + ", ".join(
    f"{place} of {'-'.join(map(str, parts))}" for parts, place in _ZERO_PLACE.items()
)
_LOST_ZEROS: Final = (
    "an NDC of 11 digits, or one with hyphens; fewer than ten digits are what a spreadsheet leaves of one that began "
    "with zeros: format its column as text"
)


class Unfit(ValueError):
    """A cell cannot be read; ``expected`` says what belongs there."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


def as_text(text: str) -> str:
    """Text as it is."""
    return text


def as_code(text: str) -> str:
    """A HCPCS or CPT code in capitals."""
    return text.upper()


def as_icd10(text: str) -> str:
    """A diagnosis code in capitals and with its dot."""
    code = text.upper()
    if not _ICD10.match(code):
        raise Unfit("an ICD-10-CM code such as G89.3 or G893")
    bare = code.replace(".", "")
    return f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 else bare


def as_ndc(text: str) -> str:
    """The 11 digits of an NDC, with the zero where its hyphens say."""
    if match := _NDC_PARTS.match(text):
        lengths = tuple(map(len, match.groups()))
        if lengths == (5, 4, 2) or lengths in _ZERO_PLACE:
            labeler, product, package = match.groups()
            return labeler.zfill(5) + product.zfill(4) + package.zfill(2)
    if text.isascii() and text.isdigit():
        if len(text) == 11:
            return text
        raise Unfit(_TEN_DIGITS if len(text) == 10 else _LOST_ZEROS if len(text) < 10 else NDC_EXPECTED)
    raise Unfit(NDC_EXPECTED)


def as_quantity(text: str) -> str:
    """A number above zero as the door takes it: no grouping, no trailing zeros."""
    if text.isascii() and text.isdigit() and text[0] != "0":
        return text
    number = _plain_number(text)
    if number is None or not number:
        raise Unfit("a number above 0 with at most 3 decimal places, such as 2 or 1.5")
    return format(number.normalize(), "f")


def whole(expected: str) -> Convert:
    """A whole number; a spreadsheet may write it 24.0."""

    def as_whole(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= 16:
            return int(text)
        number = _plain_number(text)
        if number is None or number != number.to_integral_value():
            raise Unfit(expected)
        return int(number)

    return as_whole


def as_cents(text: str) -> int:
    """An amount in dollars, in cents."""
    number = _plain_number(text.removeprefix("$").lstrip())
    if number is None or number * 100 != (number * 100).to_integral_value():
        raise Unfit("an amount in dollars with at most two decimal places, such as 1862.00 or $1,862.00")
    return int(number * 100)


def as_units(text: str) -> int | str:
    """Units of a claim line: whole if they are, else a decimal."""
    quantity = as_quantity(text)
    return quantity if "." in quantity else int(quantity)


def _plain_number(text: str) -> Decimal | None:
    if _GROUPED.match(text):
        text = text.replace(",", "").removesuffix(".")
    return Decimal(text) if _NUMBER.match(text) else None


def as_yes_or_no(text: str) -> bool:
    """Yes or no, in the usual ways to write it."""
    lowered = text.lower()
    if lowered in _YES:
        return True
    if lowered in _NO:
        return False
    raise Unfit("yes or no")


def one_of(allowed: tuple[str, ...]) -> Convert:
    """One of a few words, whatever its capitals and blanks."""
    by_word = {_word(each): each for each in allowed}

    def as_one_of(text: str) -> str:
        found = by_word.get(_word(text))
        if found is None:
            raise Unfit(f"one of {', '.join(allowed)}, or a [tables] of the mapping that says which one is meant")
        return found

    return as_one_of


def _word(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", text.strip().casefold())


def renamed(name: str, table: Mapping[str, str]) -> Convert:
    """What a table of the mapping has for a value, whatever its capitals."""
    by_word = {key.strip().casefold(): value for key, value in table.items()}
    known = ", ".join(table) if len(table) <= 12 else f"{', '.join(list(table)[:12])} and {len(table) - 12} more"

    def rename(text: str) -> str:
        found = by_word.get(text.casefold())
        if found is None:
            raise Unfit(f"one of {known}; or add what stands here to [tables.{name}] of the mapping")
        return found

    return rename


def after(first: Convert, then: Convert) -> Convert:
    """One conversion upon another."""
    return lambda text: then(first(text))


def listed(each: Convert, split: str | None) -> Convert:
    """Several values in one cell, split at a mark; without one at semicolons, commas and blanks."""

    def convert(text: str) -> list[Any]:
        return [each(part) for part in parts_of(text, split)]

    return convert


def parts_of(text: str, split: str | None) -> list[str]:
    """The parts of a cell that holds several values; empty ones are none."""
    parts = text.split(split) if split else _SEPARATORS.split(text)
    return [part.strip() for part in parts if part.strip()]


def as_date(form: DateForm) -> Convert:
    """A date in the form that the mapping names, or one that can be told from every other."""

    def convert(text: str) -> str:
        return date_of(text, form) or _found(None, _DATES[form])

    return convert


def as_instant(form: DateForm, zone: str | None) -> Convert:
    """An instant; local time is read in a zone."""
    return lambda text: _moment(instant_of(text, form, zone), form)


def as_instant_or_date(form: DateForm, zone: str | None) -> Convert:
    """An instant, or a date where no time is given."""
    return lambda text: _moment(instant_or_date_of(text, form, zone), form)


_DATES: Final[Mapping[DateForm, str]] = {
    "month/day/year": "a date such as 10/05/2026 (month, day, year of four digits) or 2026-10-05",
    "day/month/year": "a date such as 05/10/2026 (day, month, year of four digits) or 2026-10-05",
    "yyyymmdd": "a date such as 20261005 or 2026-10-05",
    "excel": "a date such as 2026-10-05, or a spreadsheet's number of a day",
}


def _found(value: str | None, expected: str) -> str:
    if value is None:
        raise Unfit(expected)
    return value


def _moment(value: str | None, form: DateForm) -> str:
    if value is not None and value[:1].isalpha():
        raise Unfit(value)
    return _found(value, f"{_DATES[form]} with a time such as 14:30 or 2:30 PM, or with an offset as in 14:30-05:00")
