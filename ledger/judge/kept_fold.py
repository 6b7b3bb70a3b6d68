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
    """An episode as its entries so far make it. It grows: the same object, as long as nothing is mended."""

    __slots__ = ("_mended", "entries", "episode")

    def __init__(self, name: str, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        assert self.entries[0].version == 1, "an episode is read from its beginning"
        self.episode: Episode = fold(name, self.entries)
        mending = [entry.fact for entry in self.entries if type(entry.fact) in MENDING]
        self._mended = {fact.target_id for fact in mending}  # type: ignore[union-attr]

    def and_(self, entry: Entry) -> KeptFold:
        """The fold with one more entry: this one, grown, or one made anew; then this one is as it was."""
        assert entry.version > self.entries[-1].version, "entries come by version"
        if not self.grows_by(entry):
            return KeptFold(self.episode.name, [*self.entries, entry])
        self.entries.append(entry)
        take = TAKE.get(type(entry.fact))
        if take is not None:
            take(self.episode, entry, entry.fact, entry)
            self.episode.heard_at = entry.recorded_at
        if isinstance(entry.fact, ev.ClaimSubmitted):
            self.episode.claims[entry.fact.claim] = self.episode.told_claims[-1]
        return self

    def grows_by(self, entry: Entry) -> bool:
        """Whether an entry is simply taken in: it mends nothing, nothing so far mends it, and the episode stays what it
        is."""
        kind = type(entry.fact)
        changes_more = kind in MENDING or kind in _OF_THE_WHOLE or entry.id in self._mended
        return not (changes_more or self.episode.voided)
