"""What an element of an answer says: money, dates, numbers and names, out of the text as it was sent."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Final

from ledger.facts.forms import FIRST_DATE, LARGEST_INTEGER, LAST_DATE, check_answer_code, check_any_decimal
from ledger.facts.texts import LONGEST_TEXT, fits
from ledger.x12.segments import Segment, Unreadable

_NUMBER: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?\Z")


def cents_at(segment: Segment, place: int) -> int:
    """An amount of money, in cents; 0 where there is none."""
    text = segment.at(place)
    if not text:
        return 0
    sign, whole, part = _number(segment, place, text)
    if part[2:].strip("0"):
        raise Unreadable(f"{segment.id}{place:02}: expected an amount of money in dollars and cents", segment.number)
    cents = int(whole or 0) * 100 + int(part[:2].ljust(2, "0"))
    if cents > LARGEST_INTEGER:
        raise Unreadable(f"{segment.id}{place:02}: expected an amount of money that somebody can pay", segment.number)
    return -cents if sign == "-" else cents


def quantity_at(segment: Segment, place: int) -> Decimal | None:
    """A number of units, in its shortest form; None where there is none."""
    text = segment.at(place)
    if not text:
        return None
    sign, whole, part = _number(segment, place, text)
    plain = f"{'-' * (sign == '-')}{whole.lstrip('0') or '0'}.{part}".rstrip("0").rstrip(".")
    try:
        return Decimal(check_any_decimal(plain))
    except ValueError:
        raise Unreadable(f"{segment.id}{place:02}: expected a number of units", segment.number) from None


def _number(segment: Segment, place: int, text: str) -> tuple[str, str, str]:
    found = _NUMBER.match(text) if len(text) <= 32 and text.isascii() else None
    if found is None or not (found[2] or found[3]):
        raise Unreadable(f"{segment.id}{place:02}: expected a number", segment.number)
    return found[1], found[2], found[3] or ""


def date_at(segment: Segment, place: int) -> date:
    """A date written CCYYMMDD."""
    return _date(segment, place, segment.at(place))


def _date(segment: Segment, place: int, text: str) -> date:
    try:
        if len(text) == 8 and text.isascii() and text.isdigit():
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
            if FIRST_DATE <= day.isoformat() <= LAST_DATE:
                return day
    except ValueError:
        pass
    raise Unreadable(f"{segment.id}{place:02}: expected a date written CCYYMMDD", segment.number)


def name_at(segment: Segment, place: int) -> str:
    """A name or number that the ledger may know something by; Unreadable where there is none."""
    text = unicodedata.normalize("NFC", segment.at(place))
    if not (text and len(text) <= LONGEST_TEXT and fits(text)):
        raise Unreadable(f"{segment.id}{place:02}: expected a name or number", segment.number)
    return text


def code_at(segment: Segment, place: int) -> str:
    """A code of capitals and digits."""
    try:
        code: str = check_answer_code(segment.at(place))
    except ValueError:
        raise Unreadable(f"{segment.id}{place:02}: expected a code of capitals and digits", segment.number) from None
    return code
