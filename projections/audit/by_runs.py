"""Claims that nobody answered and that stand as they were claimed, and days on no claim: told by runs of days.

That is most of what there is to say of claims. Of all dates of a piece the same is said, so each is looked at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from ledger.judge.case import Case
from ledger.judge.claims import ClaimedLine, claimed_lines
from ledger.judge.episode import Episode
from ledger.judge.regions import regions
from projections.answers.payments import PaymentRow, PaymentRun
from projections.audit.claimed_rows import ClaimedDay, unbilled
from projections.audit.claimed_shares import ClaimedSpan
from projections.audit.claiming import BeforeNow, DayToday
from projections.words import iso, verdict_of


class DaysAlike(NamedTuple):
    """Days of an episode, one after the other, of which the same is said: the first of them, and the last date."""

    day: DayToday
    last: int

    def within(self, first: int, last: int) -> DaysAlike:
        """Those that lie between two dates, both included."""
        return DaysAlike(self.day._replace(date=max(first, self.day.date)), min(last, self.last))


def day_on(alike: Iterable[DaysAlike], on: int) -> DayToday | None:
    """The one of some days whose date lies in it, but for its date; None if there is none."""
    return next((one.day for one in alike if one.day.date <= on <= one.last), None)


class ClaimedRun(NamedTuple):
    """Neighbouring dates that say the same: the row of the first, and how many dates."""

    row: ClaimedDay
    days: int


def days_alike_of(case: Case) -> list[DaysAlike]:
    """The billable days of a judged episode, by date."""
    found = [
        DaysAlike(DayToday(first, says, True, region.code, region.payer, region.rate_cents, region.terms), last)
        for region in regions(case)
        if region.is_billable
        for says in (verdict_of(region.verdict.status, region.verdict.reason, region.code),)
        for first, last in case.calendar.runs(region.days)
    ]
    return sorted(found, key=lambda one: one.day.date)


class TellsByRuns:
    """What is to be said of the claims of an episode whose billable days are given by date, as far as runs do.

    Each date has to be looked at where there are answers, where two lines ask for one date, and where a line is no per
    diem; otherwise those that do not stand.
    """

    def __init__(self, episode: Episode, billable: Sequence[DaysAlike]) -> None:
        self.episode, self.billable = episode, billable
        lines = claimed_lines(episode) if episode.claims else []
        self.lines = sorted(lines, key=lambda line: (line.from_, line.to))
        all_alone = not _meet(self.lines) and all(line.is_per_diem for line in lines)
        self.is_plain = all_alone and not episode.postings and not episode.settled
        self.parts = [(line, list(_parts(line, billable))) for line in self.lines] if self.is_plain else []

    def payments(self) -> list[PaymentRun] | None:
        """What is expected for the claimed days; None if that needs a look at every date."""
        if not self.is_plain:
            return None
        return [_unanswered(self.episode.name, line, part) for line, parts in self.parts for part in parts]

    @property
    def tells_claimed(self) -> bool:
        """Whether ``claimed`` and ``differ`` tell of all claimed days; else each date has to be looked at."""
        return self.is_plain and not _endless(self.billable)

    def claimed(self, patient: str, past: BeforeNow | None) -> list[ClaimedRun]:
        """The days on no claim; and where it is told what was known of them before, those that are billable as they
        were claimed."""
        name = self.episode.name
        return [
            ClaimedRun(unbilled(patient, name, one.day), one.last - one.day.date + 1)
            for one in _left_over(self.billable, self.lines)
        ] + [
            ClaimedRun(_as_claimed(patient, name, line, part, first, says), last - first + 1)
            for line, parts in (_latest_claims_first(self.parts) if past else ())
            for part in parts
            if past and part.day and part.stands(line)
            for first, last, says in past.verdicts(name, part.first, part.last, part.day.says, line.entry.recorded_at)
        ]

    def differ(self) -> list[ClaimedSpan]:
        """The dates of lines that are not billable as they were claimed, as far as that can be seen here."""
        return [
            ClaimedSpan(line, part.first, part.last)
            for line, parts in self.parts
            for part in parts
            if not part.stands(line)
        ]


def _latest_claims_first(parts: Sequence[_LineInParts]) -> list[_LineInParts]:
    """What was known of a date at one claim is often what was known of it at those before."""
    return sorted(parts, key=lambda part: part[0].entry.recorded_at, reverse=True)


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


class _Part(NamedTuple):
    """Dates of a line of which the same is said: nothing if they are not billable; and what each asks for."""

    first: int
    last: int
    day: DayToday | None
    cents: int

    def stands(self, line: ClaimedLine) -> bool:
        """Whether they are billable as they were claimed."""
        return self.day is not None and (self.day.code, self.day.payer) == (line.code, line.payer)


_LineInParts = tuple[ClaimedLine, list[_Part]]


def _parts(line: ClaimedLine, billable: Iterable[DaysAlike]) -> Iterator[_Part]:
    """A line by dates of which the same is said."""
    on = line.from_
    for run in billable:
        if on <= run.last and run.day.date <= line.to:
            yield from _charged(line, on, run.day.date - 1, None)
            yield from _charged(line, max(on, run.day.date), min(run.last, line.to), run.day)
            on = run.last + 1
    yield from _charged(line, on, line.to, None)


def _charged(line: ClaimedLine, first: int, last: int, day: DayToday | None) -> Iterator[_Part]:
    """Equal shares; the cents that are left over one by one from the line's first date."""
    share, left = divmod(line.charge_cents, line.to - line.from_ + 1)
    turn = line.from_ + left
    if first < turn and first <= last:
        yield _Part(first, min(last, turn - 1), day, share + 1)
    if max(first, turn) <= last:
        yield _Part(max(first, turn), last, day, share)


def _unanswered(episode: str, line: ClaimedLine, part: _Part) -> PaymentRun:
    """Days that ask for their shares of the charge; the rate is expected, if it is this payer's."""
    day = part.day
    expected = day.rate_cents or 0 if day and day.payer == line.payer else 0
    row = PaymentRow(
        episode, line.claim, line.payer, iso(part.first), line.code, expected, 0, 0, "unpaid", part.cents, 0, 0, 0, (),
        True, iso(line.claimed_on),
    )  # fmt: skip
    return PaymentRun(row, part.last - part.first + 1)


def _as_claimed(
    patient: str, episode: str, line: ClaimedLine, part: _Part, on: int, known_when_claimed: str | None
) -> ClaimedDay:
    day = part.day
    assert day is not None
    return ClaimedDay(
        patient, episode, iso(on), "as_claimed", line.claim, line.payer, line.code, part.cents, known_when_claimed,
        day.says, day.payer, day.code, day.rate_cents or 0, 0, (), None, None, None,
    )  # fmt: skip
