"""Rows that are no patient's: what is found in payers' checks, and what stays of the forgotten."""

from __future__ import annotations

from datetime import datetime

from ledger.administration import LAST_POSITION, HouseActs
from ledger.book import Book
from ledger.facts.administration import PaymentReceived
from ledger.judge.checks import ReceivedCheck, find_in_checks, says_something
from ledger.store import EpisodeLedger
from projections.reading.as_known import load_patient
from projections.rows.finding import finding_cells
from projections.rows.kept import NOBODY, kept_sheets
from projections.rows.patient import Sheets, derive_patient


def house_sheets(acts: HouseActs, upto: int = LAST_POSITION, known_at: datetime | None = None) -> Sheets | None:
    """The rows that acts of the house make, up to a position and as known at an instant; None if they make none."""
    gone = [each for each in acts.forgettings(upto) if known_at is None or each[1].forgotten_at <= known_at]
    checks = [
        ReceivedCheck(position, act)
        for position, act in acts.acts_of(PaymentReceived)
        if position <= upto and (known_at is None or act.received_at <= known_at)
    ]
    findings = finding_cells(find_in_checks(checks))
    kept = kept_sheets(gone)
    if not findings:
        return kept
    return Sheets(kept.runs if kept else [], findings, kept.lines if kept else [])


def touches_house(acts: HouseActs, after: int, upto: int) -> bool:
    """Whether an act of the house between two positions may make rows that are no patient's others than they were."""
    since = acts.acts_of(PaymentReceived, after=acts.count_of_acts(after))
    return any(position <= upto and says_something(act) for position, act in since)


def sheets_upto(ledger: EpisodeLedger, patient: str, book: Book, upto: int) -> Sheets | None:
    """The rows of a patient at a position, or those that are nobody's; None if there is no such patient."""
    if patient == NOBODY:
        return house_sheets(ledger, upto)
    found = load_patient(ledger, patient, upto=upto)
    return derive_patient(found, book) if found else None
