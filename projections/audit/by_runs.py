"""Claims that nobody answered and that stand as they were claimed, and days on no claim: told by runs of days.

That is most of what there is to say of claims. Of all dates of a piece the same is said, so each is looked at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from ledger.judge.claims import ClaimedLine, claimed_lines
from ledger.judge.episode import Episode
from projections.answers.payments import PaymentRow, PaymentRun
from projections.audit.claimed_rows import ClaimedDay, DayToday, unbilled
from projections.words import iso


class NotBorneOut(Exception):
    """What is to be said of claims is not in the rows of the days as they are now."""


class DaysAlike(NamedTuple):
    """Days of an episode, one after the other, of which the same is said: the first of them, and the last date."""

    day: DayToday
    last: int

    def within(self, first: int, last: int) -> DaysAlike:
        """Those that lie between two dates, both included."""
        return DaysAlike(self.day._replace(date=max(first, self.day.date)), min(last, self.last))


class ClaimedRun(NamedTuple):
    """Neighbouring dates that say the same: the row of the first, and how many dates."""

    row: ClaimedDay
    days: int


class RunsTold(NamedTuple):
    """What is to be said of one patient's claims, by runs of days: what differs from the claims, and what was paid."""

    claimed: list[ClaimedRun]
    payments: list[PaymentRun]


def told_by_runs(patient: str, episode: Episode, billable: Sequence[DaysAlike]) -> RunsTold | None:
    """What is to be said of an episode whose billable days are given by date; None if that needs a look at every date.

    NotBorneOut if a claimed date is not billable as it was claimed.
    """
    lines = sorted(claimed_lines(episode), key=lambda line: (line.from_, line.to)) if episode.claims else []
    per_diem = [line for line in lines if line.is_per_diem]
    if episode.postings or episode.settled or _meet(per_diem) or len(per_diem) < len(lines) or _endless(billable):
        return None
    return RunsTold(
        [ClaimedRun(unbilled(patient, episode.name, one.day), one.last - one.day.date + 1)
         for one in _left_over(billable, per_diem)],
        [run for line in per_diem for run in _unanswered(episode.name, line, billable)],
    )  # fmt: skip


def _meet(lines: Iterable[ClaimedLine]) -> bool:
    """Whether two lines, by their first dates, share a date."""
    return any(line.to >= following.from_ for line, following in pairwise(lines))


def _endless(billable: Iterable[DaysAlike]) -> bool:
    """Whether a filing limit lies beyond the calendar: it is not the same number of days then."""
    return any(run.last + _filing_days(run) > date.max.toordinal() for run in billable)


def _filing_days(run: DaysAlike) -> int:
    return run.day.terms.timely_filing_days if run.day.terms else 0


def _left_over(billable: Iterable[DaysAlike], lines: Sequence[ClaimedLine]) -> Iterator[DaysAlike]:
    """The days on no line."""
    for run in billable:
        first = run.day.date
        for line in lines:
            if line.from_ <= run.last and first <= line.to:
                if first < line.from_:
                    yield run.within(first, line.from_ - 1)
                first = line.to + 1
        if first <= run.last:
            yield run.within(first, run.last)


def _unanswered(episode: str, line: ClaimedLine, billable: Iterable[DaysAlike]) -> Iterator[PaymentRun]:
    """The days of a line: each asks for its share of the charge, and its rate is expected."""
    days = line.to - line.from_ + 1
    share, cents_left = divmod(line.charge_cents, days)
    on = line.from_
    for run in billable:
        if on in range(run.day.date, run.last + 1) and (run.day.code, run.day.payer) == (line.code, line.payer):
            for first, last, cents in (
                (on, min(run.last, line.to, line.from_ + cents_left - 1), share + 1),
                (max(on, line.from_ + cents_left), min(run.last, line.to), share),
            ):
                if first <= last:
                    yield PaymentRun(_unpaid(episode, line, first, run.day.rate_cents, cents), last - first + 1)
            on = min(run.last, line.to) + 1
    if on <= line.to:
        raise NotBorneOut


def _unpaid(episode: str, line: ClaimedLine, on: int, rate_cents: int | None, charge_cents: int) -> PaymentRow:
    return PaymentRow(
        episode, line.claim, line.payer, iso(on), line.code, rate_cents or 0, 0, 0, "unpaid", charge_cents, 0, 0, 0, (),
        True, iso(line.claimed_on),
    )  # fmt: skip
