"""Each claimed day with what was paid for it beside what is expected now: paid, too little, too much, denied."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ledger.judge.answers import chain_of
from ledger.judge.case import Case, Region
from ledger.judge.claims import live_claims
from ledger.judge.paid import PaidDay, paid_days
from ledger.judge.regions import regions

PaidStatus = Literal["paid", "underpaid", "overpaid", "denied", "patient", "reversed", "unpaid"]
"""Where a claimed day stands with its payer."""


class SettledDay(NamedTuple):
    """A claimed day, what is expected for it now (step 24; None for what is no per diem), and where it stands."""

    day: PaidDay
    expected_cents: int | None
    status: PaidStatus

    @property
    def to_give_back_cents(self) -> int:
        """What was paid beyond what is expected for it now."""
        return 0 if self.expected_cents is None else max(0, self.day.paid_cents - self.expected_cents)


def settled_days(case: Case) -> list[SettledDay]:
    """Every claimed day of a judged episode, by claim, date and code."""
    days = paid_days(case.episode)
    by_date = _by_date(case) if days else {}
    live = {claim.fact.claim for claim in live_claims(case.episode)}
    waiting = _waiting(case, days, live)
    found = []
    for day in days:
        region = by_date.get(day.date)
        expects = day.claim in live or (day.claim, day.date, day.code) in waiting
        expected = _expected(day, region if expects else None)
        tolerance = region.terms.tolerance_cents if region and region.terms else 0
        found.append(SettledDay(day, expected, status_of(day, expected, tolerance)))
    return found


def _by_date(case: Case) -> dict[int, Region]:
    return {date: region for region in regions(case) if region.is_billable for date in case.calendar.dates(region.days)}


def _waiting(case: Case, days: list[PaidDay], live: set[str]) -> set[tuple[str, int, str]]:
    """The days of claims that were replaced, as long as the replacement is not answered: their money still counts."""
    answers: dict[str, set[tuple[int, str]]] = {}
    for day in days:
        if day.claim in live and not day.is_answered:
            answers.setdefault(day.claim, set()).add((day.date, day.code))
    waiting: set[tuple[str, int, str]] = set()
    for claim, unanswered in answers.items():
        for other in chain_of(case.episode, claim):
            if other.fact.claim != claim:
                waiting |= {(other.fact.claim, date, code) for date, code in unanswered}
    return waiting


def _expected(day: PaidDay, region: Region | None) -> int | None:
    if not day.is_per_diem:
        return None
    if region is None or (region.code, region.payer) != (day.code, day.payer):
        return 0
    return region.rate_cents or 0


def status_of(day: PaidDay, expected: int | None, tolerance_cents: int) -> PaidStatus:
    """Where a claimed day stands."""
    if expected is not None and day.paid_cents > expected:
        return "overpaid"
    if not day.is_answered:
        return "reversed" if day.is_taken_back else "unpaid"
    if day.allowed_cents <= 0:
        return "denied"
    if expected is not None and day.allowed_cents < expected - tolerance_cents:
        return "underpaid"
    return "patient" if day.paid_cents <= 0 and day.patient_cents > 0 else "paid"
