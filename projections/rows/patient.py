"""From a patient's facts to rows: judged once, then written down as days, findings and lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from ledger.book import Book
from ledger.judge.case import Case
from ledger.judge.findings import find_each
from ledger.judge.patients import Patient, gather
from ledger.judge.steps import judge, judge_each
from projections.reading.budget import within_budget
from projections.reading.size import refuse_too_many_claimed
from projections.reading.unjudged import FAULTS, Streams, unjudged
from projections.rows.day_run import DayRun, day_runs, days_of
from projections.rows.finding import finding_cells
from projections.rows.line import line_cells


class Sheets(NamedTuple):
    """Everything derived of one patient, as the read model keeps it."""

    runs: list[DayRun]
    findings: list[Any]
    lines: list[Any]

    @property
    def days(self) -> list[Any]:
        """The rows of the days, in order."""
        return list(days_of(self.runs))


def derive_patient(patient: Patient, book: Book) -> Sheets:
    """The days, findings and lines of one patient, whose episodes are all given; TooCostly beyond the budget."""
    return within_budget(patient.episodes[0].name, lambda: sheets_of(judge(patient, book)))


def derive_from(patient: Patient, book: Book, streams: Callable[[], Streams]) -> Sheets:
    """The same; Unjudged where it fails unforeseen: then the entries of all their episodes are asked for, to see by
    which."""
    try:
        return derive_patient(patient, book)
    except FAULTS as fault:
        raise unjudged(streams(), partial(_derive_among, patient.name, book), fault) from fault


def _derive_among(name: str, book: Book, streams: Streams) -> None:
    """Derive a patient, if one of that name is among those whose entries these are."""
    for patient in gather(streams, whole=False):
        if patient.name == name:
            derive_patient(patient, book)


def derive_each(patients: Sequence[Patient], book: Book) -> list[Sheets]:
    """The days, findings and lines of several patients, stage by stage; the budget is for the caller to mind."""
    return sheets_each(judge_each(patients, book))


def sheets_of(cases: Sequence[Case]) -> Sheets:
    """The rows of one patient's judged episodes."""
    return sheets_each([cases])[0]


def sheets_each(judged: Sequence[Sequence[Case]]) -> list[Sheets]:
    """The rows of several patients' judged episodes: all the days, then all the lines, then all the findings. TooCostly
    if somebody's claims have too many days."""
    for cases in judged:
        refuse_too_many_claimed([case.episode for case in cases])
    runs = [
        [run for case in cases for run in day_runs(case, [other for other in cases if other is not case])]
        for cases in judged
    ]
    lines = [[line for case in cases for line in line_cells(case)] for cases in judged]
    findings = map(finding_cells, find_each(judged))
    return list(map(Sheets, runs, findings, lines))
