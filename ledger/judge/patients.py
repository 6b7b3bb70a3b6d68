"""From entries to patients: live entries folded by episode, episodes gathered by the patient their opening names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ledger.facts.entry import Entry
from ledger.facts.liveness import known
from ledger.judge.episode import Episode, Patient, fold


def episode_of(
    name: str, entries: Sequence[Entry], known_at: datetime | None = None, *, whole: bool = True
) -> Episode | None:
    """The episode as known at an instant, or None if it was not opened by then. Entries come by version.

    Where they are not the ``whole``, those that the judge never reads are left out.
    """
    if known_at is not None:
        entries = known(entries, known_at)
    if not entries:
        return None
    assert entries[0].version == 1, "an episode is read from its beginning"
    assert entries[-1].version == len(entries) or not whole, "versions have no gaps"
    return fold(name, entries)


def gather(
    streams: Mapping[str, Sequence[Entry]], known_at: datetime | None = None, *, whole: bool = True
) -> list[Patient]:
    """The patients of some episodes' entries, by name. A patient is complete only if all its episodes are given."""
    by_patient: dict[str, list[Episode]] = {}
    for name, entries in streams.items():
        episode = episode_of(name, entries, known_at, whole=whole)
        if episode is not None:
            by_patient.setdefault(episode.patient, []).append(episode)
    return [Patient(name, episodes) for name, episodes in sorted(by_patient.items())]


def by_episode(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Entries in recorded order, gathered by episode."""
    streams: dict[str, list[Entry]] = {}
    for entry in entries:
        streams.setdefault(entry.episode, []).append(entry)
    return streams
