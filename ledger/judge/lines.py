"""Days packed into claim lines, and lines unpacked into days (rulebook section 6). The one place that counts days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Final

from msgspec import Struct

from ledger.book import Terms
from ledger.judge.case import Case, Region
from ledger.judge.pricing import Price
from ledger.judge.regions import by_authorization, regions


class Line(Struct, frozen=True, gc=False):
    """Consecutive billable days of which everything that stands on a claim line is the same."""

    payer: str
    member: str
    provider: str
    place: str
    code: str
    from_: int
    to: int
    units: int
    """One a day."""
    price: Price
    authorization: str | None
    terms: Terms

    @property
    def expected_cents(self) -> int:
        """What the payer pays: units times rate."""
        return self.units * self.price.rate_cents

    @property
    def charge_cents(self) -> int:
        """What the house asks for: units times charge."""
        return self.units * self.price.charge_cents


def days_between(from_: int, to: int) -> int:
    """How many service dates a span has, both ends included."""
    return to - from_ + 1


def pack(case: Case) -> list[Line]:
    """The claim lines of one episode's billable days by their first date; greedy from the first."""
    lines = [line for region in regions(case) if region.price for line in _lines(case, region)]
    lines.sort(key=_first_date)
    return lines


_first_date: Final = attrgetter("from_")


def _lines(case: Case, region: Region) -> Iterator[Line]:
    payer, member, provider, place = region.payer, region.member, region.provider, region.place
    code, terms, price = region.code, region.terms, region.price
    assert payer is not None and member is not None and provider is not None and place is not None  # noqa: PT018
    assert code is not None and terms is not None and price is not None  # noqa: PT018
    for authorization, days in by_authorization(case, region):
        for first, last in case.calendar.runs(days):
            for from_, to in _broken(first, last, terms):
                units = days_between(from_, to)
                yield Line(payer, member, provider, place, code, from_, to, units, price, authorization, terms)


def _broken(first: int, last: int, terms: Terms) -> Iterator[tuple[int, int]]:
    """An unbroken run of days as the spans of its lines: at the month's end, after ``line_max_days``, or day by day."""
    longest = 1 if terms.line_style == "per_day" else terms.line_max_days
    while first <= last:
        to = first + longest - 1
        if terms.split_on_month:
            to = min(to, _month_end(first))
        if to >= last:
            yield first, last
            return
        yield first, to
        first = to + 1


@lru_cache(maxsize=8192)
def _month_end(ordinal: int) -> int:
    day = date.fromordinal(ordinal)
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return following.toordinal() - 1


def unpack(lines: Sequence[Line]) -> Iterator[tuple[int, str, str]]:
    """The (date, payer, code) of every unit of the lines."""
    for line in lines:
        for day in range(line.from_, line.to + 1):
            yield day, line.payer, line.code
