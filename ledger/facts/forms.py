"""The forms of single fields (rulebook section 2, "Forms, checked at the door").

Each alias is at once the type of a struct's field, its JSON schema, its sentence in the reference and in error
messages, and, through ``Meta(extra=...)``, what the door holds it to. Forms bind the door and never the past: an entry
that is in the ledger is read back whatever today's forms are.

A check takes a decoded JSON value and returns its canonical form, or raises ``ValueError`` when the form is wrong. A
value of a foreign type is passed through: ``msgspec.convert`` refuses it with the field's path. A check that is ``new``
came with edition 2: what was recorded before it may not pass it, and is known again all the same when it is sent again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final, NamedTuple

from msgspec import Meta

from ledger.facts.texts import LONGEST_FREE_TEXT, LONGEST_TEXT, TextKind
from ledger.facts.zones import is_place, places_meant

FIRST_DATE: Final = "2000-01-01"
FIRST_EARLY_DATE: Final = "1900-01-01"
LAST_DATE: Final = "2099-12-31"
LARGEST_INTEGER: Final = 2**53 - 1

_HCPCS = re.compile(r"(?:[A-Z][0-9]{4}|[0-9]{5})\Z")
_ICD10 = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?\Z")
_NDC = re.compile(r"[0-9]{11}\Z")
_NPI = re.compile(r"[0-9]{10}\Z")
_MODIFIER = re.compile(r"[A-Z0-9]{2}\Z")
_ANY_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]{1,8})?\Z")
_STATE = re.compile(r"[A-Z]{2}\Z")
_ZIP = re.compile(r"[0-9]{5}(?:[0-9]{4})?\Z")
_ANSWER_CODE = re.compile(r"[0-9A-Z]{1,10}\Z")
_BASIC = re.compile(r"[A-Z0-9 !\"&'()+,\-./;?=]+\Z")
_SPELLED = str.maketrans({"ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d",
                          "Ð": "D", "þ": "th", "Þ": "TH", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ı": "i",
                          "’": "'", "‘": "'", "–": "-", "—": "-"})  # fmt: skip
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]{1,3})?\Z")
_is_instant = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])\Z"
).match


Check = Callable[[Any], Any]


class Number:
    """A JSON number with a fraction or an exponent, as it was written: no float ever comes near a quantity or money."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _matching(pattern: re.Pattern[str]) -> Check:
    def check(value: Any) -> Any:
        if isinstance(value, str) and not pattern.match(value):
            raise ValueError
        return value

    return check


def check_source(value: Any) -> Any:
    """The name of a source, which reports set before an id with a colon between them."""
    if isinstance(value, str) and ":" in value:
        raise ValueError
    return value


def check_date(value: Any) -> Any:
    """A service date within the bounds; that it is a real date is for the typed conversion to say."""
    if isinstance(value, str) and not (len(value) == 10 and FIRST_DATE <= value <= LAST_DATE):
        raise ValueError
    return value


def check_early_date(value: Any) -> Any:
    """The first date of coverage or of a diagnosis, which may lie long before the ledger's own dates."""
    if isinstance(value, str) and not (len(value) == 10 and FIRST_EARLY_DATE <= value <= LAST_DATE):
        raise ValueError
    return value


def _at_most(largest: int) -> Check:
    def check(value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool) and value > largest:
            raise ValueError
        return value

    return check


def parse_instant(text: str) -> datetime:
    """An instant of the rulebook's form as an aware UTC datetime; ValueError for any other text."""
    if not _is_instant(text):
        raise ValueError
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is UTC:
        return instant
    try:
        return instant.astimezone(UTC)
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


def canonical_instant(instant: datetime) -> str:
    """The one text of an instant: UTC, seconds, and six decimals or none."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def check_instant_or_date(value: Any) -> Any:
    """An instant in its canonical text, or a date as it is: the two are not the same content."""
    if not isinstance(value, str):
        return value
    if len(value) == 10:
        date.fromisoformat(check_date(value))
        return value
    return canonical_instant(check_instant(value))


def as_stored_at(text: str) -> str:
    """The canonical text of an instant or date as any edition stored it; ValueError for anything else."""
    if len(text) == 10:
        return date.fromisoformat(text).isoformat()
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError
    return canonical_instant(instant)


def check_units(value: Any) -> Any:
    """Units of a claim line: whole numbers as they are, else a decimal; which codes take which, the line says."""
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_INTEGER
    return value if whole else check_decimal(value)


def check_modifiers(value: Any) -> Any:
    """At most four modifiers of two capitals or digits, no repeats."""
    if isinstance(value, list):
        fit = all(isinstance(each, str) and _MODIFIER.match(each) for each in value)
        if len(value) > 4 or not fit or len(set(value)) < len(value):
            raise ValueError
    return value


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


def folded(text: str) -> str:
    """A text in the basic character set of a claim's file: capitals, no accents; what has no counterpart stays."""
    spelled = text.translate(_SPELLED)
    plain = (mark for mark in unicodedata.normalize("NFKD", spelled) if not unicodedata.combining(mark))
    return "".join(plain).upper()


def check_person_line(value: Any) -> Any:
    """A name or a line of an address: what of it stands on a claim has 1 to 55 characters of the basic set."""
    return _check_folded(value, 1, 55)


def check_city(value: Any) -> Any:
    """A city, likewise, of 2 to 30."""
    return _check_folded(value, 2, 30)


def check_group(value: Any) -> Any:
    """A number that an insurer gave, likewise, of 2 to 80."""
    return _check_folded(value, 2, 80)


