"""What a passed step rested on: entries and codes that a reader is shown though they took no day away."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.book import PER_DIEM_CODES
from ledger.facts.entry import Entry
from ledger.judge.case import Case
from ledger.judge.causes import by_label, evidence_for, order_entries, orders_serving, visits_on
from ledger.judge.clash import in_scope, rule_between, settled


def serving(case: Case, date: int) -> list[Entry]:
    """The evidence of the date, whatever becomes of its orders."""
    return evidence_for(case, orders_serving(case, date), date) or visits_on(case, date)


def orders_in_force(case: Case, date: int) -> list[Entry]:
    """The orders behind the evidence that are in force, whatever their interval."""
    day = case.calendar.day(date)
    return order_entries(case, [o for o in orders_serving(case, date) if case.evidence.in_force(o) & day])


def part_days_in_hospital(case: Case, date: int) -> list[Entry]:
    """The stays that touch the date without making it an inpatient date."""
    day = case.calendar.day(date)
    return by_label(entry for days, entry in case.stays("any_overlap") if days & day)


def codes_on(case: Case, date: int) -> list[str]:
    """The codes that the date's orders give."""
    day = case.calendar.day(date)
    return sorted(code for code, days in case.candidates.items() if days & day)


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
