"""One service date of one episode, with its one verdict and what the steps found on the way to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from .orders import Telling
from .reference import Agreement, Terms

PER_DIEM_CODES = frozenset({"S9325", "S9326", "S9327", "S9328"})
CONFLICT_RULES = ("pain_code_exclusion", "duplicate_per_diem", "specific_pair")  # of several, the first wins


@dataclass
class Day:
    """One day; `failed_step` is none while no step has failed."""

    patient: str
    episode: str
    date: date
    status: str = "billable"
    reason: str | None = None
    failed_step: int | None = None
    payer: str | None = None
    member: str | None = None
    coverage_rank: int | None = None
    same_rank: set[str] = field(default_factory=set)
    """The other payers with a spell of the day's rank that remains."""
    terms: Terms | None = None
    place: str | None = None
    provider: str | None = None
    told_rank: int | None = None
    agreement: Agreement | None = None
    orders: dict[str, Telling] = field(default_factory=dict)
    candidates: set[str] = field(default_factory=set)
    code: str | None = None
    clashing: set[str] = field(default_factory=set)
    authorization: str | None = None
    rate_cents: int | None = None
    modifiers: list[str] | None = None

    @property
    def in_terms(self) -> Terms:
        """The terms of a day that passed step 6."""
        assert self.terms is not None
        return self.terms

    @property
    def own_code(self) -> str:
        """The code of a day that passed step 21."""
        assert self.code is not None
        return self.code

    @property
    def charge_cents(self) -> int | None:
        """The house's price for the code, the rate where the terms name none."""
        return self.in_terms.charge_cents.get(self.own_code, self.rate_cents)

    def passed(self, step: int) -> bool:
        """Did the day pass this step (and so all before it)?"""
        return self.failed_step is None or self.failed_step > step

    def fail(self, step: int, status: str, reason: str) -> None:
        """The verdict of the first step that fails."""
        self.failed_step, self.status, self.reason = step, status, reason

    def row(self) -> dict[str, Any]:
        """A row of `days` (contract, section 2): a field is null until the step that finds it is passed."""
        terms = self.terms if self.passed(6) else None
        billable = self.status == "billable"
        return {
            "patient": self.patient,
            "episode": self.episode,
            "date": self.date.isoformat(),
            "status": self.status,
            "reason": self.reason,
            "code": self.code if self.passed(21) else None,
            "payer": self.payer if self.passed(5) else None,
            "terms_from": None if terms is None else terms.from_date.isoformat(),
            "terms_published": None if terms is None else terms.published.isoformat(),
            "rate_cents": self.rate_cents if billable else None,
            "authorization": self.authorization if billable else None,
            "member": self.member if self.passed(5) else None,
            "provider": self.provider if self.passed(6) else None,
            "place_of_service": self.place if self.passed(6) else None,
            "modifiers": self.modifiers if billable else None,
        }


Days = dict[date, Day]


def billable_days(days: Days) -> list[Day]:
    """The billable days, in date order."""
    return [day for _, day in sorted(days.items()) if day.status == "billable"]
