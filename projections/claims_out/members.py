"""Whose claim it is that stands in a file: episodes by payer, member number and dates. No name is looked at."""

from __future__ import annotations

from ledger.facts.events import CoverageEnded, CoverageVerified, EpisodeOpened
from ledger.judge.evidence import Evidence
from ledger.judge.patients import episode_of
from ledger.store import EpisodeLedger
from ledger.x12.basic_text import folded
from ledger.x12.claim_reader import ReadClaim
from ledger.x12.gate import day_of
from projections.reading.joined import entries_of_kinds


def episodes_in(ledger: EpisodeLedger) -> list[str]:
    """Every episode of a ledger."""
    return [name for name, _ in ledger.versions_since(0) if name]


class Members:
    """Whose claim it is: episodes by payer, member number and dates."""

    def __init__(self, ledger: EpisodeLedger) -> None:
        self._ledger = ledger
        self._spells: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
        kinds = (EpisodeOpened, CoverageVerified, CoverageEnded)
        for name, entries in entries_of_kinds(ledger, episodes_in(ledger), ledger.position(), kinds):
            episode = episode_of(name, entries, whole=False)
            for spell in episode.spells() if episode else ():
                key = spell.payer, folded(spell.member)
                self._spells.setdefault(key, []).append((name, spell.from_, spell.to))

    def episode(self, payer: str, claim: ReadClaim) -> str | None:
        """The one episode that a claim belongs to; None if there is none, or several."""
        days = [day.toordinal() for line in claim.lines for day in (day_of(line.from_), day_of(line.to)) if day]
        if not days:
            return None
        told = self._spells.get((payer, folded(claim.insured.id)), ())
        found = {name for name, from_, to in told if from_ <= min(days) and max(days) <= to}
        if len(found) > 1:
            found = {name for name in found if self._reaches(name, min(days), max(days))}
        return found.pop() if len(found) == 1 else None

    def _reaches(self, name: str, first: int, last: int) -> bool:
        """Whether the episode has dates there."""
        episode = episode_of(name, self._ledger.entries_of(name))
        if episode is None:
            return False
        calendar = Evidence(episode).calendar
        return calendar.first <= first and last <= calendar.last
