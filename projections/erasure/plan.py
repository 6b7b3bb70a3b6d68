"""What forgetting a patient takes: which episodes' entries go, and what stays of them, decided before it is done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ledger.book import Book
from ledger.facts.administration import KeptLine, PatientForgotten
from ledger.store import EpisodeLedger
from projections.read_model.generations import Places
from projections.reading.as_known import load_patient
from projections.rows.day import DayCells
from projections.rows.patient import Sheets, derive_patient


class UnknownPatient(Exception):
    """The ledger knows no such patient, or no longer."""


class AlsoAnothers(Exception):
    """Episodes once opened for the patient are another's now: they go as a whole, or the name in them stays."""

    def __init__(self, episodes: Sequence[str]) -> None:
        super().__init__(", ".join(episodes))
        self.episodes = tuple(episodes)


class ErasurePlan(NamedTuple):
    """What is to be forgotten, as the ledger stood at a position."""

    position: int
    episodes: tuple[str, ...]
    entries: int
    lines: tuple[KeptLine, ...]

    @property
    def days(self) -> int:
        """The billable days whose lines stay."""
        return sum(line.units for line in self.lines)

    @property
    def cents(self) -> int:
        """What the lines come to."""
        return sum(line.charge_cents for line in self.lines)

    def act(self, ledger: EpisodeLedger, now: datetime, by: str, reason: str, nonce: str) -> PatientForgotten:
        """The act that forgets it."""
        keys = tuple(kept.id for kept in ledger.keys_of(self.episodes))
        return PatientForgotten(now, by, reason, self.episodes, keys, self.lines, nonce)


def plan(ledger: EpisodeLedger, book: Book, patient: str, also: Collection[str] = ()) -> ErasurePlan:
    """What forgetting a patient takes: every episode that names them, under any name merged with theirs, and those
    named besides.

    UnknownPatient if there is none; AlsoAnothers for episodes that are somebody else's now and were not named.
    """
    position = ledger.position()
    named = ledger.episodes_naming(patient)
    if not named:
        raise UnknownPatient
    found = load_patient(ledger, ledger.survivor_of(patient), upto=position)
    theirs = {episode.name for episode in found.episodes} if found else set()
    if others := [episode for episode in named if episode not in theirs | set(also)]:
        raise AlsoAnothers(others)
    entries = sum(len(ledger.entries_of(episode, upto=position)) for episode in named)
    patients = {name for episode in named for name in ledger.patients_of(episode)}
    sheets = [_sheets(ledger, name, book, position) for name in sorted(patients)]
    return ErasurePlan(position, tuple(named), entries, tuple(_kept(sheets, named)))


def _sheets(ledger: EpisodeLedger, patient: str, book: Book, upto: int) -> Sheets:
    found = load_patient(ledger, patient, upto=upto)
    return derive_patient(found, book) if found else Sheets([], [], [])


def _kept(sheets: Sequence[Sheets], episodes: Sequence[str]) -> Iterator[KeptLine]:
    """The claim lines of these episodes, without whose they are and which authorization they drew on."""
    numbers = {episode: number for number, episode in enumerate(episodes, 1)}
    days = map(DayCells._make, (row for each in sheets for row in each.days))
    published = {(row.episode, row.date): row.terms_published for row in days}
    lines = [row for each in sheets for row in each.lines if row.episode in numbers]
    for row in sorted(lines, key=lambda row: (numbers[row.episode], row.from_)):
        yield _without_identity(row, numbers[row.episode], published[row.episode, row.from_])


def _without_identity(row: Any, number: int, terms_published: str) -> KeptLine:
    return KeptLine(
        number, row.payer, row.code, row.from_, row.to, row.units, row.rate_cents, row.charge_cents, row.terms_from,
        terms_published,
    )  # fmt: skip


def remove_models(places: Places) -> list[Path]:
    """Remove every read model beside the ledger, and the certificates that show rows; they are built anew when asked.

    Returns what was removed.
    """
    with places.rebuilding():
        return places.remove_all()
