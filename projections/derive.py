"""From a patient's facts to rows: judged once, then written down as days, findings and lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ledger.book import Book
from ledger.case import Case
from ledger.days import judge
from ledger.episode import Patient
from ledger.findings import Finding, PatientFile, find
from projections.day_sheet import DayRow, day_rows
from projections.line_sheet import LineRow, line_rows


class Sheets(NamedTuple):
    """Everything derived of one patient."""

    days: list[DayRow]
    findings: list[Finding]
    lines: list[LineRow]


def derive_patient(patient: Patient, book: Book) -> Sheets:
    """The days, findings and lines of one patient, whose episodes are all given."""
    return sheets_of(judge(patient, book))


def sheets_of(cases: Sequence[Case]) -> Sheets:
    """The rows of one patient's judged episodes."""
    file = PatientFile(cases)
    days = [row for case in cases for row in day_rows(case, file.others(case), file.days[case.episode.name])]
    lines = [row for case in cases for row in line_rows(case, file.days[case.episode.name])]
    return Sheets(days, find(file), lines)
