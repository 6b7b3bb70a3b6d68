"""Verdict calendars for a terminal: one line a month, one mark a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from projections.rows.day import DayRow
from projections.tables import WIDEST
from projections.words import MARKS, counted, dollars, runs, verdict_of

LEGEND: Final = "✓ billable   ? hold   ✕ not billable   ! conflict   · no day of the episode"

_MONTH: Final = len("2026-01")


def calendars(rows: Iterable[DayRow], widest: int = WIDEST) -> Iterator[str]:
    """A block of lines for each episode: its months with their marks, then its verdicts as runs of dates.

    Where there is no room for the number of each day, every second one has its own.
    """
    for (patient, episode), days in groupby(rows, key=lambda row: (row.patient, row.episode)):
        yield "\n".join(_episode(patient, episode, list(days), widest))


def _episode(patient: str, episode: str, days: list[DayRow], widest: int) -> Iterator[str]:
    billable = sum(day.rate_cents or 0 for day in days)
    count = sum(day.status == "billable" for day in days)
    whose = f"{episode} of {patient}" if patient else episode  # of the forgotten only the days are left
    yield f"{whose}: {counted(len(days), 'day')}, {count} billable, {dollars(billable)}"
    each, every = (3, 1) if widest >= _MONTH + 31 * 3 else (2, 2)
    yield " " * _MONTH + "".join(f"{number:>{each}}".ljust(each * every) for number in range(1, 32, every)).rstrip()
    for month, in_month in groupby(days, key=lambda day: day.date[:7]):
        marks = {int(day.date[8:]): MARKS[day.status] for day in in_month}
        yield month + "".join(f"{marks.get(number, '·'):>{each}}" for number in range(1, 32))
    for first, last, said in verdict_runs(days):
        yield f"  {first}" + (f" to {last}" if last != first else " " * 14) + f"  {said}"


def verdict_runs(days: Iterable[DayRow]) -> Iterator[tuple[str, str, str]]:
    """Consecutive days with the same words: first date, last date, the words."""
    for run in runs(days, words):
        yield run[0].date, run[-1].date, words(run[0])


def words(day: DayRow) -> str:
    """A day's verdict in two words."""
    return verdict_of(day.status, day.reason, day.code)
