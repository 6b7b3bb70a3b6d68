"""Episodes found by a part of their name or of their patient's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from ledger.store import EpisodeLedger
from projections.read_model.views import Views
from projections.reading.as_known import load_patient

MOST_FOUND: Final = 50
_DAYS: Final = "coalesce(sum(days) FILTER (WHERE {}), 0)"
_COUNTED: Final = ("true", "status = 'billable'", "status = 'hold'", "status = 'conflict'")


class FoundEpisode(msgspec.Struct, frozen=True):
    """An episode with how its days stand; without days the dates are None."""

    patient: str
    episode: str
    first_date: str | None
    last_date: str | None
    days: int
    billable: int
    held: int
    in_conflict: int


def find_episodes(ledger: EpisodeLedger, views: Views, text: str) -> tuple[list[FoundEpisode], bool]:
    """Episodes whose name, or whose patient's name, holds the text (letters of either case), by patient and episode;
    and whether there are more than are given. A name of an episode without days must be given in full."""
    patients = _patients(views, text) | ({ledger.survivor_of(text)} if ledger.episodes_of(text) else set())
    wanted = {(patient, episode) for patient in patients for episode in _episodes(ledger, patient)}
    wanted |= set(_by_episode(views, text))
    wanted |= {(patient, text) for patient in ledger.patients_of(text) if text in _episodes(ledger, patient)}
    chosen = sorted(wanted)
    return [_found(views, *one) for one in chosen[:MOST_FOUND]], len(chosen) > MOST_FOUND


def _patients(views: Views, text: str) -> set[str]:
    rows = views.connection.execute(
        "SELECT patient FROM digests WHERE instr(lower(patient), lower(?)) ORDER BY 1 LIMIT ?", (text, MOST_FOUND + 1)
    )
    return {patient for (patient,) in rows}


def _by_episode(views: Views, text: str) -> Iterator[tuple[str, str]]:
    rows = views.connection.execute(
        "SELECT DISTINCT patient, episode FROM day_runs WHERE instr(lower(episode), lower(?)) ORDER BY 1, 2 LIMIT ?",
        (text, MOST_FOUND + 1),
    )
    yield from rows


def _episodes(ledger: EpisodeLedger, patient: str) -> list[str]:
    """The episodes that are the patient's now: a correction may have given one to somebody else."""
    found = load_patient(ledger, patient)
    return [episode.name for episode in found.episodes] if found else []


def _found(views: Views, patient: str, episode: str) -> FoundEpisode:
    row = views.connection.execute(
        f"SELECT min(first_date), max(last_date), {', '.join(map(_DAYS.format, _COUNTED))}"
        " FROM day_runs WHERE patient = ? AND episode = ?",
        (patient, episode),
    ).fetchone()
    return FoundEpisode(patient, episode, *row)
