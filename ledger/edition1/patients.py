"""From episodes to patients under edition 1, with the facts that count in every episode of a patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ledger.edition1.episode import Episode, fold
from ledger.edition1.shapes import Moment
from ledger.facts.entry import Entry


class Patient:
    """A patient's episodes, with the facts that count in every one of them (rulebook section 2, Whose facts)."""

    __slots__ = ("admissions", "deaths", "episodes", "facility", "homecomings", "hospice", "name")

    def __init__(self, name: str, episodes: Sequence[Episode]) -> None:
        self.name = name
        self.episodes = sorted(episodes, key=lambda episode: episode.name)
        self.deaths = [death for ep in self.episodes for death in ep.deaths]
        self.facility = [stay for ep in self.episodes for stay in ep.facility]
        self.hospice = [election for ep in self.episodes for election in ep.hospice]
        self.admissions = _recorded_last([ep.admissions for ep in self.episodes])
        self.homecomings = _recorded_last([ep.homecomings for ep in self.episodes])


def _recorded_last(by_episode: Sequence[dict[str, Moment]]) -> dict[str, Moment]:
    if len(by_episode) == 1:
        return by_episode[0]
    last: dict[str, Moment] = {}
    for moments in by_episode:
        for stay, moment in moments.items():
            if stay not in last or _place(last[stay]) < _place(moment):
                last[stay] = moment
    return last


def _place(moment: Moment) -> tuple[datetime, str, int]:
    entry = moment.entry
    return entry.recorded_at, entry.episode, entry.version


def gather(streams: Mapping[str, Sequence[Entry]]) -> list[Patient]:
    """The patients of some episodes' entries, by name; a patient is who the live openings name."""
    by_patient: dict[str, list[Episode]] = {}
    for name, entries in streams.items():
        if entries:
            episode = fold(name, entries)
            by_patient.setdefault(episode.patient, []).append(episode)
    return [Patient(name, episodes) for name, episodes in sorted(by_patient.items())]
