"""What of an episode is on live claims, read from its opening and its claims alone: no day is judged for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from ledger.facts.billing import ClaimAcknowledged, RemittancePosted
from ledger.facts.events import ClaimSubmitted, EpisodeOpened
from ledger.facts.liveness import known
from ledger.judge.answers import postings_of
from ledger.judge.claims import date_of, live_claims
from ledger.judge.episode import Episode
from ledger.judge.paid import paid_days
from ledger.judge.patients import episode_of
from ledger.store import EpisodeLedger
from projections.audit.claimed_shares import Share, shares_of
from projections.reading.joined import entries_of_kinds
from projections.words import iso


def opening_and_claims(ledger: EpisodeLedger, episode: str, known_at: datetime | None = None) -> Episode | None:
    """An episode as far as its opening and its claims tell; None if there is none."""
    ((_, entries),) = entries_of_kinds(ledger, [episode], ledger.position(), (EpisodeOpened, ClaimSubmitted))
    return episode_of(episode, known(entries, known_at), whole=False)


class WaitingClaim(NamedTuple):
    """A live claim of which nothing is answered: when it left, for which dates, and what it asks for."""

    claim: str
    payer: str
    sent_on: str
    first_date: str
    last_date: str
    days: int
    cents: int


def waiting_claims(ledger: EpisodeLedger, episode: str) -> Iterator[WaitingClaim]:
    """The live claims of an episode that no answer came to, in the order of their numbers."""
    kinds = (EpisodeOpened, ClaimSubmitted, ClaimAcknowledged, RemittancePosted)
    ((_, entries),) = entries_of_kinds(ledger, [episode], ledger.position(), kinds)
    folded = episode_of(episode, known(entries, None), whole=False)
    if folded is None or not folded.claims:
        return
    live = {claim.fact.claim: claim for claim in live_claims(folded)}
    waiting = live.keys() - {posting.claim for posting in postings_of(folded)}
    for number, found in groupby((day for day in paid_days(folded) if day.claim in waiting), attrgetter("claim")):
        days = sorted(found, key=attrgetter("date"))
        yield WaitingClaim(
            number, days[0].payer, iso(date_of(live[number], folded)), iso(days[0].date), iso(days[-1].date),
            len(days), sum(day.charge_cents for day in days),
        )  # fmt: skip


def is_answered(ledger: EpisodeLedger, episode: str) -> bool:
    """Whether any claim of an episode was ever answered."""
    ((_, entries),) = entries_of_kinds(ledger, [episode], ledger.position(), (RemittancePosted,))
    return bool(entries)


def shares_on_claims(
    ledger: EpisodeLedger, episode: str, known_at: datetime | None = None
) -> Mapping[str, Sequence[Share]]:
    """By service date, what the episode's live claims ask for; nothing for an episode that is not there."""
    folded = opening_and_claims(ledger, episode, known_at)
    return {} if folded is None else {iso(date): shares for date, shares in shares_of(folded).items()}
