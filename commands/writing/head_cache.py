"""The heads of the episodes last worked on, kept between batches in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from commands.references.watching import Watch
from ledger.facts.heads import EpisodeHead
from ledger.store import EpisodeLedger


class HeadCache:
    """The heads of the episodes last worked on, bounded by the identities they hold."""

    def __init__(self, ledger: EpisodeLedger, identities: int, watch: Watch | None = None) -> None:
        self._ledger, self._bound, self._held, self._watch = ledger, identities, 0, watch
        self._heads: OrderedDict[str, EpisodeHead] = OrderedDict()
        self._seen = ledger.position()

    def take(self, episodes: Iterable[str]) -> dict[str, EpisodeHead]:
        """The heads of these episodes, taken out: only ``keep`` puts them back."""
        taken: dict[str, EpisodeHead] = {}
        missing: list[str] = []
        for episode in episodes:
            if episode in self._heads:
                taken[episode] = self._heads.pop(episode)
                self._held -= taken[episode].version
            else:
                taken[episode] = EpisodeHead()
                missing.append(episode)
        if missing and self._ledger.encrypted:
            gone = self._ledger.forgotten().keys() & missing
            taken |= {episode: EpisodeHead(forgotten=True) for episode in gone}
            missing = [episode for episode in missing if episode not in gone]
        if self._watch:
            self._watch.begin(missing)
        for entry in self._ledger.entries_of_all(missing) if missing else ():
            taken[entry.episode].apply(entry)
            if self._watch:
                self._watch.read(entry)
        return taken

    def keep(self, heads: dict[str, EpisodeHead], positions: Sequence[int]) -> None:
        """Hold these heads, brought forward by entries at these positions, and let go of the longest unused."""
        if positions and positions[0] == self._seen + 1:
            self._seen = positions[-1]
        for episode, head in heads.items():
            self._heads[episode] = head
            self._held += head.version
        while self._held > self._bound:
            episode, head = self._heads.popitem(last=False)
            self._held -= head.version
            if self._watch:
                self._watch.let_go(episode)

    def overtaken(self, versions: dict[str, int]) -> bool:
        """Whether others wrote to one of these episodes past its version; heads that are behind are dropped."""
        position = self._ledger.position()
        if position == self._seen:
            return False
        behind = any(versions.get(episode) for episode in self._ledger.forgotten())
        for episode, version in self._ledger.versions_since(self._seen):
            if episode in self._heads and self._heads[episode].version < version:
                self._held -= self._heads.pop(episode).version
            behind |= versions.get(episode, version) < version
        self._seen = position
        return behind
