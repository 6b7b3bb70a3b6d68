"""What of an episode is on live claims, read from its opening and its claims alone: no day is judged for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ledger.facts.events import ClaimSubmitted, EpisodeOpened
from ledger.facts.liveness import known
from ledger.judge.episode import Episode
from ledger.judge.patients import episode_of
from ledger.store import EpisodeLedger
from projections.audit.claimed_shares import Share, shares_of
from projections.reading.joined import entries_of_kinds
from projections.words import iso


def opening_and_claims(ledger: EpisodeLedger, episode: str, known_at: datetime | None = None) -> Episode | None:
    """An episode as far as its opening and its claims tell; None if there is none."""
    ((_, entries),) = entries_of_kinds(ledger, [episode], ledger.position(), (EpisodeOpened, ClaimSubmitted))
    return episode_of(episode, known(entries, known_at), whole=False)


def shares_on_claims(
    ledger: EpisodeLedger, episode: str, known_at: datetime | None = None
) -> Mapping[str, Sequence[Share]]:
    """By service date, what the episode's live claims ask for; nothing for an episode that is not there."""
    folded = opening_and_claims(ledger, episode, known_at)
    return {} if folded is None else {iso(date): shares for date, shares in shares_of(folded).items()}
