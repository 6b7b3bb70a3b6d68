"""What ends each hold, and who can."""

from __future__ import annotations

from typing import Final, NamedTuple


class Cure(NamedTuple):
    """A reason for a hold in plain words, and what would cure it."""

    because: str
    cure: str


CURES: Final[dict[str, Cure]] = {
    "coverage_unverified": Cure("coverage unverified", "verify the patient's coverage and record it"),
    "no_terms": Cure("no payer's terms", "put the payer's terms for these dates into the book"),
    "no_agreement": Cure("no agreement", "put a signed agreement with the payer into the book"),
    "no_order": Cure("no order in force", "record the physician's order for these dates"),
    "no_diagnosis": Cure("no diagnosis", "record a diagnosis in force on these dates"),
    "plan_missing": Cure("plan of treatment missing", "get a plan of treatment for these dates, and have it signed"),
    "plan_unsigned": Cure("plan signed late", "find a plan that was signed on or before the day"),
    "pain_assessment_overdue": Cure("pain assessment overdue", "find the pain assessment of that time and record it"),
    "auth_missing": Cure("authorization missing", "get an authorization for the code and these dates"),
    "auth_exhausted": Cure("authorized units used up", "ask the payer for more units, one for each day"),
    "no_rate": Cure("no rate", "put the payer's rate for the code into the book"),
}
"""What cures each hold of rulebook section 4."""
