"""Judged days: what a case says of each date of its calendar, by stretches that say the same or one by one."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ledger.book import Terms
from ledger.case import Case, Regime, Verdict
from ledger.day_set import Days


class Region(Struct, frozen=True, gc=False):
    """Dates with one verdict, payer, terms and code. What they have not come far enough to have is None."""

    days: Days
    verdict: Verdict
    payer: str | None
    terms: Terms | None
    code: str | None

    @property
    def is_billable(self) -> bool:
        """Whether the days go on a claim line."""
        return self.verdict.step == 24

    @property
    def rate_cents(self) -> int | None:
        """The price of a day, if it is billable."""
        if not self.is_billable:
            return None
        assert self.terms is not None
        assert self.code is not None
        return self.terms.rate_cents[self.code]


class JudgedDay(Struct, frozen=True, gc=False):
    """A date with its one verdict."""

    date: int
    verdict: Verdict
    payer: str | None
    terms: Terms | None
    code: str | None
    rate_cents: int | None
    authorization: str | None

    @property
    def is_billable(self) -> bool:
        """Whether the day goes on a claim line."""
        return self.verdict.step == 24


def regions(case: Case) -> Iterator[Region]:
    """Every date of the episode, in no order. Payer, terms and code are named from the step on that found them."""
    for verdict, days in case.verdicts:
        if not days:
            continue
        if verdict.step <= 5:
            yield Region(days, verdict, None, None, None)
        elif verdict.step == 6:
            for payer, paid in case.payers.items():
                if paid & days:
                    yield Region(paid & days, verdict, payer, None, None)
        else:
            for regime in case.regimes:
                if regime.days & days:
                    yield from _by_code(case, verdict, regime, regime.days & days)


def _by_code(case: Case, verdict: Verdict, regime: Regime, days: Days) -> Iterator[Region]:
    if verdict.step <= 20:
        yield Region(days, verdict, regime.payer, regime.terms, None)
        return
    for code, coded in case.codes.items():
        if coded & days:
            yield Region(coded & days, verdict, regime.payer, regime.terms, code)


def judged_days(case: Case) -> list[JudgedDay]:
    """Every date of the episode in order."""
    found = {
        date: JudgedDay(
            date,
            region.verdict,
            region.payer,
            region.terms,
            region.code,
            region.rate_cents,
            case.drawn.get(date) if region.is_billable else None,
        )
        for region in regions(case)
        for date in case.calendar.dates(region.days)
    }
    assert len(found) == case.calendar.every.bit_length(), "every date has one verdict"
    return [found[date] for date in sorted(found)]
