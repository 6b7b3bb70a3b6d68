"""What a passed step rested on: entries and codes that a reader is shown though they took no day away."""

from __future__ import annotations

from ledger.facts.entry import Entry
from ledger.judge.case import Case
from ledger.judge.causes import by_label, evidence_for, order_entries, orders_serving, visits_on


def serving(case: Case, date: int) -> list[Entry]:
    """The evidence of the date, whatever becomes of its orders."""
    return evidence_for(case, orders_serving(case, date), date) or visits_on(case, date)


def orders_in_force(case: Case, date: int) -> list[Entry]:
    """The orders behind the evidence that are in force, whatever their interval."""
    day = case.calendar.day(date)
    return order_entries(case, [o for o in orders_serving(case, date) if case.evidence.in_force(o) & day], date)


def part_days_in_hospital(case: Case, date: int) -> list[Entry]:
    """The stays that touch the date without making it an inpatient date."""
    day = case.calendar.day(date)
    return by_label(e for days, stay in case.stays("any_overlap") if days & day for e in stay.admissions)


def codes_on(case: Case, date: int) -> list[str]:
    """The codes that the date's orders give."""
    day = case.calendar.day(date)
    return sorted(code for code, days in case.candidates.items() if days & day)
