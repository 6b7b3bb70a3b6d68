"""Judged days, one by one: what a case says of each date of its calendar."""

from __future__ import annotations

from typing import NamedTuple

from ledger.book import Terms
from ledger.case import Case, Verdict


class JudgedDay(NamedTuple):
    """A date with its one verdict; what a day has not come far enough to have is None."""

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
        return self.verdict.reason is None


def judged_days(case: Case) -> list[JudgedDay]:
    """Every date of the episode in order. Payer, terms and code are named from the step on that found them."""
    first = case.calendar.first
    count = case.calendar.every.bit_length()
    payers: list[str | None] = [None] * count
    terms: list[Terms | None] = [None] * count
    codes: list[str | None] = [None] * count
    verdicts: list[Verdict] = [_UNJUDGED] * count
    for payer, days in case.payers.items():
        for date in case.calendar.dates(days):
            payers[date - first] = payer
    for regime in case.regimes:
        for date in case.calendar.dates(regime.days):
            terms[date - first] = regime.terms
    for code, days in case.codes.items():
        for date in case.calendar.dates(days):
            codes[date - first] = code
    for verdict, days in case.verdicts:
        for date in case.calendar.dates(days):
            verdicts[date - first] = verdict
    return [
        _day(first + place, verdicts[place], payers[place], terms[place], codes[place], case.drawn)
        for place in range(count)
    ]


_UNJUDGED = Verdict(0, "", None)


def _day(
    date: int, verdict: Verdict, payer: str | None, terms: Terms | None, code: str | None, drawn: dict[int, str]
) -> JudgedDay:
    step = verdict.step
    assert step, "every date has a verdict"
    if step == 24:
        assert terms is not None
        assert code is not None
        return JudgedDay(date, verdict, payer, terms, code, terms.rate_cents[code], drawn.get(date))
    return JudgedDay(
        date, verdict, payer if step > 5 else None, terms if step > 6 else None, code if step > 20 else None, None, None
    )
