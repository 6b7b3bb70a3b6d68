"""The past read in one way: patients and their episodes as known at an instant, or as recorded up to a position.

Every reader of the past goes through here, so that one instant gives one answer: entries recorded by then, terms
published by its UTC date (rulebook section 1, *known at T*).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ledger.book import Book
from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry
from ledger.facts.liveness import known
from ledger.judge.case import Case
from ledger.judge.patients import Patient, episodes_in, gather
from ledger.judge.steps import judge
from ledger.store import EpisodeLedger
from projections.reading.held import held_entries
from projections.reading.size import refuse_too_many_claimed
from projections.reading.unjudged import Streams, judging


class JudgedPatient(NamedTuple):
    """A patient's episodes, judged beside each other, and the entries that were known of each."""

    cases: Sequence[Case]
    streams: Streams

    def case(self, episode: str) -> Case:
        """One of the patient's episodes."""
        return next(case for case in self.cases if case.episode.name == episode)

    def others(self, case: Case) -> list[Case]:
        """The patient's other episodes, which the days of this one may clash with."""
        return [other for other in self.cases if other is not case]


class AsKnown:
    """A ledger and a book as known at an instant, or as they stood at a position; without either, as they are now."""

    def __init__(self, ledger: EpisodeLedger, book: Book, at: datetime | None = None, upto: int | None = None) -> None:
        self.ledger, self.at, self.upto = ledger, at, upto
        self.book = book_known(book, at)

    def entries(self, episodes: Iterable[str]) -> dict[str, list[Entry]]:
        """The entries of some episodes."""
        held = held_entries(self.ledger, list(episodes), self.upto)
        found = {name: known(entries, self.at) for name, entries in held.items()}
        acts = known(self.ledger.merge_entries(self.upto), self.at)
        return found | {HOUSE: acts} if acts else found

    def patient(self, name: str) -> Patient | None:
        """A patient with all their episodes; None if no episode is theirs."""
        return load_patient(self.ledger, name, self.at, self.upto)

    def owner(self, episode: str) -> str | None:
        """The patient whose episode it is; None for one not opened by then."""
        return owner_among(self.entries([episode]), episode)

    def judged(self, patient: str) -> JudgedPatient | None:
        """A patient's episodes, judged; None if no episode is theirs."""
        return judged_among(self.entries(self.ledger.episodes_of(patient)), patient, self.book)


def owner_among(streams: Streams, episode: str, at: datetime | None = None) -> str | None:
    """The patient of one of some episodes as known at an instant; None for one not opened by then."""
    concerned = {name: streams[name] for name in (episode, HOUSE) if name in streams}
    found = episodes_in(concerned, at).get(episode)
    return found.patient if found else None


def judged_among(streams: Streams, patient: str, book: Book, at: datetime | None = None) -> JudgedPatient | None:
    """A patient judged by the entries of some episodes as known at an instant; None if none of these is theirs.

    All episodes of the patient are among them; others do no harm.
    """

    def work(streams: Streams) -> JudgedPatient | None:
        heard = {name: known(entries, at) for name, entries in streams.items()}
        found = next((one for one in gather(heard) if one.name == patient), None)
        return _judged(found, heard, book_known(book, at)) if found else None

    return judging(streams, work)


def everyone_judged(
    streams: Streams, book: Book, at: datetime | None = None, *, whole: bool = True
) -> dict[str, JudgedPatient]:
    """Every patient of some episodes judged as known at an instant, by episode; ``whole`` as ``gather`` has it."""

    def work(streams: Streams) -> dict[str, JudgedPatient]:
        heard = {name: known(entries, at) for name, entries in streams.items()}
        seen = book_known(book, at)
        return {
            episode.name: judged
            for patient in gather(heard, whole=whole)
            for judged in [_judged(patient, heard, seen)]
            for episode in patient.episodes
        }

    return judging(streams, work)


def _judged(patient: Patient, streams: Streams, book: Book) -> JudgedPatient:
    refuse_too_many_claimed(patient.episodes)
    return JudgedPatient(judge(patient, book), {one.name: streams[one.name] for one in patient.episodes})


def load_patient(
    ledger: EpisodeLedger, patient: str, known_at: datetime | None = None, upto: int | None = None
) -> Patient | None:
    """The patient with every episode whose live opening names them, or None if no episode does.

    ``known_at`` leaves out entries recorded later, ``upto`` entries of a later position.
    """
    streams = held_entries(ledger, ledger.episodes_of(patient), upto)
    streams |= {HOUSE: ledger.merge_entries(upto)}
    return judging(streams, lambda streams: _among(patient, streams, known_at))


def _among(patient: str, streams: Streams, known_at: datetime | None) -> Patient | None:
    theirs = [episode for episode in episodes_in(streams, known_at).values() if episode.patient == patient]
    return Patient(patient, theirs) if theirs else None


def book_known(book: Book, known_at: datetime | None) -> Book:
    """The book as known at an instant: terms published up to its UTC date."""
    return book if known_at is None else book.known(known_at.astimezone(UTC).date())


def patients_asked_for(ledger: EpisodeLedger, patient: str | None, episode: str | None) -> set[str] | None:
    """The patients that a question about a patient or an episode needs; None for everybody."""
    if patient is not None:
        return {patient}
    return set(ledger.patients_of(episode)) if episode is not None else None
