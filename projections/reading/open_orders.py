"""Episodes that nothing ended before a date, and their orders in force on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from ledger.facts.events import Discharged, EpisodeVoided, PatientDied
from ledger.judge.episode import Episode
from ledger.judge.orders import Telling
from projections.words import iso

LAST_DATE: Final = date(2099, 12, 31).toordinal()
"""Where an order has no last date, this one stands for it: no service date lies beyond."""
ENDINGS: Final = (Discharged, EpisodeVoided, PatientDied)
"""The kinds of fact that end an episode."""


def ordered_to(episode: Episode) -> str | None:
    """The last date on which any order of the episode is in force; None if it has no order."""
    ends = [telling.to for order in episode.orders for telling in episode.tellings(order)]
    return iso(min(max(ends), LAST_DATE)) if ends else None


def open_orders(episode: Episode, on: int) -> Iterator[tuple[str, Telling]]:
    """The orders in force on a date, each with the telling that counts: the one recorded last."""
    if not is_open(episode, on):
        return
    for order in sorted(episode.orders):
        covering = [telling for telling in episode.tellings(order) if telling.from_ <= on <= telling.to]
        if covering:
            yield order, covering[-1]


def is_open(episode: Episode, on: int) -> bool:
    """Whether nothing ended an episode before a date."""
    return not episode.voided and all(ended.date >= on for ended in (*episode.discharges, *episode.deaths))
