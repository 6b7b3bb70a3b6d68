"""Dates and times as spreadsheets write them, as the ledger's texts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from ledger.facts.zones import is_place
from ledger.facts.zones import zone as zone_named

DateForm = Literal["month/day/year", "day/month/year", "yyyymmdd", "excel"]
"""How an export writes its dates; ISO dates and dates with the month's name are read beside each."""

_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})\Z")
_SLASHED = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})\Z")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})\Z")
_SERIAL = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,12})?\Z")
_NAMED = re.compile(
    r"([0-9]{1,2})[ -]([A-Za-z]{3,9})\.?[ -]([0-9]{4})\Z|([A-Za-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4})\Z"
)
_TIME = re.compile(
    r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,6})?)?(?: ?([AaPp])\.?[Mm]\.?)?"
    r" ?(Z|[+-][0-9]{2}:[0-9]{2})?\Z"
)
_BEFORE_TIME = re.compile(r"(?:^|[T ])(?=[0-9]{1,2}:[0-9]{2})")
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_FIRST_SERIAL: Final = date(1899, 12, 30)

NO_SUCH_TIME: Final = "a time that there was: clocks were put forward past this one; look it up, or give its offset"
TWICE: Final = "a time with its offset, such as 01:30-05:00: clocks were put back, and this one came twice"


@lru_cache(maxsize=65_536)
def date_of(text: str, form: DateForm) -> str | None:
    """The date of a cell as YYYY-MM-DD, without the time of day that may stand after it; None if it is none."""
    if (found := _date(text, form)) is not None:
        return found
    day, gap, time = text.replace("T", " ", 1).partition(" ")
    clock = _TIME.match(time.strip()) if gap else None
    if clock and clock[5] is None and _hour(clock) is not None:
        return _date(day, form)
    return None


def _date(text: str, form: DateForm) -> str | None:
    parts = _parts(text, form)
    if parts is None:
        return None
    try:
        return date(*parts).isoformat()
    except ValueError:
        return None


def _parts(text: str, form: DateForm) -> tuple[int, int, int] | None:
    """Year, month and day."""
    if match := _ISO.match(text):
        return int(match[1]), int(match[2]), int(match[3])
    if match := _NAMED.match(text):
        day, month, year = (match[1], match[2], match[3]) if match[1] else (match[5], match[4], match[6])
        number = _MONTHS.get(month[:3].lower())
        return (int(year), number, int(day)) if number else None
    if form in ("month/day/year", "day/month/year") and (match := _SLASHED.match(text)):
        first, second = int(match[1]), int(match[2])
        return (int(match[3]), first, second) if form == "month/day/year" else (int(match[3]), second, first)
    if form == "yyyymmdd" and (match := _COMPACT.match(text)):
        return int(match[1]), int(match[2]), int(match[3])
    if form == "excel" and _SERIAL.match(text):
        day_of = _FIRST_SERIAL + timedelta(days=int(float(text)))
        return day_of.year, day_of.month, day_of.day
    return None


def instant_of(text: str, form: DateForm, zone: str | None) -> str | None:
    """The instant of a cell with an offset; None if it is none, else a sentence where its clock does not say which."""
    text, zone = _zone_apart(text, zone)
    day, time = _day_and_time(text)
    found, clock = date_of(day, form), _TIME.match(time)
    hour = _hour(clock) if clock else None
    if found is None or clock is None or hour is None or (clock[5] is None and zone is None):
        return None
    minute, second = int(clock[2]), int(clock[3] or 0)
    if minute > 59 or second > 59:
        return None
    local = f"{found}T{hour:02}:{minute:02}:{second:02}"
    return local + clock[5] if clock[5] else _in_zone(local, zone or "")


def instant_or_date_of(text: str, form: DateForm, zone: str | None) -> str | None:
    """An instant, or a date if there is no time of day."""
    day, time = _day_and_time(_zone_apart(text, zone)[0])
    return instant_of(text, form, zone) if time else date_of(day, form)


def has_time(text: str) -> bool:
    """Whether a text has a time of day in it."""
    return bool(_day_and_time(text)[1])


def _zone_apart(text: str, zone: str | None) -> tuple[str, str | None]:
    """A text without the place that stands at its end, and the place, if one does."""
    rest, _, last = text.rpartition(" ")
    return (rest.strip(), last) if last[:1].isalpha() and is_place(last) else (text, zone)


def _day_and_time(text: str) -> tuple[str, str]:
    if match := _BEFORE_TIME.search(text):
        return text[: match.start()].strip(), text[match.end() :].strip()
    return text, ""


def _hour(clock: re.Match[str]) -> int | None:
    hour, half = int(clock[1]), (clock[4] or "").lower()
    if half:
        return hour % 12 + (12 if half == "p" else 0) if 1 <= hour <= 12 else None
    return hour if hour < 24 else None


@lru_cache(maxsize=65_536)
def _in_zone(local: str, name: str) -> str:
    """A local time with its offset, or a sentence if it never came or came twice."""
    place = zone_named(name)
    naive = datetime.fromisoformat(local)
    first, second = naive.replace(tzinfo=place), naive.replace(tzinfo=place, fold=1)
    if first.astimezone(UTC).astimezone(place).replace(tzinfo=None) != naive:
        return NO_SUCH_TIME
    return first.isoformat() if first.utcoffset() == second.utcoffset() else TWICE
