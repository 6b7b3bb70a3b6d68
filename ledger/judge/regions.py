"""Judged days: what a case says of each date of its calendar, by stretches that say the same or one by one."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ledger.book import Terms
from ledger.day_set import Days
from ledger.judge.case import Case, Regime, Region
from ledger.judge.rule import Verdict


class JudgedDay(Struct, frozen=True, gc=False):
    """A date with its one verdict, and what it came far enough to have."""

    date: int
    verdict: Verdict
    payer: str | None
    member: str | None
    terms: Terms | None
    provider: str | None
    place: str | None
    code: str | None
    rate_cents: int | None
    modifiers: tuple[str, ...]
    authorization: str | None

    @property
    def is_billable(self) -> bool:
        """Whether the day goes on a claim line."""
        return self.verdict.is_billable


_Words = tuple[
    Verdict, str | None, str | None, Terms | None, str | None, str | None, str | None, int | None, tuple[str, ...]
]


def regions(case: Case) -> list[Region]:
    """Every date of a judged episode, in no order. What a verdict does not name, its dates do not have."""
    if not case.regions:
        for verdict, days in case.verdicts:
            case.regions += _by_payer(case, verdict, days)
    return case.regions


def _by_payer(case: Case, verdict: Verdict, days: Days) -> Iterator[Region]:
    if verdict.names_terms:
        for regime in case.regimes:
            for member, dates in case.members.on(regime.days & days):
                yield from _by_provider(case, verdict, regime, member, dates)
    elif verdict.names_payer:
        for payer, paid in case.payers.items():
            for member, dates in case.members.on(paid & days):
                yield Region(dates, verdict, payer, member)
    elif days:
        yield Region(days, verdict)


def _by_provider(case: Case, verdict: Verdict, regime: Regime, member: str, days: Days) -> Iterator[Region]:
    named = verdict, regime.payer, member, regime.terms
    for provider, provided in case.providers.on(days):
        for place, dates in case.places.on(provided):
            if not verdict.names_code:
                yield Region(dates, *named, provider, place)
                continue
            for code, coded in case.codes.items():
                if not coded & dates:
                    continue
                if not verdict.is_billable:
                    yield Region(coded & dates, *named, provider, place, code)
                    continue
                for price, priced in case.prices[code].items():
                    if part := priced & coded & dates:
                        yield Region(part, *named, provider, place, code, price)


def judged_days(case: Case) -> list[JudgedDay]:
    """Every date of the episode in order."""
    found = billable_and(case, case.calendar.every)
    assert len(found) == case.calendar.every.bit_length(), "every date has one verdict"
    return [found[date] for date in sorted(found)]


def billable_and(case: Case, others: Days) -> dict[int, JudgedDay]:
    """The billable days of the episode and those of some other dates, by date (ordinal), in no order."""
    found: dict[int, JudgedDay] = {}
    for region in regions(case):
        parts = by_authorization(case, region) if region.is_billable else [(None, region.days & others)]
        words = _words_of(region)
        for number, days in parts:
            found.update({date: JudgedDay(date, *words, number) for date in case.calendar.dates(days)})
    return found


def days_alike(case: Case, *, by_number: bool) -> Iterator[tuple[JudgedDay, Days]]:
    """Every date of the episode, by sets of dates that differ in nothing else: each set with one day of it.

    Where it is not asked for ``by_number``, no day says which authorization it drew from.
    """
    for region in regions(case):
        for number, days in by_authorization(case, region) if by_number else [(None, region.days)]:
            yield _judged_day(region, case.calendar.first + (days & -days).bit_length() - 1, number), days


def by_authorization(case: Case, region: Region) -> list[tuple[str | None, Days]]:
    """The dates of a region by the number of the authorization they drew from, if they are billable."""
    if not (case.draws.drawn and region.is_billable):
        return [(None, region.days)]
    return case.draws.by_number(region.days)


def judged_day(case: Case, date: int) -> JudgedDay:
    """One date of the episode."""
    return _judged(case, region_on(case, date), date)


def region_on(case: Case, date: int) -> Region:
    """What is said of a date of the episode."""
    day = case.calendar.day(date)
    return next(region for region in regions(case) if region.days & day)


def _judged(case: Case, region: Region, date: int) -> JudgedDay:
    grant = case.drawn.get(date) if region.is_billable else None
    return _judged_day(region, date, grant.number if grant else None)


def _judged_day(region: Region, date: int, authorization: str | None) -> JudgedDay:
    return JudgedDay(date, *_words_of(region), authorization)


def _words_of(region: Region) -> _Words:
    """What is said of each date of a region, as a judged day has it between its date and its authorization."""
    return (region.verdict, region.payer, region.member, region.terms, region.provider, region.place, region.code,
            region.rate_cents, region.modifiers)  # fmt: skip
