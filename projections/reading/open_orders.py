"""Episodes that nothing ended before a date, and their orders in force on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Final

from ledger.facts.entry import UnreadableEntry
from ledger.facts.events import Discharged, EpisodeOpened, EpisodeVoided, PatientDied
from ledger.facts.liveness import known
from ledger.judge.episode import Episode
from ledger.judge.orders import Telling
from ledger.judge.patients import episode_of
from ledger.store import EpisodeLedger
from projections.reading.cohorts import cohorts_in
from projections.reading.joined import entries_of_kinds
from projections.words import iso

LAST_DATE: Final = date(2099, 12, 31).toordinal()
"""Where an order has no last date, this one stands for it: no service date lies beyond."""
_KINDS: Final = (EpisodeOpened, Discharged, EpisodeVoided, PatientDied)


def ordered_to(episode: Episode) -> str | None:
    """The last date on which any order of the episode is in force; None if it has no order."""
    ends = [telling.to for order in episode.orders for telling in episode.tellings(order)]
    return iso(min(max(ends), LAST_DATE)) if ends else None


def open_orders(episode: Episode, on: int) -> Iterator[tuple[str, Telling]]:
    """The orders in force on a date, each with the telling that counts: the one recorded last."""
    if not _is_open(episode, on):
        return
    for order in sorted(episode.orders):
        covering = [telling for telling in episode.tellings(order) if telling.from_ <= on <= telling.to]
        if covering:
            yield order, covering[-1]


def patients_with_open_episodes(
    ledger: EpisodeLedger, upto: int, on: int, known_at: datetime | None, without: Collection[str]
) -> set[str]:
    """The patients with an episode that nothing ended before a date; who cannot be read is told of elsewhere."""
    found: set[str] = set()
    for cohort in cohorts_in(ledger, upto):
        if not set(cohort.patients).isdisjoint(without):
            continue
        try:
            episodes = list(entries_of_kinds(ledger, list(cohort.episodes), upto, _KINDS))
        except UnreadableEntry:
            continue
        for name, entries in episodes:
            folded = episode_of(name, known(entries, known_at), whole=False)
            if folded is not None and _is_open(folded, on):
                found.add(folded.patient)
    return found


def _is_open(episode: Episode, on: int) -> bool:
    return not episode.voided and all(ended.date >= on for ended in (*episode.discharges, *episode.deaths))
