"""The row of a finding, as ``findings`` prints it (contract section 2)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Final

import msgspec

from ledger.judge.findings import Finding
from projections.rows.cells import Cells, json_list, shown
from projections.rows.columns import columns_of, named_cells, note
from projections.words import iso


class FindingRow(msgspec.Struct, frozen=True, gc=False):
    """One contradiction or mistake worth a human's time."""

    rule: Annotated[str, note("the rule that was broken", "kept", "word")]
    level: Annotated[str, note("`hard` stops a claim, `soft` warns", "kept", "word")]
    patient: Annotated[str, note("the patient's name in the ledger", "pseudonym")]
    episodes: Annotated[tuple[str, ...], note("the episodes concerned", "pseudonym")]
    dates: Annotated[tuple[str, ...], note("the service dates concerned", "shifted", "dates")]
    codes: Annotated[tuple[str, ...], note("the codes concerned", "kept")]
    because: Annotated[
        tuple[str, ...], note("the entries that decided, as `source:id`, the decisive one first", "left out")
    ]
    message: Annotated[str, note("what is wrong and what to do, in a sentence", "left out")]


class KeptFinding(FindingRow, frozen=True, gc=False):
    """A finding as the read model keeps it: with what it is chosen and ordered by."""

    payers: Annotated[tuple[str, ...], note("the payers concerned, to choose by", "left out")]
    first_date: Annotated[str, note("the first of the dates, to order by", "left out", "date")]


FINDING_COLUMNS: Final = tuple(columns_of(FindingRow))
KEPT_FINDING_COLUMNS: Final = tuple(columns_of(KeptFinding))
FINDING_ORDER: Final = ("patient", "rule", "first_date", "dates", "episodes", "codes", "because")
FindingCells: Final = named_cells(KeptFinding)
"""A finding as the read model keeps it, its places named as the columns are."""


MESSAGES: Final[dict[str, str]] = {
    "pain_code_exclusion": "S9325 and another per diem ({codes}) on the same day. Decide which one to bill.",
    "duplicate_per_diem": (
        "The same per diem ({codes}) twice on one day. Choose the one to keep, and bill nothing in the other."
    ),
    "specific_pair": "Two per diems ({codes}) on the same day. Decide which one to bill.",
    "catheter_care_with_per_diem": "Catheter care is billed beside the per diem ({codes}). Void one of them.",
    "pharmacy_hours_with_per_diem": "Pharmacy hours are billed beside the per diem ({codes}). Void one of them.",
    "bundled_item_billed": "An item that the per diem includes is billed separately ({codes}). Void it.",
    "served_after_death": "An infusion is recorded after the patient's death. Correct the date of one of them.",
    "served_after_discharge": "An infusion is recorded after the discharge. Correct the date of one of them.",
    "served_while_inpatient": "An infusion at home is recorded during a hospital stay. Correct one of them.",
    "mixed_pain_codes": "One episode bills S9325 and specific codes ({codes}) under the same terms. Check the modes.",
    "claimed_not_billable": (
        "Claimed as {codes}, but not billable with that code and payer. Send a replacement (7) or a void (8)."
    ),
    "billable_not_claimed": "Billable as {codes}, but on no claim. Add the day to a claim.",
    "claimed_before_signature": (
        "Claimed before the plan of treatment or the order for the day was signed. Replace the claim. "
    ),
    "claimed_ahead": "Claimed before the day had come ({codes}). Replace the claim once the day has been served.",
    "claimed_twice": "The day is on more than one line of live claims ({codes}). Replace or void one.",
    "claim_units": "The line's units differ from the days of its span ({codes}). Replace the claim.",
    "replaces_unknown": (
        "A replacement or void names no claim of this episode that was ever recorded. Correct its number."
    ),
    "number_reused": (
        "One claim number is used for claims of different dates; only the last one counts. Correct one number."
    ),
    "unmatched": (
        "A discharge or resumption without an admission or hold before it. Record what is missing, or retract it."
    ),
    "stays_adjoin": "Two hospital stays adjoin but are told apart by more than four hours. Check the instants.",
    "stay_stretched": (
        "One visit number has discharges more than a day apart. An admission between them may be missing."
    ),
    "stay_open": "A hospital stay without a discharge was joined with a later one. Record the discharge.",
    "voided_with_facts": (
        "A voided episode holds facts that would count for the patient. Record them in another episode."
    ),
    "evidence_gap": "No evidence of therapy for more than 180 days between two dates. A year may be mistyped.",
    "coverage_overlap": "Two payers have the same rank on these days. Correct the rank of one of them.",
    "coverage_reinstated": "Coverage was verified again after it had ended. Check that the end is really undone.",
    "runs_disagree": "Two sources log different runs of one order at the same time. Correct one of them.",
    "served_beyond_supply": (
        "An infusion for which no dispensed supply is left. Check the days' supply or the day served. "
    ),
    "concurrent_unranked": (
        "Another infusion therapy runs beside pain ({codes}) and no rank is recorded. Record the rank. "
    ),
    "decision_without_effect": "A decision changes nothing on this date. Check its date and its code.",
}


def finding_cells(found: Finding) -> Cells:
    """The row of one finding as the read model keeps it; the last two cells are for choosing and ordering only."""
    message = MESSAGES[found.rule].format(codes=", ".join(found.codes))
    dates = [iso(date) for date in found.dates]
    lists = (json_list(part) for part in (found.episodes, dates, found.codes, found.because))
    cells: Cells = FindingCells(
        found.rule, found.level, found.patient, *lists, message, json_list(found.payers), dates[0]
    )
    return cells


_place: Final = attrgetter(*(name for name in FINDING_ORDER if name != "patient"))


def in_order(rows: Iterable[Cells]) -> list[Cells]:
    """Findings by rule, first date, dates, episodes, codes, causes."""
    found = list(rows)
    if len(found) > 1:
        found.sort(key=_place)
    return found


def finding_row(cells: Cells) -> FindingRow:
    """The row as it is shown."""
    return shown(FindingRow, FINDING_COLUMNS, cells)


def together(findings: Iterable[FindingRow]) -> list[FindingRow]:
    """Findings that follow each other and say the same of the same episodes, as one with all their dates."""
    groups = (list(alike) for _, alike in groupby(findings, lambda row: (row.rule, row.episodes, row.message)))
    return [
        msgspec.structs.replace(
            group[0],
            dates=tuple(sorted({date for row in group for date in row.dates})),
            because=tuple(dict.fromkeys(label for row in group for label in row.because)),
        )
        for group in groups
    ]
