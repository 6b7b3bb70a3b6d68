"""Codes against codes: what an episode's orders give together, and what stands against a day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from ledger.book import GENERAL, PER_DIEM, PER_DIEM_CODES
from ledger.day_set import Days
from ledger.judge.case import Case

RULES = ("pain_code_exclusion", "duplicate_per_diem", "specific_pair")
"""The rules of a clash in the order they win."""


def name_of_conflict(codes: Collection[str]) -> str:
    """The rule that several codes of one day break."""
    return "pain_code_exclusion" if GENERAL in codes else "specific_pair"


def rule_between(code: str, other: str) -> str:
    """The rule that a code of another episode or service breaks beside the day's own code."""
    if code == other:
        return "duplicate_per_diem"
    return name_of_conflict((code, other))


def codes_of_orders(case: Case, days: Days, midday_switch: str) -> dict[str, Days]:
    """Per code, the dates on which a remaining order gives it; orders dropped by a switch give none."""
    remaining = {order: dates & days for order, dates in case.remaining.items() if dates & days}
    if len(remaining) > 1:
        _drop_switched(case, remaining, midday_switch)
    codes: dict[str, Days] = {}
    for order, dates in remaining.items():
        for telling, counts in case.evidence.orders[order].tellings:
            if counts & dates:
                code = PER_DIEM[telling.mode]
                codes[code] = codes.get(code, 0) | (counts & dates)
    return codes


def _drop_switched(case: Case, remaining: dict[str, Days], midday_switch: str) -> None:
    """On a date where one order ends and another begins, drop those that end (or begin), unless none would be left."""
    orders = case.evidence.orders
    ends = {order: orders[order].ends & dates for order, dates in remaining.items()}
    begins = {order: orders[order].begins & dates for order, dates in remaining.items()}
    dropped = ends if midday_switch == "new_order" else begins
    for date in case.calendar.dates(_switches(ends, begins)):
        day = case.calendar.day(date)
        leaving = [order for order in remaining if dropped[order] & day]
        if any(dates & day for order, dates in remaining.items() if order not in leaving):
            for order in leaving:
                remaining[order] &= ~day


def _switches(ends: dict[str, Days], begins: dict[str, Days]) -> Days:
    """The dates on which one order ends while another begins."""
    days = 0
    for order, ending in ends.items():
        for other, beginning in begins.items():
            if other != order:
                days |= ending & beginning
    return days


def clashes(case: Case, standing: Days, others: Sequence[Case]) -> Iterator[tuple[str, Days]]:
    """The days of each rule that the patient's other episodes and separately billed services break, in order."""
    if not others and not any(episode.billed for episode in case.patient.episodes):
        return
    found = dict.fromkeys(RULES, 0)
    for code, days in case.codes.items():
        for other in others:
            for rule, against in _against_episode(case, code, other):
                found[rule] |= against & days & standing
        for rule, against in _against_services(case, code):
            found[rule] |= against & days & standing
    yield from found.items()


def _against_episode(case: Case, code: str, other: Case) -> Iterator[tuple[str, Days]]:
    for exposed in other.exposed():
        days = case.calendar.moved(exposed.days, other.calendar)
        if days:
            yield rule_between(code, exposed.code), days & in_scope(case, exposed.payer)


def in_scope(case: Case, payer: str) -> Days:
    """Dates on which a day of that payer in another episode counts, under the day's own ``exclusion_scope``."""
    days = 0
    for regime in case.regimes:
        if regime.terms.exclusion_scope == "patient_day" or regime.payer == payer:
            days |= regime.days
    return days


def _against_services(case: Case, code: str) -> Iterator[tuple[str, Days]]:
    for episode in case.patient.episodes:
        for billed in episode.billed:
            if billed.is_service and billed.code in PER_DIEM_CODES:
                days = case.calendar.span(billed.from_, billed.to)
                yield rule_between(code, billed.code), days & ~settled(case, code)


def settled(case: Case, code: str) -> Days:
    """Dates on which the last decision recorded in this episode bills that code: services stand back."""
    days = 0
    for date, (_, decided) in case.episode.resolutions.items():
        if decided.bill == code:
            days |= case.calendar.day(date)
    return days


def codes_against(case: Case, others: Iterable[Case], date: int, rule: str) -> list[str]:
    """The day's code, then each code that breaks the rule beside it."""
    day = case.calendar.day(date)
    own = next(code for code, days in case.codes.items() if days & day)
    against = [
        exposed.code
        for other in others
        for exposed in other.exposed()
        if exposed.days & other.calendar.day(date) and in_scope(case, exposed.payer) & day
    ]
    if not settled(case, own) & day:
        billed = (billed for episode in case.patient.episodes for billed in episode.billed if billed.is_service)
        against += [b.code for b in billed if b.code in PER_DIEM_CODES and b.from_ <= date <= b.to]
    return [own, *sorted({code for code in against if rule_between(own, code) == rule})]
