"""What ends each hold, and who can."""

from __future__ import annotations

from typing import Final, NamedTuple


class Cure(NamedTuple):
    """A reason for a hold in plain words, and what would cure it."""

    because: str
    cure: str


CURES: Final[dict[str, Cure]] = {
    "coverage_unverified": Cure("coverage not verified", "verify the patient's coverage and record it"),
    "no_terms": Cure("no terms of the payer in the book", "put the payer's terms for these dates into the book"),
    "no_agreement": Cure(
        "no agreement with the payer in the book", "put the signed agreement with the payer into the book"
    ),
    "no_order": Cure(
        "no order in force",
        "check the order number of the service; if it is right, record the physician's order for these dates",
    ),
    "order_unsigned": Cure("order not signed", "have the order signed, and correct it with the date it was signed on"),
    "no_diagnosis": Cure("no diagnosis", "record a diagnosis in force on these dates"),
    "plan_missing": Cure("no plan of treatment", "get a signed plan of treatment for these dates and record it"),
    "plan_unsigned": Cure("plan signed late", "find a plan that was signed on or before the day"),
    "pain_assessment_overdue": Cure("pain assessment overdue", "find the pain assessment of that time and record it"),
    "auth_missing": Cure("no authorization", "get an authorization for the code and these dates"),
    "auth_exhausted": Cure("authorized units used up", "ask the payer for more units, one for each day"),
    "no_rate": Cure("no rate in the book", "put the rate for the code into the payer's terms or the agreement"),
}
"""What cures each hold of rulebook section 4."""
