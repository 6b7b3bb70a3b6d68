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
