"""From entries to patients: live entries folded by episode, episodes gathered by the patient their opening names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry
from ledger.facts.liveness import known
from ledger.facts.merges import Merges
from ledger.facts.zones import zone
from ledger.judge.episode import Episode
from ledger.judge.fold import fold
from ledger.judge.groups import recorded
from ledger.judge.stays import Hospital, Stay, StayPart, hospital, joined, parts_of


class Patient:
    """A patient's episodes, with the facts that count in every one of them (rulebook section 2, Whose facts)."""

    __slots__ = (
        "authorizations", "deaths", "episodes", "facility", "hospice", "name", "parts", "stays", "taken",
        "taken_kinds", "unmatched",
    )  # fmt: skip

    def __init__(self, name: str, episodes: Sequence[Episode]) -> None:
        self.name = name
        self.episodes = sorted(episodes, key=lambda episode: episode.name)
        self.deaths = [death for ep in self.episodes for death in ep.deaths]
        self.facility = [stay for ep in self.episodes for stay in ep.facility]
        self.hospice = [election for ep in self.episodes for election in ep.hospice]
        self.authorizations = [granted for ep in self.episodes for granted in ep.authorizations]
        self.taken = [taken for ep in self.episodes for taken in ep.taken]
        self.taken_kinds = frozenset(type(taken.fact) for taken in self.taken)
        if len(self.episodes) > 1:
            self.authorizations.sort(key=lambda granted: recorded(granted[0]))
        self.parts: list[StayPart] = []
        self.stays: list[Stay] = []
        self.unmatched: list[Hospital] = []
        """Discharges from hospital that belong to no stay."""
        if any(ep.admissions or ep.homecomings for ep in self.episodes):
            self.parts, self.unmatched = parts_of(self._hospital("admissions"), self._hospital("homecomings"))
            self.stays = joined(self.parts)

    def _hospital(self, kind: str) -> Iterator[tuple[str, Hospital]]:
        for episode in self.episodes:
            tz = zone(episode.opening[1].zone)
            for stay, at, entry in getattr(episode, kind):
                yield stay, hospital(at, tz, entry)


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
    for episode in episodes_in(streams, known_at, whole=whole).values():
        by_patient.setdefault(episode.patient, []).append(episode)
    return [Patient(name, episodes) for name, episodes in sorted(by_patient.items())]


def episodes_in(
    streams: Mapping[str, Sequence[Entry]], known_at: datetime | None = None, *, whole: bool = True
) -> dict[str, Episode]:
    """The episodes of some entries as known at an instant, by name; merged patients under the name that stands."""
    merges = Merges(known(streams.get(HOUSE, ()), known_at))
    found = {}
    for name, entries in streams.items():
        episode = episode_of(name, entries, known_at, whole=whole) if name != HOUSE else None
        if episode is not None:
            episode.patient = merges.survivor(episode.patient)
            found[name] = episode
    return found


def by_episode(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Entries in recorded order, gathered by episode."""
    streams: dict[str, list[Entry]] = {}
    for entry in entries:
        streams.setdefault(entry.episode, []).append(entry)
    return streams
