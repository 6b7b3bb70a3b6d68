"""What has to do with an episode: all episodes of its patients, and of theirs, with what was recorded for them."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry
from ledger.store import EpisodeLedger
from projections.reading.held import held_entries


def episodes_around(ledger: EpisodeLedger, episodes: Iterable[str]) -> list[str]:
    """The episodes, and all that their patients' episodes ever had to do with, by name."""
    names = set(episodes)
    waiting = list(names)
    while waiting:
        sharing = {other for patient in ledger.patients_of(waiting.pop()) for other in ledger.episodes_of(patient)}
        waiting += sharing - names
        names |= sharing
    return sorted(names)


def entries_around(ledger: EpisodeLedger, episodes: Iterable[str], upto: int | None = None) -> dict[str, list[Entry]]:
    """The entries of the episodes and of all around them, by episode, up to a position."""
    return read_streams(ledger, episodes_around(ledger, episodes), upto)


def read_streams(ledger: EpisodeLedger, episodes: Iterable[str], upto: int | None = None) -> dict[str, list[Entry]]:
    """The entries of some episodes up to a position, and the merges of patients under no episode's name."""
    streams = held_entries(ledger, list(episodes), upto)
    acts = ledger.merge_entries(upto)
    return streams | {HOUSE: acts} if acts else streams


def recorded_around(ledger: EpisodeLedger, episode: str) -> list[tuple[int, Entry]]:
    """The entries of the episode and of all that its patients' episodes ever had to do with, by position."""
    entries = [entry for stream in entries_around(ledger, [episode]).values() for entry in stream]
    positions = ledger.positions_of(entries)
    assert positions is not None, "what was just read stands in the ledger"
    return sorted(zip(positions, entries, strict=True), key=lambda placed: placed[0])
