"""What of an episode is on live claims, read from its entries alone: no day is judged for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ledger.facts.liveness import known
from ledger.judge.patients import episode_of
from ledger.store import EpisodeLedger
from projections.audit.claimed_shares import Share, shares_of
from projections.words import iso


def shares_on_claims(
    ledger: EpisodeLedger, episode: str, known_at: datetime | None = None
) -> Mapping[str, Sequence[Share]]:
    """By service date, what the episode's live claims ask for; nothing for an episode that is not there."""
    folded = episode_of(episode, known(ledger.entries_of(episode), known_at))
    return {} if folded is None else {iso(date): shares for date, shares in shares_of(folded).items()}
