"""What ends each hold, and who can."""

from __future__ import annotations

from typing import Final, NamedTuple

from projections.words import REASONS


class Cure(NamedTuple):
    """A reason for a hold in plain words, and what would cure it."""

    because: str
    cure: str


_CURES: Final[dict[str, str]] = {
    "coverage_unverified": "verify the patient's coverage and record it",
    "no_terms": "put the payer's terms for these dates into the book",
    "no_agreement": "put the signed agreement with the payer into the book",
    "no_order": "check the order number of the service; if it is right, record the physician's order for these dates",
    "order_unsigned": "have the order signed, and correct it with the date it was signed on",
    "no_diagnosis": "record a diagnosis in force on these dates",
    "plan_missing": "get a signed plan of treatment for these dates and record it",
    "plan_unsigned": "find a plan that was signed on or before the day",
    "pain_assessment_overdue": "find the pain assessment of that time and record it",
    "auth_missing": "get an authorization for the code and these dates",
    "auth_exhausted": "ask the payer for more units, one for each day",
    "no_rate": "put the rate for the code into the payer's terms or the agreement",
}
CURES: Final = {reason: Cure(REASONS[reason], cure) for reason, cure in _CURES.items()}
"""What cures each hold of rulebook section 4."""
