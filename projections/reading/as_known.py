"""Patients out of the ledger: all their episodes, as known at an instant, ready for the judge."""

from __future__ import annotations

from datetime import UTC, datetime

from ledger.book import Book
from ledger.judge.episode import Patient
from ledger.judge.patients import episode_of
from ledger.store import EpisodeLedger


def load_patient(
    ledger: EpisodeLedger, patient: str, known_at: datetime | None = None, upto: int | None = None
) -> Patient | None:
    """The patient with every episode whose live opening names them, or None if no episode does.

    ``known_at`` leaves out entries recorded later, ``upto`` entries of a later position.
    """
    names = ledger.episodes_of(patient)
    episodes = [episode_of(name, ledger.entries_of(name, upto=upto), known_at) for name in names]
    theirs = [episode for episode in episodes if episode is not None and episode.patient == patient]
    return Patient(patient, theirs) if theirs else None


def book_known(book: Book, known_at: datetime | None) -> Book:
    """The book as known at an instant: terms published up to its UTC date."""
    return book if known_at is None else book.known(known_at.astimezone(UTC).date())


def patients_asked_for(ledger: EpisodeLedger, patient: str | None, episode: str | None) -> set[str] | None:
    """The patients that a question about a patient or an episode needs; None for everybody."""
    if patient is not None:
        return {patient}
    return set(ledger.patients_of(episode)) if episode is not None else None
