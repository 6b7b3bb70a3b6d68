"""The days of a page: runs of days that say the same, each day with its causes; and months to look at."""

from __future__ import annotations

from calendar import SUNDAY, Calendar
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Final

import msgspec

from ledger.facts.entry import Entry
from ledger.judge.case import Case
from ledger.judge.regions import JudgedDay, judged_days
from projections.page.sources import Cause, Sources
from projections.why.day_view import DayView
from projections.why.sentences import SENTENCES
from projections.why.telling import telling
from projections.words import MARKS, STATUS, iso, verdict_text, verdict_words

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

ELSEWHERE: Final = {
    "after_death": "the patient had died before the day",
    "inpatient": "the patient was in hospital",
    "pain_code_exclusion": "{code} and another per diem of the patient on the same day, and S9325 excludes the others",
    "specific_pair": "{code} and another per diem of the patient on the same day",
    "duplicate_per_diem": "{code} is billed twice on this day",
    "auth_exhausted": "the patient's authorized units are used up",
}
"""What is said instead where the details are those of another episode's entry, which the page does not show."""


class DayShown(msgspec.Struct, frozen=True, gc=False):
    """A service date with its day of the week, its verdict in words, and the entries that decided it."""

    date: str
    weekday: str
    status: str
    mark: str
    words: str
    causes: tuple[Cause, ...]


class RunShown(msgspec.Struct, frozen=True, gc=False):
    """Consecutive days of one verdict, read against one edition of terms, with one sentence for each of them."""

    from_: str
    to: str
    status: str
    mark: str
    words: str
    sentence: str
    terms: int | None
    authorization: str | None
    days: tuple[DayShown, ...]


class DateCell(msgspec.Struct, frozen=True, gc=False):
    """A date of a month; without a day it is no day of the episode."""

    number: int
    day: DayShown | None


class MonthShown(msgspec.Struct, frozen=True, gc=False):
    """A month as weeks from Sunday to Saturday; None where a week reaches out of the month."""

    name: str
    weeks: tuple[tuple[DateCell | None, ...], ...]


def runs_shown(
    case: Case, others: Sequence[Case], sources: Sources, editions: Sequence[tuple[str, object]]
) -> tuple[RunShown, ...]:
    """Every day of a judged episode in order; ``editions`` are the (payer, terms) that the page cites."""
    days = [_day_in_run(DayView(case, others, day.date), day, sources) for day in judged_days(case)]
    return tuple(_run(list(run), editions) for _, run in groupby(days, key=_sameness))


DayInRun = tuple[JudgedDay, DayShown, str]
"""A judged day, the day as it is shown, and its sentence."""


def _day_in_run(view: DayView, day: JudgedDay, sources: Sources) -> DayInRun:
    entries = view.deciding(day.verdict)
    shown = DayShown(
        iso(day.date),
        WEEKDAYS[date.fromordinal(day.date).weekday()],
        day.verdict.status,
        MARKS[day.verdict.status],
        verdict_words(verdict_text(day)),
        sources.of_entries(entries),
    )
    return day, shown, _sentence(view, day, entries, sources)


def _sentence(view: DayView, day: JudgedDay, entries: Sequence[Entry], sources: Sources) -> str:
    reason, general = str(day.verdict.reason), None
    if not all(map(sources.is_own, entries)):
        general = ELSEWHERE.get(reason, SENTENCES[day.verdict.words].because)
    return f"{STATUS[day.verdict.status].capitalize()}: {telling(view, day, general)}"


def _sameness(told: DayInRun) -> tuple[object, ...]:
    day, _, sentence = told
    return day.verdict, day.payer, id(day.terms), day.code, day.authorization, sentence


def _run(run: Sequence[DayInRun], editions: Sequence[tuple[str, object]]) -> RunShown:
    (day, first, sentence), (_, last, _) = run[0], run[-1]
    cited = next((n for n, (payer, terms) in enumerate(editions, 1) if payer == day.payer and terms is day.terms), None)
    return RunShown(
        first.date, last.date, first.status, first.mark, first.words, sentence, cited, day.authorization,
        tuple(shown for _, shown, _ in run),
    )  # fmt: skip


def months_shown(days: Iterable[DayShown]) -> Iterator[MonthShown]:
    """The months that the days lie in."""
    for month, in_month in groupby(days, key=lambda day: day.date[:7]):
        year, number = int(month[:4]), int(month[5:])
        by_number = {int(day.date[8:]): day for day in in_month}
        weeks = Calendar(SUNDAY).monthdayscalendar(year, number)
        yield MonthShown(
            f"{MONTHS[number - 1]} {year}",
            tuple(tuple(DateCell(n, by_number.get(n)) if n else None for n in week) for week in weeks),
        )
