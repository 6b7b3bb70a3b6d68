"""Dates, instants, spans and zones, as section 2 writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


def instant(text: str) -> datetime:
    """An instant with offset, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def a_date(value: str | date) -> date:
    """A date, given as such or as `YYYY-MM-DD`."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def optional_date(value: str | date | None) -> date | None:
    """A date, or none where the field is absent."""
    return None if value is None else a_date(value)


@cache
def zone_named(name: str) -> ZoneInfo:
    """A zone as the pinned `tzdata` package knows it, never the machine's own files."""
    with resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """The calendar date of an instant in a zone."""
    return at.astimezone(zone).date()


def local_noon(day: date, zone: ZoneInfo) -> datetime:
    """The instant that a date alone stands for."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC)


def dates_between(first: date, last: date) -> Iterator[date]:
    """Every date from `first` to `last`, both included."""
    day = first
    while day <= last:
        yield day
        day += ONE_DAY


def touched(started: datetime, stopped: datetime, zone: ZoneInfo) -> list[date]:
    """The local dates of a run; one that stops at 00:00 ends on the date before."""
    return list(dates_between(local_date(started, zone), local_date(stopped - MOMENT, zone)))


def in_text(days: Iterable[date]) -> list[str]:
    """Dates for a row: sorted, no repeats."""
    return [day.isoformat() for day in sorted(set(days))]


@dataclass(frozen=True)
class Span:
    """Dates `first`..`last`, both included; no `last` means open."""

    first: date
    last: date | None

    def covers(self, day: date) -> bool:
        """Is the date within the span?"""
        return self.first <= day and (self.last is None or day <= self.last)

    def cut(self, last: date) -> Span:
        """The span ended on this date at the latest."""
        return Span(self.first, last if self.last is None else min(self.last, last))

    def shares_a_date(self, other: Span) -> bool:
        """Is there a date in both?"""
        return self.covers(other.first) or other.covers(self.first)
