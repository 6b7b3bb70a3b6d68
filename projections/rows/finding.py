"""The row of a finding, as ``findings`` prints it (contract section 2)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final

import msgspec

from ledger.judge.findings import Finding
from projections.rows.cells import Cells, as_list, json_list
from projections.words import iso


class FindingRow(msgspec.Struct, frozen=True, gc=False):
    """One finding: what is contradictory, on which dates, because of which entries."""

    rule: str
    level: str
    patient: str
    episodes: tuple[str, ...]
    dates: tuple[str, ...]
    codes: tuple[str, ...]
    because: tuple[str, ...]
    message: str


MESSAGES: Final[dict[str, str]] = {
    "pain_code_exclusion": "S9325 stands beside another per diem ({codes}) on one day. Decide which one to bill.",
    "duplicate_per_diem": "The same per diem ({codes}) stands twice on one day. Bill nothing in the one that yields.",
    "specific_pair": "Two per diems ({codes}) stand on one day. Decide which one to bill.",
    "catheter_care_with_per_diem": "Catheter care is billed beside the per diem ({codes}). Take one of them back.",
    "pharmacy_hours_with_per_diem": "Pharmacy hours are billed beside the per diem ({codes}). Take one of them back.",
    "bundled_item_billed": "An item that the per diem includes is billed separately ({codes}). Take it back.",
    "served_after_death": "An infusion is recorded after the patient's death. Correct the date of one of them.",
    "served_after_discharge": "An infusion is recorded after the discharge. Correct the date of one of them.",
    "served_while_inpatient": "An infusion at home is recorded during a hospital stay. Correct one of them.",
    "mixed_pain_codes": "One episode bills S9325 and specific codes ({codes}) under the same terms. Check the modes.",
    "claimed_not_billable": "Claimed as {codes}, but not billable so. Replace or void the claim.",
    "billable_not_claimed": "Billable as {codes}, but on no claim. Add the day to a claim.",
    "claimed_before_signature": "Claimed before a plan of treatment for the day was signed. Replace the claim.",
    "claimed_twice": "The day is on more than one line of live claims ({codes}). Replace or void one.",
    "claim_units": "The line's units differ from the days of its span ({codes}). Replace the claim.",
}


def finding_cells(found: Finding) -> Cells:
    """The row of one finding as the read model keeps it; the last two cells are for choosing and ordering only."""
    message = MESSAGES[found.rule].format(codes=", ".join(found.codes))
    dates = [iso(date) for date in found.dates]
    lists = (json_list(part) for part in (found.episodes, dates, found.codes, found.because))
    return (found.rule, found.level, found.patient, *lists, message, json_list(found.payers), dates[0])


def in_order(rows: Iterable[Cells]) -> list[Cells]:
    """Findings by rule, first date, dates, episodes, codes, causes."""
    found = list(rows)
    if len(found) > 1:
        found.sort(key=lambda row: (row[0], row[9], row[4], row[3], row[5], row[6]))
    return found


def finding_row(cells: Cells) -> FindingRow:
    """The row as it is shown."""
    rule, level, patient, episodes, dates, codes, because, message = cells[:8]
    return FindingRow(
        rule, level, patient, as_list(episodes), as_list(dates), as_list(codes), as_list(because), message
    )


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
