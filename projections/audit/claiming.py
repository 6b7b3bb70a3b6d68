"""An episode with its claims, beside its days as they are judged now; and what may be asked about the days before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from ledger.book import Book, Terms
from ledger.judge.case import Case
from ledger.judge.episode import Episode
from ledger.judge.regions import billable_and
from projections.audit.claimed_shares import Settled, Share
from projections.audit.known_today import Stretch
from projections.audit.revealed import Revealed
from projections.words import verdict_text


class DayToday(NamedTuple):
    """A day as it is judged now, out of a case or of the read model: what it says, and what it came far enough to
    have."""

    date: int
    says: str
    is_billable: bool
    code: str | None
    payer: str | None
    rate_cents: int | None
    terms: Terms | None


class Claiming(NamedTuple):
    """An episode with its claims, and its days as they are judged now: those that are billable, and any asked for; or,
    of some dates, at least these."""

    patient: str
    episode: Episode
    book: Book
    days: Callable[[Collection[int]], Mapping[int, DayToday]]
    on: Callable[[Collection[int]], Mapping[int, DayToday]]


class BeforeNow(Protocol):
    """What was known of claimed days before."""

    def look_back(self, shares: Iterable[Share]) -> None:
        """Find out what was known of these shares at their claims: it will be asked for."""

    def verdict(self, episode: str, on: int, at: datetime) -> str | None:
        """The verdict of a day as known at an instant; None if it was no day."""

    def verdicts(self, episode: str, first: int, last: int, today: str, at: datetime) -> Iterator[Stretch]:
        """The same of dates of which the same is said today, by stretches."""

    def revealed(self, episode: str, wrong: Sequence[Settled]) -> list[Revealed]:
        """For each share that is not billable as claimed, what revealed it."""


def claiming_of(case: Case) -> Claiming:
    """A judged episode with its claims."""

    def days(dates: Collection[int]) -> Mapping[int, DayToday]:
        found = billable_and(case, case.spans((on, on) for on in dates))
        return {
            on: DayToday(on, verdict_text(day), day.is_billable, day.code, day.payer, day.rate_cents, day.terms)
            for on, day in found.items()
        }

    return Claiming(case.patient.name, case.episode, case.book, days, days)
