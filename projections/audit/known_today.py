"""Which claimed days have been as they are today ever since they were claimed: nobody needs to judge these again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

from ledger.book import Book
from ledger.day_set import OPEN_END
from ledger.facts.entry import Entry
from ledger.judge.case import Case
from ledger.judge.causes import causes
from ledger.judge.touched import touched_from
from projections.audit.claimed_shares import Share
from projections.audit.said_of_days import SaidOfDays, said_of
from projections.audit.timeline import is_inert
from projections.words import verdict_text

Streams = Mapping[str, Sequence[Entry]]
"""The entries of some episodes, by version."""


class KnownToday:
    """Patients as they are judged today, and which of it was known before: nobody needs to judge that again.

    Most of what is recorded after a claim is about later dates. So a claimed day was known then as it is today, where
    all that was recorded since can change later dates only (``ledger/judge/touched.py``), and no terms were published.
    """

    def __init__(self, streams: Streams, book: Book) -> None:
        self.streams, self.book = streams, book
        self._cases: dict[str, Case] = {}
        self._verdicts: dict[str, SaidOfDays[str]] = {}
        self._until: dict[datetime, int] = {}
        self._first: dict[str, tuple[list[datetime], list[int]]] = {}

    def take(self, cases: Iterable[Case]) -> None:
        """Take a patient in, as judged today."""
        self._cases |= {case.episode.name: case for case in cases}
        self._until.clear()
        self._first.clear()

    def until(self, at: datetime) -> int:
        """The last date up to which every day was known at an instant as it is today; 0 if there is none."""
        return self._until[at] if at in self._until else self._until.setdefault(at, self._same_until(at))

    def has_been(self, share: Share) -> bool:
        """Whether a claimed day has been as it is today ever since it was claimed, with the same causes."""
        return share.date <= self.until(share.claimed_at)

    def causes(self, episode: str, on: int) -> tuple[str, ...]:
        """What the verdict of a day rests on as it is known today; nothing if it is no day."""
        case = self._cases[episode]
        verdict = case.verdict_on(on)
        others = [other for other in self._cases.values() if other is not case and other.patient is case.patient]
        return tuple(causes(case, others, on, verdict)) if verdict else ()

    def verdict(self, episode: str, on: int) -> str | None:
        """The verdict of a day as it is known today; None if it is no day."""
        if episode not in self._verdicts:
            self._verdicts[episode] = said_of(self._cases[episode], verdict_text, by_number=False)
        return self._verdicts[episode].on(on)

    def _same_until(self, at: datetime) -> int:
        until = self._terms_known_until(at.astimezone(UTC).date())
        for name in self.streams:
            since, first = self._changes(name)
            place = bisect_right(since, at)
            if place < len(since) and until:
                until = min(until, first[place] - 1, _last_evidence(self._cases[name], at) if first[place] else 0)
        return max(until, 0)

    def _changes(self, name: str) -> tuple[list[datetime], list[int]]:
        """When entries of an episode were recorded that change days, with the first date that any from there on can
        change; the first of them can change any date, or there is none before it."""
        if name not in self._first:
            since, firsts, case = list[datetime](), [OPEN_END], self._cases.get(name)
            for entry in reversed(self.streams[name]):
                if firsts[-1] and not is_inert(entry.fact):
                    first = touched_from(entry.fact, case.episode, case.calendar) if case else None
                    since.append(entry.recorded_at)
                    firsts.append(min(first or 0, firsts[-1]))
            self._first[name] = since[::-1], firsts[:0:-1]
        return self._first[name]

    def _terms_known_until(self, on: date) -> int:
        """The last date whose terms were published by then, as far as they are of payers that any coverage names."""
        payers = {spell.payer for case in self._cases.values() for spell in case.spells} & self.book.payers.keys()
        later = [terms for payer in payers for terms in self.book.payers[payer].terms if terms.published > on]
        return min([terms.from_.toordinal() - 1 for terms in later], default=OPEN_END)


def _last_evidence(case: Case, at: datetime) -> int:
    """The last date with evidence of an episode that was recorded by an instant."""
    served = [day.to for days in case.episode.served.values() for day in days if day.entry.recorded_at <= at]
    logged = [run.to for runs in case.episode.local_runs.values() for run in runs if run.entry.recorded_at <= at]
    return max(served + logged, default=0)
