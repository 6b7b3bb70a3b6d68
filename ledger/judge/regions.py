"""Judged days: what a case says of each date of its calendar, by stretches that say the same or one by one."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ledger.book import Terms
from ledger.day_set import Days
from ledger.judge.case import Case, Regime, Region
from ledger.judge.rule import Verdict


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
        return self.verdict.is_billable


def regions(case: Case) -> list[Region]:
    """Every date of a judged episode, in no order. Payer, terms and code are named from the step on that found them."""
    if not case.regions:
        case.regions = list(_regions(case))
    return case.regions


def _regions(case: Case) -> Iterator[Region]:
    for verdict, days in case.verdicts:
        if verdict.names_terms:
            for regime in case.regimes:
                if regime.days & days:
                    yield from _by_code(case, verdict, regime, regime.days & days)
        elif verdict.names_payer:
            for payer, paid in case.payers.items():
                if paid & days:
                    yield Region(paid & days, verdict, payer, None, None)
        else:
            yield Region(days, verdict, None, None, None)


def _by_code(case: Case, verdict: Verdict, regime: Regime, days: Days) -> Iterator[Region]:
    if not verdict.names_code:
        yield Region(days, verdict, regime.payer, regime.terms, None)
        return
    for code, coded in case.codes.items():
        if coded & days:
            yield Region(coded & days, verdict, regime.payer, regime.terms, code)


def judged_days(case: Case) -> list[JudgedDay]:
    """Every date of the episode in order."""
    found = {date: _judged(case, region, date) for region in regions(case) for date in case.calendar.dates(region.days)}
    assert len(found) == case.calendar.every.bit_length(), "every date has one verdict"
    return [found[date] for date in sorted(found)]


def judged_day(case: Case, date: int) -> JudgedDay:
    """One date of the episode."""
    return _judged(case, region_on(case, date), date)


def region_on(case: Case, date: int) -> Region:
    """What is said of a date of the episode."""
    day = case.calendar.day(date)
    return next(region for region in regions(case) if region.days & day)


def _judged(case: Case, region: Region, date: int) -> JudgedDay:
    authorization = case.drawn.get(date) if region.is_billable else None
    return JudgedDay(date, region.verdict, region.payer, region.terms, region.code, region.rate_cents, authorization)
