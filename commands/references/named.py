"""What an episode has named, kept while its entries come: nothing is gathered anew, whatever is mended."""

from __future__ import annotations

from commands.references.doubts import NAMING, KnownNames
from ledger.facts.entry import Entry
from ledger.facts.events import Event, FactCorrected, FactRetracted

_Identity = tuple[str, str]


class EpisodeNames:
    """What an episode has named: kept while its entries come, by the chains of those that name something and of what
    corrects them (rulebook section 2, Correction; ``ledger/facts/liveness.py`` makes the same of all entries at once).
    """

    __slots__ = ("_chains", "_names", "_retracted", "_retractions", "_root", "_standing")

    def __init__(self) -> None:
        self._root: dict[_Identity, _Identity] = {}
        """The first entry of the chain that a correction is of."""
        self._chains: dict[_Identity, list[tuple[_Identity, Event]]] = {}
        self._standing: dict[_Identity, Event] = {}
        self._retractions: dict[_Identity, _Identity] = {}
        """What each retraction is of."""
        self._retracted: dict[_Identity, int] = {}
        """How many live retractions an entry has."""
        self._names = KnownNames()

    @property
    def names(self) -> KnownNames:
        """What the live ones name."""
        return self._names

    def take(self, entry: Entry) -> None:
        """Keep an entry, if it names something, or mends one that is kept."""
        fact, identity = entry.fact, (entry.source, entry.id)
        if isinstance(fact, FactRetracted):
            target = fact.target_source, fact.target_id
            if self._root.get(target, target) in self._chains or target in self._retractions:
                self._retractions[identity] = target
                self._retract(target)
        elif isinstance(fact, FactCorrected):
            target = fact.target_source, fact.target_id
            root = self._root[identity] = self._root.get(target, target)
            if root in self._chains or type(fact.fact) in NAMING:
                self._chains.setdefault(root, []).append((identity, fact.fact))
                self._stand(root)
        elif type(fact) in NAMING:
            self._chains[identity] = [(identity, fact)]
            self._stand(identity)

    def _retract(self, target: _Identity) -> None:
        """An entry has one live retraction more; if it is one itself, what it retracts has one less, and so on."""
        more = 1
        while True:
            before = self._retracted.get(target, 0)
            self._retracted[target] = before + more
            if before and before + more:  # it stays retracted
                return
            if target not in self._retractions:
                break
            target, more = self._retractions[target], -more
        self._stand(self._root.get(target, target))

    def _stand(self, root: _Identity) -> None:
        """The last entry of a chain that is not retracted stands for all."""
        standing = (fact for identity, fact in reversed(self._chains[root]) if not self._retracted.get(identity))
        before, now = self._standing.pop(root, None), next(standing, None)
        if before is not None:
            self._names.drop(before)
        if now is not None:
            self._standing[root] = now
            self._names.take(now)
