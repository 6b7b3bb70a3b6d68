"""Judged days under edition 1: what a case says of each date of its calendar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ledger.book import Terms
from ledger.day_set import Days
from ledger.edition1.case import Case, Regime, Verdict


class Day(NamedTuple):
    """A date with its one verdict; payer, terms and code are named from the step on that found them."""

    date: int
    status: str
    reason: str | None
    payer: str | None
    terms: Terms | None
    code: str | None
    rate_cents: int | None
    authorization: str | None


_Said = tuple[Days, Verdict, str | None, Terms | None, str | None]


def judged_days(case: Case) -> list[Day]:
    """Every date of the episode in order."""
    found = {date: _judged(case, said, date) for said in _days_alike(case) for date in case.calendar.dates(said[0])}
    assert len(found) == case.calendar.every.bit_length(), "every date has one verdict"
    return [found[date] for date in sorted(found)]


def _days_alike(case: Case) -> Iterator[_Said]:
    for verdict, days in case.verdicts:
        if not days:
            continue
        if verdict.step <= 5:
            yield days, verdict, None, None, None
        elif verdict.step == 6:
            for payer, paid in case.payers.items():
                if paid & days:
                    yield paid & days, verdict, payer, None, None
        else:
            for regime in case.regimes:
                if regime.days & days:
                    yield from _by_code(case, verdict, regime, regime.days & days)


def _by_code(case: Case, verdict: Verdict, regime: Regime, days: Days) -> Iterator[_Said]:
    if verdict.step <= 20:
        yield days, verdict, regime.payer, regime.terms, None
        return
    for code, coded in case.codes.items():
        if coded & days:
            yield coded & days, verdict, regime.payer, regime.terms, code


def _judged(case: Case, said: _Said, date: int) -> Day:
    _, verdict, payer, terms, code = said
    if verdict.status != "billable":
        return Day(date, verdict.status, verdict.reason, payer, terms, code, None, None)
    assert terms is not None
    assert code is not None
    return Day(date, "billable", None, payer, terms, code, terms.rate_cents[code], case.drawn.get(date))
