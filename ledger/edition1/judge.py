"""The steps of edition 1 in their order, and the judging by them.

Steps 21-23 come after every episode of the patient has gone through 1-20, because a clash looks at the others' days as
they stand there.
"""

from __future__ import annotations

from typing import Final

from ledger.book import Book
from ledger.day_set import Days
from ledger.edition1 import steps
from ledger.edition1.case import Case
from ledger.edition1.patients import Patient
from ledger.edition1.steps import BILLABLE, Failed, Step

STEPS: Final[tuple[Step, ...]] = (
    steps.step_1_not_after_death,
    steps.step_2_not_after_discharge,
    steps.step_3_coverage_verified,
    steps.step_4_covered,
    steps.step_5_payer_accepts_s_codes,
    steps.step_6_terms_in_force,
    steps.step_7_place_of_service,
    steps.step_8_agreement,
    steps.step_9_not_inpatient,
    steps.step_10_not_in_facility,
    steps.step_11_not_in_hospice,
    steps.step_12_not_held,
    steps.step_13_served,
    steps.step_14_order_in_force,
    steps.step_15_interval,
    steps.step_16_diagnosis,
    steps.step_17_plan,
    steps.step_18_pain_assessment,
    steps.step_19_not_waived,
    steps.step_20_one_code,
)


def judge(patient: Patient, book: Book) -> list[Case]:
    """Every day of every episode of one patient, judged. Pure: the same facts and book give the same verdicts."""
    cases = [Case(episode, patient, book) for episode in patient.episodes]
    standing = [_through_step_20(case) for case in cases]
    for place, case in enumerate(cases):
        others = cases[:place] + cases[place + 1 :]
        left = _take(case, standing[place], steps.step_21_no_clash(case, standing[place], others))
        left = _take(case, left, steps.step_22_authorized(case, left))
        left = _take(case, left, steps.step_23_rated(case))
        case.verdicts.append((BILLABLE, left))
    return cases


def _through_step_20(case: Case) -> Days:
    standing = case.calendar.every
    for step in STEPS:
        standing = _take(case, standing, step(case, standing))
    return standing


def _take(case: Case, standing: Days, failed: Failed) -> Days:
    """Give each failing day its first verdict; what is left goes on to the next step."""
    for verdict, days in failed:
        taken = standing & days
        if taken:
            case.verdicts.append((verdict, taken))
            standing &= ~taken
    return standing
