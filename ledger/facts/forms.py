"""The forms of single fields (rulebook section 2, "Forms, checked at the door").

Each alias is at once the type of a struct's field, its JSON schema, its sentence in the reference and in error
messages, and, through ``Meta(extra={"check": ...})``, the check the door runs. Checks run at the door only: an entry
that is in the ledger is read back without paying for them again.

A check takes a decoded JSON value and returns its canonical form, or raises ``ValueError`` when the form is wrong. A
value of a foreign type is passed through: ``msgspec.convert`` refuses it with the field's path.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final

from msgspec import Meta

from ledger.facts.zones import zone_names

FIRST_DATE: Final = "2000-01-01"
LAST_DATE: Final = "2099-12-31"
LARGEST_INTEGER: Final = 2**53 - 1
CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

_HCPCS = re.compile(r"(?:[A-Z][0-9]{4}|[0-9]{5})\Z")
_ICD10 = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?\Z")
_NDC = re.compile(r"[0-9]{11}\Z")
_NPI = re.compile(r"[0-9]{10}\Z")
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]{1,3})?\Z")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])\Z"
)


class Number:
    """A JSON number with a fraction or an exponent, as it was written: no float ever comes near a quantity or money."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if isinstance(value, str) and not pattern.match(value):
            raise ValueError
        return value

    return check


def check_date(value: Any) -> Any:
    """A service date within the bounds; that it is a real date is for the typed conversion to say."""
    if isinstance(value, str) and not (len(value) == 10 and FIRST_DATE <= value <= LAST_DATE):
        raise ValueError
    return value


def parse_instant(text: str) -> datetime:
    """An instant of the rulebook's form as an aware UTC datetime; ValueError for any other text."""
    if not _INSTANT.match(text):
        raise ValueError
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise ValueError from None


def check_instant(value: Any) -> Any:
    """A fact's instant as a UTC datetime, its UTC date within the bounds of dates."""
    if not isinstance(value, str):
        return value
    instant = parse_instant(value)
    if not 2000 <= instant.year <= 2099:
        raise ValueError
    return instant


def check_decimal(value: Any) -> Any:
    """A decimal above zero with at most three places, as canonical text (no trailing zeros)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not 0 < value < 10**128:
            raise ValueError
        return str(value)
    text = value.text if isinstance(value, Number) else value
    if not isinstance(text, str):
        return value
    if len(text) > 128 or not _DECIMAL.match(text) or not text.strip("0."):
        raise ValueError
    return text.rstrip("0").rstrip(".") if "." in text else text


def has_npi_check_digit(npi: str) -> bool:
    """Whether ten digits end in the check digit of an NPI: Luhn over 80840 and the number."""
    total = 24  # the Luhn sum of the prefix 80840
    for place, digit in enumerate(npi):
        doubled = int(digit) * (2 - place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


@lru_cache(maxsize=4096)
def _npi_is_valid(npi: str) -> bool:
    return bool(_NPI.match(npi)) and has_npi_check_digit(npi)


def check_npi(value: Any) -> Any:
    """An NPI of ten digits with a valid check digit."""
    if isinstance(value, str) and not _npi_is_valid(value):
        raise ValueError
    return value


def check_zone(value: Any) -> Any:
    """A time zone that the IANA database knows."""
    if isinstance(value, str) and value not in zone_names():
        raise ValueError
    return value


def _form(says: str, check: Callable[[Any], Any] | None = None, **constraints: Any) -> Meta:
    extra = {"check": check} if check else None
    return Meta(description=says, extra=extra, **constraints)


def _pattern(pattern: re.Pattern[str]) -> dict[str, str]:
    return {"pattern": "^" + pattern.pattern.removesuffix(r"\Z") + "$"}


check_hcpcs = _matching(_HCPCS)

Text = Annotated[str, _form("text of 1 to 128 characters, no control characters", min_length=1, max_length=128)]
FreeText = Annotated[str, _form("text of 1 to 1,000 characters, no control characters", min_length=1, max_length=1000)]
ServiceDate = Annotated[date, _form(f"a date written YYYY-MM-DD, from {FIRST_DATE} to {LAST_DATE}", check_date)]
Instant = Annotated[
    datetime,
    _form("an instant such as 2026-11-02T16:00Z or 2026-11-02T10:00:00-06:00, with Z or an offset", check_instant),
]
Quantity = Annotated[
    Decimal, _form("a number above 0 with at most 3 decimal places, no exponent, sign or leading zero", check_decimal)
]
Npi = Annotated[str, _form("an NPI: ten digits with a valid check digit", check_npi, extra_json_schema=_pattern(_NPI))]
Ndc = Annotated[str, _form("an NDC of 11 digits without dashes", _matching(_NDC), extra_json_schema=_pattern(_NDC))]
Hcpcs = Annotated[
    str,
    _form(
        "a HCPCS or CPT code: a capital letter and four digits, or five digits",
        check_hcpcs,
        extra_json_schema=_pattern(_HCPCS),
    ),
]
Icd10 = Annotated[
    str, _form("an ICD-10-CM code such as G89.3, in capitals", _matching(_ICD10), extra_json_schema=_pattern(_ICD10))
]
Zone = Annotated[str, _form("a time zone of the IANA database such as America/Chicago", check_zone)]
AtLeastOne = Annotated[int, _form("a whole number from 1", ge=1, le=LARGEST_INTEGER)]
Cents = Annotated[int, _form("an amount in whole cents, 0 or more", ge=0, le=LARGEST_INTEGER)]
PainScore = Annotated[int, _form("a whole number from 0 to 10", ge=0, le=10)]
