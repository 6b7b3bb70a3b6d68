"""Days packed into claim lines, and lines unpacked into days (rulebook section 6). The one place that counts days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from ledger.book import Terms
from ledger.judged import JudgedDay


class Line(NamedTuple):
    """Consecutive billable days of one payer, code, rate, authorization and terms edition."""

    payer: str
    code: str
    from_: int
    to: int
    rate_cents: int
    authorization: str | None
    terms: Terms

    @property
    def units(self) -> int:
        """One unit a day."""
        return days_between(self.from_, self.to)

    @property
    def charge_cents(self) -> int:
        """Units times rate."""
        return self.units * self.rate_cents


def days_between(from_: int, to: int) -> int:
    """How many service dates a span has, both ends included."""
    return to - from_ + 1


def pack(days: Iterable[JudgedDay]) -> list[Line]:
    """The claim lines of one episode's billable days, given in date order; greedy from the first."""
    lines: list[Line] = []
    for day in days:
        if not day.is_billable:
            continue
        line = _line_of(day)
        if lines and _goes_on(lines[-1], line):
            lines[-1] = lines[-1]._replace(to=line.to)
        else:
            lines.append(line)
    return lines


def _line_of(day: JudgedDay) -> Line:
    assert day.payer is not None
    assert day.code is not None
    assert day.rate_cents is not None
    assert day.terms is not None
    return Line(day.payer, day.code, day.date, day.date, day.rate_cents, day.authorization, day.terms)


def _goes_on(line: Line, following: Line) -> bool:
    return (
        line.to + 1 == following.from_
        and line.terms.line_style == "span"
        and line.units < line.terms.line_max_days
        and not (line.terms.split_on_month and date.fromordinal(following.from_).day == 1)
        and line.terms is following.terms
        and (line.payer, line.code, line.rate_cents, line.authorization)
        == (following.payer, following.code, following.rate_cents, following.authorization)
    )


def unpack(lines: Sequence[Line]) -> Iterator[tuple[int, str, str]]:
    """The (date, payer, code) of every unit of the lines."""
    for line in lines:
        for day in range(line.from_, line.to + 1):
            yield day, line.payer, line.code
