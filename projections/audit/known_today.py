"""Which days were known before as they are known now: nobody needs to judge these again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from itertools import accumulate, chain
from typing import Final, NamedTuple

from ledger.book import Book, Terms
from ledger.day_set import OPEN_END, Calendar, Days
from ledger.judge.case import Case
from ledger.judge.causes import causes
from ledger.judge.episode import Episode
from ledger.judge.regions import JudgedDay, days_alike
from ledger.judge.touched import last_dates_of_runs
from projections.audit.claimed_shares import billed_as
from projections.audit.touches import Touches
from projections.reading.unjudged import Streams
from projections.words import verdict_text

ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
"""An instant before all others."""


class Said(NamedTuple):
    """What is said of a day: its verdict in words, and the code and payer it is billable as."""

    verdict: str
    billed: tuple[str, str] | None


Stretch = tuple[int, int, str | None]
"""The first and last of some dates that follow each other, and the verdict of each; None if they are no days."""


class Known(ABC):
    """What is known of patients today, or was on an earlier day by the entries and the terms of then; and which of it
    was known before.

    Most of what is recorded after a claim is about later dates. So a claimed day was known then as it is today, where
    all that was recorded since can change later dates only (``ledger/judge/touched.py``), and no terms were published.
    """

    def __init__(self, streams: Streams, book: Book, asked_from: datetime | None = None) -> None:
        self.streams, self.book, self.asked_from = streams, book, asked_from
        """Nothing is asked of instants before ``asked_from``: what was recorded by then does not matter."""
        self._episodes: dict[str, tuple[Episode, Calendar]] = {}
        self._until: dict[datetime, int] = {}
        self._since: dict[int, datetime] = {}
        self._touches = Touches(streams, asked_from)
        self._evidence: dict[str, tuple[list[tuple[int, datetime]], list[datetime]]] = {}
        self._terms: list[Terms] | None = None

    @abstractmethod
    def said(self, episode: str, on: int) -> Said | None:
        """What is said of a day as it is known today; None if it is no day."""

    @abstractmethod
    def causes(self, episode: str, on: int) -> tuple[str, ...]:
        """What the verdict of a day rests on as it is known today; nothing if it is no day."""

    def until(self, at: datetime) -> int:
        """The last date up to which every day was known at an instant as it is today; 0 if there is none."""
        return self._until[at] if at in self._until else self._until.setdefault(at, self._same_until(at))

    def since(self, on: int) -> datetime:
        """The instant at or before which a date came to be known as it is today: that of the last thing recorded or
        published that may have changed it."""
        return self._since[on] if on in self._since else self._since.setdefault(on, self._same_since(on))

    def _take_episode(self, episode: Episode, calendar: Calendar) -> None:
        """Take an episode in."""
        self._episodes[episode.name] = episode, calendar
        self._until.clear()
        self._since.clear()
        self._touches.take(episode, calendar)
        self._evidence.clear()
        self._terms = None

    def _same_until(self, at: datetime) -> int:
        until = self._terms_known_until(at.astimezone(UTC).date())
        for name in self.streams:
            since, first, silent_until = self._touches.changes_of(name)
            place = bisect_right(since, at)
            if place < len(since) and until:
                until = min(until, first[place] - 1, self._last_date(name, at, silent_until) if first[place] else 0)
        return max(until, 0)

    def _same_since(self, on: int) -> datetime:
        found = [self._terms_known_since(on)]
        for name in self.streams:
            since, first, silent_until = self._touches.changes_of(name)
            place = bisect_right(first, on)
            if place:
                found.append(since[place - 1])
            if place < len(since) and on > silent_until:
                found.append(self._evident_since(name, on, since[-1]))
        return max(found)

    def _last_date(self, name: str, at: datetime, silent_until: int) -> int:
        """The last date with evidence of an episode that was recorded by an instant; or if that is later, the one until
        which the episode never told anything."""
        lasts, since = self._evidence_of(name)
        place = bisect_right(since, at)
        return max(silent_until, lasts[place - 1][0] if place else 0)

    def _evident_since(self, name: str, on: int, at: datetime) -> datetime:
        """Since when an episode has evidence of a date or a later one; from an instant on that does not matter."""
        lasts, since = self._evidence_of(name)
        place = bisect_left(lasts, (on,))
        return min(at, since[place]) if place < len(since) else at

    def _evidence_of(self, name: str) -> tuple[list[tuple[int, datetime]], list[datetime]]:
        """The last date of each piece of evidence of an episode, with when it was recorded; and the first that any from
        there on was recorded."""
        if name not in self._evidence:
            episode, _ = self._episodes[name]
            lasts = [(day.to, day.entry.recorded_at) for day in chain(*episode.served.values())]
            lasts += [(last, entry.recorded_at) for last, entry in last_dates_of_runs(episode)]
            lasts.sort()
            since = list(accumulate([recorded_at for _, recorded_at in reversed(lasts)], min))
            self._evidence[name] = lasts, since[::-1]
        return self._evidence[name]

    def _terms_known_until(self, on: date) -> int:
        """The last date whose terms were published by then, as far as they are of payers that any coverage names."""
        later = [terms for terms in self._terms_of_payers() if terms.published > on]
        return min([terms.from_.toordinal() - 1 for terms in later], default=OPEN_END)

    def _terms_known_since(self, on: int) -> datetime:
        """Since when all terms are published that begin by a date, likewise."""
        published = [terms.published for terms in self._terms_of_payers() if terms.from_.toordinal() <= on]
        return datetime.combine(max(published), time(), UTC) if published else ALWAYS

    def _terms_of_payers(self) -> list[Terms]:
        if self._terms is None:
            payers = {told.fact.payer for episode, _ in self._episodes.values() for told in episode.coverage}
            told = [terms for payer in payers & self.book.payers.keys() for terms in self.book.payers[payer].terms]
            on = self.book.known_on
            self._terms = [terms for terms in told if on is None or terms.published <= on]
        return self._terms


class Judged(Known):
    """What is known of patients by judging them."""

    def __init__(self, streams: Streams, book: Book, asked_from: datetime | None = None) -> None:
        super().__init__(streams, book, asked_from)
        self._cases: dict[str, Case] = {}
        self._days: dict[str, list[tuple[JudgedDay, Days]]] = {}

    def take(self, cases: Iterable[Case]) -> None:
        """Take a patient in, as judged."""
        for case in cases:
            self._cases[case.episode.name] = case
            self._take_episode(case.episode, case.calendar)

    def said(self, episode: str, on: int) -> Said | None:
        """What is said of a day as it was judged; None if it is no day."""
        case = self._cases.get(episode)
        if case is None:
            return None
        day = case.calendar.day(on)
        found = next((said for said, days in self._days_of(case) if days & day), None)
        return Said(verdict_text(found), billed_as(found)) if found else None

    def verdicts(self, episode: str, first: int, last: int) -> Iterator[Stretch]:
        """The verdicts of some dates as they were judged, in order."""
        case = self._cases.get(episode)
        for from_, to, says in _stretches(case, self._days_of(case), first, last) if case else ():
            if first < from_:
                yield first, from_ - 1, None
            yield from_, to, says
            first = to + 1
        if first <= last:
            yield first, last, None

    def _days_of(self, case: Case) -> list[tuple[JudgedDay, Days]]:
        name = case.episode.name
        if name not in self._days:
            self._days[name] = list(days_alike(case, by_number=False))
        return self._days[name]

    def causes(self, episode: str, on: int) -> tuple[str, ...]:
        """What the verdict of a day rests on; nothing if it is no day."""
        case = self._cases.get(episode)
        verdict = case.verdict_on(on) if case else None
        if case is None or verdict is None:
            return ()
        others = [other for other in self._cases.values() if other is not case and other.patient is case.patient]
        return tuple(causes(case, others, on, verdict))


def _stretches(case: Case, said: Iterable[tuple[JudgedDay, Days]], first: int, last: int) -> list[tuple[int, int, str]]:
    """Of what is said of the days of a judged episode that of some dates, in order."""
    asked = case.calendar.span(first, last)
    return sorted(
        (from_, to, verdict_text(day)) for day, days in said for from_, to in case.calendar.runs(days & asked)
    )
