"""The plain model: the rulebook written out slowly, to be compared with the fast implementation.

Nothing here is clever. Facts are plain entries, dates are `datetime.date`, spans are looked at day by day, and the
steps of section 4 are taken in their order. It shares no code with the implementation it checks. Where the rulebook
leaves a choice, the README beside this file says which was taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .across import judge_patient
from .dates import instant
from .findings import findings_of_patient
from .findings_checks import findings_of_house
from .lines import lines_of_episode
from .patients import read_patients
from .reference import Reference

__all__ = ["Derived", "derive"]


@dataclass(frozen=True)
class Derived:
    """What follows from entries and book: rows as the contract shapes them, without `because` and `message`."""

    days: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    lines: list[dict[str, Any]]


def derive(entries: list[dict[str, Any]], book: dict[str, Any], known_at: str | None = None) -> Derived:
    """Derive days, findings and lines from the book and the accepted entries in the order recorded.

    Acts of the house (`PatientsMerged`, `PatientsParted`, `PaymentReceived`) are entries whose `episode` is `""`.
    """
    until = None if known_at is None else instant(known_at)
    reference = Reference(book, None if until is None else until.date())
    found = Derived([], findings_of_house(entries, until), [])
    for patient in read_patients(entries, until):
        judged = judge_patient(patient, reference)
        found.findings.extend(findings_of_patient(patient, judged, reference))
        for days in judged.values():
            found.days.extend(day.row() for day in days.values())
            found.lines.extend(lines_of_episode(days))
    found.days.sort(key=lambda row: (row["patient"], row["episode"], row["date"]))
    found.lines.sort(key=lambda row: (row["patient"], row["episode"], row["from"]))
    found.findings.sort(
        key=lambda row: (row["rule"], row["patient"], row["dates"][:1], row["dates"], row["episodes"], row["codes"])
    )
    return found
