"""Episodes found by a part of their name, their patient's, or of a number that their records name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

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
    found_by: str


def find_episodes(ledger: EpisodeLedger, views: Views, text: str) -> tuple[list[FoundEpisode], bool]:
    """Episodes whose name, whose patient's name, or of which a claim, authorization, order or member number holds the
    text (letters of either case), by patient and episode; and whether there are more than are given. A name of an
    episode without days must be given in full."""
    patients = _patients(views, text) | ({ledger.survivor_of(text)} if ledger.episodes_of(text) else set())
    wanted = {(patient, episode): "" for patient in patients for episode in _episodes(ledger, patient)}
    wanted |= dict.fromkeys(_by_episode(views, text), "")
    wanted |= {(patient, text): "" for patient in ledger.patients_of(text) if text in _episodes(ledger, patient)}
    wanted = _by_number(ledger, views, text) | wanted
    chosen = sorted(wanted)
    return [_found(views, *one, wanted[one]) for one in chosen[:MOST_FOUND]], len(chosen) > MOST_FOUND


def _by_number(ledger: EpisodeLedger, views: Views, text: str) -> dict[tuple[str, str], str]:
    """Episodes of which a record names such a number, with the first of them; where an episode was given to another
    patient, it is found under that one."""
    if not views.has("found_by"):
        return {}
    rows = views.connection.execute(
        "SELECT patient, episode, min(word || ' ' || number) FROM found_by WHERE instr(lower(number), lower(?))"
        " GROUP BY 1, 2 ORDER BY 1, 2 LIMIT ?",
        (text, MOST_FOUND + 1),
    ).fetchall()
    owned = {patient: _episodes(ledger, patient) for patient, *_ in rows}
    return {(patient, episode): by for patient, episode, by in rows if episode in owned.get(patient, ())}


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


def _found(views: Views, patient: str, episode: str, by: str) -> FoundEpisode:
    counted: tuple[Any, ...] = views.connection.execute(
        f"SELECT min(first_date), max(last_date), {', '.join(map(_DAYS.format, _COUNTED))}"
        " FROM day_runs WHERE patient = ? AND episode = ?",
        (patient, episode),
    ).fetchone()
    return FoundEpisode(*(patient, episode, *counted, by))
