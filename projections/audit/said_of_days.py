"""What is said of the days of an episode, as sets of dates: so two states are compared by what differs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from ledger.day_set import Calendar, Days
from ledger.judge.case import Case
from ledger.judge.regions import JudgedDay, days_alike

Said = TypeVar("Said", bound=Hashable)
"""What is said of a day, such as its verdict; its date is no part of it."""


class SaidOfDays(NamedTuple, Generic[Said]):
    """What is said of the days of an episode, each with the dates it is said of."""

    calendar: Calendar
    dates: dict[Said, Days]

    def by_date(self, within: Days | None = None) -> dict[int, Said]:
        """What is said of each date (ordinal), in no order."""
        return {
            date: said
            for said, days in self.dates.items()
            for date in self.calendar.dates(days if within is None else days & within)
        }

    def on(self, date: int) -> Said | None:
        """What is said of a date; None of one that is none of its days."""
        day = self.calendar.day(date)
        return next((said for said, days in self.dates.items() if days & day), None)

    def beside(self, calendar: Calendar) -> SaidOfDays[Said]:
        """The same in another calendar, which holds all of these dates."""
        if calendar.first == self.calendar.first:
            return self
        return SaidOfDays(calendar, {said: calendar.moved(days, self.calendar) for said, days in self.dates.items()})


ByEpisode = dict[str, SaidOfDays[Said]]


class Change(NamedTuple, Generic[Said]):
    """A day of which something else is said now; None where the episode has no such day."""

    episode: str
    date: int
    before: Said | None
    after: Said | None


def said_of(case: Case, say: Callable[[JudgedDay], Said], *, by_number: bool) -> SaidOfDays[Said]:
    """What is said of each day of a judged episode."""
    dates: dict[Said, Days] = {}
    for day, days in days_alike(case, by_number=by_number):
        said = say(day)
        dates[said] = dates.get(said, 0) | days
    return SaidOfDays(case.calendar, dates)


def no_days() -> SaidOfDays[Any]:
    """Nothing, of no day."""
    return SaidOfDays(Calendar(0, -1), {})


def differences(
    before: ByEpisode[Said], after: ByEpisode[Said], episodes: Iterable[str], until: int
) -> Iterator[Change[Said]]:
    """The days of some episodes, up to a date, of which something else is said after than before; by episode, date."""
    for name in sorted(episodes):
        old: SaidOfDays[Said] = before.get(name, no_days())
        new: SaidOfDays[Said] = after.get(name, no_days())
        if old.dates or new.dates:
            yield from _changes(name, old, new, until)


def _changes(name: str, before: SaidOfDays[Said], after: SaidOfDays[Said], until: int) -> Iterator[Change[Said]]:
    if not (before.dates and after.dates):
        both = (before if before.dates else after).calendar
    else:
        firsts, lasts = zip(*((c.first, c.last) for c in (before.calendar, after.calendar)), strict=True)
        both = Calendar(min(firsts), max(lasts))
    old, new = before.beside(both), after.beside(both)
    differ = 0
    for said in old.dates.keys() | new.dates.keys():
        differ |= old.dates.get(said, 0) ^ new.dates.get(said, 0)
    differ &= both.span(both.first, until)
    if differ:
        was, now = old.by_date(differ), new.by_date(differ)
        for date in both.dates(differ):
            if was.get(date) != now.get(date):  # nothing said of a day is nothing said of no day
                yield Change(name, date, was.get(date), now.get(date))
