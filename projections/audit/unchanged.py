"""What was known of a patient's days at an instant just as it is today: nobody needs to judge it again.

Most of what is recorded after a claim is about later dates. So a claimed day was known then as it is known today, where
everything recorded since can change later dates only (``ledger/judge/touched.py``) and no terms were published since.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Final

from ledger.book import Book
from ledger.day_set import OPEN_END
from ledger.judge.case import Case
from ledger.judge.touched import touched_from
from projections.audit.said_of_days import SaidOfDays, said_of
from projections.audit.timeline import is_inert
from projections.reading.as_known import Streams
from projections.words import verdict_text

_recorded_at: Final = attrgetter("recorded_at")


class KnownToday:
    """Patients as they are judged today by all of their entries, and which of it was known before."""

    def __init__(self, streams: Streams, book: Book) -> None:
        self.streams, self.book = streams, book
        self._cases: dict[str, Case] = {}
        self._verdicts: dict[str, SaidOfDays[str]] = {}
        self._until: dict[datetime, int] = {}

    def take(self, cases: Iterable[Case]) -> None:
        """Take a patient in, as judged today."""
        self._cases |= {case.episode.name: case for case in cases}
        self._until.clear()

    def until(self, at: datetime) -> int:
        """The last date up to which every day was known at an instant as it is today; 0 if there is none."""
        if at not in self._until:
            self._until[at] = self._same_until(at)
        return self._until[at]

    def verdict(self, episode: str, on: int) -> str | None:
        """The verdict of a day as it is known today; None if it is no day."""
        if episode not in self._verdicts:
            self._verdicts[episode] = said_of(self._cases[episode], verdict_text, by_number=False)
        return self._verdicts[episode].on(on)

    def _same_until(self, at: datetime) -> int:
        until = self._terms_known_until(at.astimezone(UTC).date())
        for name, entries in self.streams.items():
            since = [
                entry.fact
                for entry in entries[bisect_right(entries, at, key=_recorded_at) :]
                if not is_inert(entry.fact)
            ]
            case = self._cases.get(name)
            for fact in since:
                first = touched_from(fact, case.episode, case.calendar) if case else None
                if first is None:
                    return 0
                until = min(until, first - 1)
            if since and case:
                until = min(until, _last_evidence(case, at))  # up to there, the episode had its days
        return until

    def _terms_known_until(self, on: date) -> int:
        """The last date whose terms were published by then, as far as they are of payers that any coverage names."""
        payers = {spell.payer for case in self._cases.values() for spell in case.spells} & self.book.payers.keys()
        later = [terms for payer in payers for terms in self.book.payers[payer].terms if terms.published > on]
        return min([terms.from_.toordinal() - 1 for terms in later], default=OPEN_END)


def _last_evidence(case: Case, at: datetime) -> int:
    """The last date with evidence of an episode that was recorded by an instant."""
    served = [day.to for days in case.episode.served.values() for day in days if day.entry.recorded_at <= at]
    logged = [run.last for runs in case.episode.local_runs.values() for run in runs if run.run.entry.recorded_at <= at]
    return max(served + logged, default=0)
