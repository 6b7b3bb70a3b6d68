"""Whom an episode's entries name besides the patient whose it is: opened for another by mistake, or since merged.

What is handed out or shown of the episode holds those entries, so it would tell of somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from ledger.facts.administration import HOUSE
from ledger.facts.entry import statement_of
from ledger.facts.events import EpisodeOpened
from ledger.facts.liveness import known
from ledger.store import EpisodeLedger
from projections.reading.as_known import owner_among
from projections.reading.held import held_entries


class AlsoNamed(NamedTuple):
    """Whom an episode names besides its patient of today, and the versions of the entries that do."""

    episode: str
    patients: frozenset[str]
    versions: tuple[int, ...]

    def besides(self, allowed: Iterable[str]) -> frozenset[str]:
        """Those who may not be shown with it."""
        return self.patients - frozenset(allowed)


def also_named(
    ledger: EpisodeLedger, episode: str, known_at: datetime | None = None, upto: int | None = None
) -> AlsoNamed:
    """Whom it would show besides: what was known at an instant, or recorded up to a position, against whose it is now.

    A name that was merged into the patient's counts as another: whether that was right nobody can take back from
    whoever has seen both.
    """
    streams = held_entries(ledger, [episode]) | {HOUSE: ledger.merge_entries()}
    now = owner_among(streams, episode)
    entries = known(streams[episode] if upto is None else ledger.entries_of(episode, upto=upto), known_at)
    stated = [(entry.version, fact) for entry in entries if isinstance(fact := statement_of(entry), EpisodeOpened)]
    naming = [(version, fact.patient) for version, fact in stated if fact.patient != now]
    then = owner_among({episode: entries, HOUSE: known(ledger.merge_entries(upto), known_at)}, episode)
    names = {name for _, name in naming} | ({then} if then is not None else set())
    return AlsoNamed(episode, frozenset(names - {now}), tuple(version for version, _ in naming))
