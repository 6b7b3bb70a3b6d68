"""Days, instants and zones of the simulated world.

A day is a number counted from 2020-01-01, an instant a count of UTC minutes (or seconds, for arrivals) from that
midnight. Zones are plain arithmetic over the United States rule in force since 2007, so that no installed time zone
table can change a byte of the output.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

_BASE = date(2020, 1, 1).toordinal()
_DATES = [date.fromordinal(_BASE + n) for n in range(date(2031, 1, 1).toordinal() - _BASE)]

DAY = 86_400
ISO = [d.isoformat() for d in _DATES]
YEAR = [d.year for d in _DATES]
_MINUTE = [f"T{m // 60:02d}:{m % 60:02d}" for m in range(1440)]
_SECOND = [f":{s:02d}Z" for s in range(60)]


def day_of(year: int, month: int, day: int) -> int:
    """The day number of a calendar date."""
    return date(year, month, day).toordinal() - _BASE


def number_of(day: date) -> int:
    """The day number of a date."""
    return day.toordinal() - _BASE


FIRST_DAY = day_of(2023, 1, 1)
LAST_DAY = day_of(2026, 10, 31)
CUTOFF = day_of(2026, 11, 20) * DAY  # nothing arrives after this second


def next_month(day: int) -> int:
    """The first day of the month after the one `day` lies in."""
    d = _DATES[day]
    return day_of(d.year + d.month // 12, d.month % 12 + 1, 1)


def _sunday(year: int, month: int, nth: int) -> int:
    first = date(year, month, 1)
    return day_of(year, month, 1 + (6 - first.weekday()) % 7 + 7 * (nth - 1))


SPRING = {year: _sunday(year, 3, 2) for year in range(2020, 2031)}
AUTUMN = {year: _sunday(year, 11, 1) for year in range(2020, 2031)}


class Zone(NamedTuple):
    """An IANA name, its standard offset in minutes, and whether it keeps summer time."""

    name: str
    standard: int
    summer: bool


ZONES = (
    Zone("America/Chicago", -360, True),
    Zone("America/New_York", -300, True),
    Zone("America/Los_Angeles", -480, True),
    Zone("America/Phoenix", -420, False),
)


def to_utc(zone: Zone, day: int, minute: int) -> int:
    """The UTC minute of a local wall-clock time."""
    year = YEAR[day]
    summer = zone.summer and (SPRING[year], 120) <= (day, minute) < (AUTUMN[year], 120)
    return day * 1440 + minute - zone.standard - (60 if summer else 0)


def offset_at(zone: Zone, utc: int) -> int:
    """The zone's offset in minutes at a UTC minute."""
    if not zone.summer:
        return zone.standard
    day, minute = divmod(utc + zone.standard, 1440)
    year = YEAR[day]
    return zone.standard + (60 if (SPRING[year], 120) <= (day, minute) < (AUTUMN[year], 60) else 0)


def local_day(zone: Zone, utc: int) -> int:
    """The local date on which a UTC minute falls."""
    return (utc + offset_at(zone, utc)) // 1440


def stamp(utc: int) -> str:
    """An instant as devices write it: UTC, with seconds."""
    day, minute = divmod(utc, 1440)
    return f"{ISO[day]}{_MINUTE[minute]}:00Z"


def local_stamp(zone: Zone, utc: int) -> str:
    """An instant as people's systems write it: wall clock and offset."""
    offset = offset_at(zone, utc)
    day, minute = divmod(utc + offset, 1440)
    return f"{ISO[day]}{_MINUTE[minute]}-{-offset // 60:02d}:{-offset % 60:02d}"


def arrival_stamp(second: int) -> str:
    """A `recorded_at`."""
    day, rest = divmod(second, DAY)
    return f"{ISO[day]}{_MINUTE[rest // 60]}{_SECOND[rest % 60]}"