def _check_folded(value: Any, shortest: int, longest: int) -> Any:
    if isinstance(value, str):
        on_claim = folded(value)
        if not (shortest <= len(on_claim) <= longest and _BASIC.match(on_claim)):
            raise ValueError
    return value


def check_any_decimal(value: Any) -> Any:
    """A decimal as a payer may send it, zero and below included, as canonical text."""
    if isinstance(value, bool):
        return value
    text = value.text if isinstance(value, Number) else str(value) if isinstance(value, int) else value
    if not isinstance(text, str):
        return value
    if len(text) > 32 or not _ANY_DECIMAL.match(text):
        raise ValueError
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if plain == "-0" else plain


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
    """A place of the IANA time zone database."""
    if isinstance(value, str) and not is_place(value):
        raise ValueError
    return value


class Bound(NamedTuple):
    """What the door holds a field to besides its type."""

    check: Check | None = None
    new: bool = False
    text: TextKind | None = None
    meant: Callable[[str], str | None] | None = None


def _form(says: str, check: Check | None = None, **constraints: Any) -> Meta:
    return Meta(description=says, extra={"bound": Bound(check)}, **constraints)


def _new(says: str, check: Check, meant: Callable[[str], str | None] | None = None, **constraints: Any) -> Meta:
    return Meta(description=says, extra={"bound": Bound(check, new=True, meant=meant)}, **constraints)


def _pattern(pattern: re.Pattern[str]) -> dict[str, str]:
    return {"pattern": "^" + pattern.pattern.removesuffix(r"\Z") + "$"}


check_hcpcs = _matching(_HCPCS)
check_answer_code = _matching(_ANSWER_CODE)


def _text(says: str, kind: TextKind, longest: int, check: Check | None = None) -> Meta:
    bound = Bound(check, new=True, text=kind)
    return Meta(description=says, extra={"bound": bound}, min_length=1, max_length=longest)


_TEXT: Final = "text of 1 to 128 characters that can all be seen, no space at either end"
Text = Annotated[str, _text(_TEXT, "text", LONGEST_TEXT)]
Name = Annotated[str, _text(_TEXT, "name", LONGEST_TEXT)]
"""What the ledger knows something by: of any form where it stands in the ledger already exactly so."""
Source = Annotated[str, _text(f"{_TEXT}, and no colon", "text", LONGEST_TEXT, check_source)]
Target = Annotated[str, _form("the source or id of an earlier entry, exactly as it was sent")]
FreeText = Annotated[
    str, _text("text of 1 to 1,000 characters on one line, no space at either end", "free", LONGEST_FREE_TEXT)
]
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
_CLAIM_CHARACTERS: Final = "letters, digits, spaces and ! \" & ' ( ) + , - . / ; ? = (an accent is left out on a claim)"


def _on_claim(says: str, check: Check) -> Meta:
    bound = Bound(check, text="text")
    return Meta(description=f"{says} of {_CLAIM_CHARACTERS}", extra={"bound": bound}, min_length=1)


PersonLine = Annotated[str, _on_claim("a name or address line of 1 to 55", check_person_line)]
City = Annotated[str, _on_claim("a city of 2 to 30", check_city)]
GroupNumber = Annotated[str, _on_claim("a number of 2 to 80", check_group)]
State = Annotated[str, _form("a state of two capitals", _matching(_STATE), extra_json_schema=_pattern(_STATE))]
Zip = Annotated[
    str, _form("a ZIP code of 5 or 9 digits, without a dash", _matching(_ZIP), extra_json_schema=_pattern(_ZIP))
]
AnswerCode = Annotated[
    str,
    _form("a code of 1 to 10 capitals and digits", check_answer_code, extra_json_schema=_pattern(_ANSWER_CODE)),
]
AnyCents = Annotated[int, _form("an amount in whole cents, below 0 too", ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
AnyQuantity = Annotated[Decimal, _form("a number with at most 8 decimal places, below 0 too", check_any_decimal)]
Zone = Annotated[
    str, _new("a time zone by its place in the IANA database, such as America/Chicago", check_zone, places_meant)
]
AtLeastOne = Annotated[int, _form("a whole number from 1", ge=1, le=LARGEST_INTEGER)]
Rank = Annotated[int, _new("a whole number from 1 to 9", _at_most(9), ge=1, le=LARGEST_INTEGER)]
IntervalHours = Annotated[int, _new("a whole number from 1 to 8,784", _at_most(8784), ge=1, le=LARGEST_INTEGER)]
DaysSupply = Annotated[int, _new("a whole number from 1 to 366", _at_most(366), ge=1, le=LARGEST_INTEGER)]
EarlyDate = Annotated[
    date, _form(f"a date written YYYY-MM-DD, from {FIRST_EARLY_DATE} to {LAST_DATE}", check_early_date)
]
InstantOrDate = Annotated[
    str, _form("an instant such as 2026-11-02T16:00Z, with Z or an offset, or a date", check_instant_or_date)
]
Units = Annotated[
    int | Decimal,
    _new("a whole number from 1; for a code that is no per diem also with up to 3 decimal places", check_units),
]
Modifiers = Annotated[
    tuple[str, ...], _new("a list of at most four modifiers of two capitals or digits, no repeats", check_modifiers)
]
Cents = Annotated[int, _form("an amount in whole cents, 0 or more", ge=0, le=LARGEST_INTEGER)]
PainScore = Annotated[int, _form("a whole number from 0 to 10", ge=0, le=10)]
