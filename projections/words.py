"""Words for reports: dates, instants, money and verdicts as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from ledger.judge.regions import JudgedDay

STATUS: Final = {"billable": "billable", "not_billable": "not billable", "hold": "on hold", "conflict": "in conflict"}
"""A verdict's first word as a person says it."""
MARKS: Final = {"billable": "✓", "hold": "?", "not_billable": "✕", "conflict": "!"}
"""A verdict's first word as one mark of a calendar."""


def verdict_text(day: JudgedDay) -> str:
    """A day's verdict in two words: ``billable S9325``, ``hold plan_missing``."""
    return f"{day.verdict.status} {day.verdict.reason or day.code}"


def utc_text(at: datetime) -> str:
    """An instant as rows carry it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def minute(instant: str) -> str:
    """An instant of a row as a person reads it, to the minute."""
    return f"{instant[:10]} {instant[11:16]} UTC"


@lru_cache(maxsize=65_536)
def iso(ordinal: int) -> str:
    """A service date as reports write it."""
    return date.fromordinal(ordinal).isoformat()


def dollars(cents: int) -> str:
    """Whole cents as dollars."""
    return f"{cents // 100}.{cents % 100:02d} dollars"


def date_runs(dates: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Dates, ascending, as unbroken runs: first and last of each."""
    first = last = ""
    for day in dates:
        if last and date.fromisoformat(day).toordinal() - date.fromisoformat(last).toordinal() == 1:
            last = day
            continue
        if first:
            yield first, last
        first = last = day
    if first:
        yield first, last
