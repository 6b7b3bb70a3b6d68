"""Claims that nobody answered and that stand as they were claimed, and days on no claim: told by runs of days.

That is most of what there is to say of claims. Of all dates of a piece the same is said, so each is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from ledger.judge.case import Case
from ledger.judge.claims import ClaimedLine, claimed_lines
from ledger.judge.episode import Episode
from ledger.judge.regions import regions
from projections.answers.payments import PaymentRow, PaymentRun
from projections.audit.claimed_rows import ClaimedDay, unbilled
from projections.audit.claimed_shares import ClaimedSpan
from projections.audit.claiming import DayToday
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


KnownUntil = Callable[[datetime], int]
"""The last date up to which every day was known at an instant as it is known today."""


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
    diem; otherwise those that do not stand, or were not known then as they are today.
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

    def claimed(self, patient: str, known_until: KnownUntil | None) -> list[ClaimedRun] | None:
        """The days on no claim; and of those that stand the days as they were claimed, if it is told until when these
        were known then as they are today. None if that needs a look at every date."""
        if not self.is_plain or _endless(self.billable):
            return None
        name = self.episode.name
        return [
            ClaimedRun(unbilled(patient, name, one.day), one.last - one.day.date + 1)
            for one in _left_over(self.billable, self.lines)
        ] + [
            ClaimedRun(_as_claimed(patient, name, line, part), part.last - part.first + 1)
            for line, parts in (self.parts if known_until else ())
            for part in _told_parts(line, parts, known_until)
        ]

    def to_look_at(self, known_until: KnownUntil | None) -> list[ClaimedSpan]:
        """The dates of lines that ``claimed`` leaves to be looked at."""
        return [
            ClaimedSpan(line, part.first, part.last)
            for line, parts in self.parts
            for part in _other_parts(line, parts, known_until)
        ]

    @property
    def differ(self) -> bool:
        """Whether it can be seen here that a claimed day is not billable as it was claimed."""
        return not all(part.stands(line) for line, parts in self.parts for part in parts)


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


def _told_parts(line: ClaimedLine, parts: Iterable[_Part], known_until: KnownUntil | None) -> Iterator[_Part]:
    """The dates of a line that stand; and where that is asked for, were known at its claim as they are known today."""
    last = known_until(line.entry.recorded_at) if known_until else line.to
    return (part._replace(last=min(part.last, last)) for part in parts if part.stands(line) and part.first <= last)


def _other_parts(line: ClaimedLine, parts: Iterable[_Part], known_until: KnownUntil | None) -> Iterator[_Part]:
    last = known_until(line.entry.recorded_at) if known_until else line.to
    for part in parts:
        if not part.stands(line):
            yield part
        elif part.last > last:
            yield part._replace(first=max(part.first, last + 1))


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


def _as_claimed(patient: str, episode: str, line: ClaimedLine, part: _Part) -> ClaimedDay:
    day = part.day
    assert day is not None
    return ClaimedDay(
        patient, episode, iso(part.first), "as_claimed", line.claim, line.payer, line.code, part.cents, day.says,
        day.says, day.payer, day.code, day.rate_cents or 0, 0, (), None, None, None,
    )  # fmt: skip
