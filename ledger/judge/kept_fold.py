"""A fold that is kept while entries are added: one more entry costs one step, and not all of them again.

Only what mends others, or changes what the whole episode is, has the episode folded anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ledger.facts import events as ev
from ledger.facts.entry import Entry
from ledger.judge.episode import Episode
from ledger.judge.fold import MENDING, TAKE, fold

_OF_THE_WHOLE: Final = frozenset({ev.EpisodeOpened, ev.EpisodeVoided})


class KeptFold:
    """An episode as its entries so far make it; the same object grows, as long as nothing is mended."""

    __slots__ = ("_mended", "entries", "episode")

    def __init__(self, name: str, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        self.episode: Episode
        self._mended: set[str] = set()
        """What corrections and retractions name, and their own ids."""
        for entry in self.entries:
            self._note_mending(entry)
        self._fold(name)

    def add(self, entry: Entry) -> Episode:
        """The episode with one more entry."""
        assert entry.version > self.entries[-1].version, "entries come by version"
        self.entries.append(entry)
        self._note_mending(entry)
        if self.episode.voided or entry.id in self._mended or type(entry.fact) in _OF_THE_WHOLE:
            self._fold(self.episode.name)
        else:
            self._take_in(entry)
        return self.episode

    def _take_in(self, entry: Entry) -> None:
        fact = entry.fact
        take = TAKE.get(type(fact))
        if take is not None:
            take(self.episode, entry, fact, entry)
        if isinstance(fact, ev.ClaimSubmitted):
            self.episode.claims[fact.claim] = self.episode.told_claims[-1]

    def _note_mending(self, entry: Entry) -> None:
        if type(entry.fact) in MENDING:
            self._mended |= {entry.id, entry.fact.target_id}  # type: ignore[union-attr]

    def _fold(self, name: str) -> None:
        assert self.entries[0].version == 1, "an episode is read from its beginning"
        self.episode = fold(name, self.entries)
