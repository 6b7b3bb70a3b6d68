"""What holds for an object as a whole, once each field has its form; new with edition 2, so at the door alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from ledger.book import PER_DIEM_CODES
from ledger.facts.billing import DrugAdministered
from ledger.facts.events import (
    ClaimLine,
    ClaimSubmitted,
    CoverageVerified,
    DaysServed,
    DiagnosisRecorded,
    DrugBilledSeparately,
    FacilityStayed,
    HospiceElected,
    ServiceBilledSeparately,
    TherapyOrdered,
    TherapyRanked,
)

LONGEST_SPAN_DAYS: Final = 366
MOST_CLAIM_LINES: Final = 50

Rule = Callable[[Mapping[str, Any]], tuple[str, str] | None]
"""Says of an object's checked fields which one is wrong and what was expected, if any is."""


def _span(told: Mapping[str, Any]) -> tuple[str, str] | None:
    """From `from` to `to` are at most 366 days, both included."""
    first, last = told.get("from"), told.get("to")
    if not (isinstance(first, str) and isinstance(last, str)):
        return None
    if (date.fromisoformat(last) - date.fromisoformat(first)).days < LONGEST_SPAN_DAYS:
        return None
    return "to", f"a span of at most {LONGEST_SPAN_DAYS} days, from and to included"


def ends_never(told: Mapping[str, Any]) -> tuple[str, str] | None:
    """An absent `to` is open; a `to` in 2099 or later is refused."""
    to = told.get("to")
    if isinstance(to, str) and "2099" <= to[:4] <= "9999":
        return "to", "a date before 2099, or no `to` at all: an absent `to` is open, so leave it out"
    return None


def _units_of_line(told: Mapping[str, Any]) -> tuple[str, str] | None:
    """The `units` of a per diem's line are a whole number."""
    code = told.get("code")
    if isinstance(code, str) and code in PER_DIEM_CODES and not isinstance(told.get("units"), int):
        return "units", "a whole number from 1, for the code is a per diem"
    return None


def _few_lines(told: Mapping[str, Any]) -> tuple[str, str] | None:
    """There are at most 50 `lines`."""
    lines = told.get("lines")
    if isinstance(lines, list) and len(lines) > MOST_CLAIM_LINES:
        return "lines", f"a list of 1 to {MOST_CLAIM_LINES} claim lines"
    return None


RULES: Final[Mapping[type[Any], tuple[Rule, ...]]] = {
    ClaimSubmitted: (_few_lines,),
    ClaimLine: (_span, _units_of_line),
    **dict.fromkeys((DaysServed, DrugAdministered, DrugBilledSeparately, ServiceBilledSeparately), (_span,)),
    **dict.fromkeys(
        (CoverageVerified, TherapyOrdered, FacilityStayed, HospiceElected, TherapyRanked, DiagnosisRecorded),
        (ends_never,),
    ),
}
"""The rules of each struct that has any."""
