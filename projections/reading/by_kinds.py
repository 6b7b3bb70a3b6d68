"""Every episode of a ledger as some kinds of fact alone tell it: to look through all of them without judging any."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from ledger.facts.entry import UnreadableEntry
from ledger.facts.liveness import known
from ledger.facts.merges import Merges
from ledger.judge.episode import Episode
from ledger.judge.patients import episode_of
from ledger.store import EpisodeLedger
from projections.reading.cohorts import cohorts_in
from projections.reading.joined import entries_of_kinds


def episodes_by_kinds(
    ledger: EpisodeLedger,
    upto: int,
    known_at: datetime | None,
    kinds: Collection[type[Any]],
    without: Collection[str],
) -> Iterator[Episode]:
    """The episodes as known at an instant, merged patients under the name that stands.

    ``kinds`` has what opens an episode. Left out is who has to do with the patients ``without``, and who cannot be
    read: who judges them tells why.
    """
    merges = Merges(known(ledger.merge_entries(upto), known_at))
    for cohort in cohorts_in(ledger, upto):
        if not set(cohort.patients).isdisjoint(without):
            continue
        try:
            episodes = list(entries_of_kinds(ledger, list(cohort.episodes), upto, kinds))
        except UnreadableEntry:
            continue
        for name, entries in episodes:
            folded = episode_of(name, known(entries, known_at), whole=False)
            if folded is not None:
                folded.patient = merges.survivor(folded.patient)
                yield folded
