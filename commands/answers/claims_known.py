"""Our claims by the numbers that come back, and which of them an answer is for (claims.md section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from msgspec import UNSET

from ledger.facts.billing import RemittancePosted
from ledger.facts.events import ClaimSubmitted
from ledger.judge.answers import TAKEN_BACK, chain_of, claims_on, postings_of, rejected_claims
from ledger.judge.claims import date_of
from ledger.judge.episode import Episode, Live
from ledger.store import EpisodeLedger
from projections.answers.claim_list import episodes_claimed
from projections.read_model.numbers import batch_number, episodes_with, index_numbers
from projections.read_model.views import Views

_CORRECTIONS: Final = ("7", "8")


class OurClaim(NamedTuple):
    """A claim of ours that an answer is for."""

    episode: str
    claim: str
    payer: str


class ClaimsKnown:
    """The claims of a ledger, looked up by number."""

    def __init__(self, ledger: EpisodeLedger, views: Views) -> None:
        self._ledger, self._views = ledger, views
        self._episodes: dict[str, Episode] = {}
        self._with: dict[str, list[str]] = {}

    def look_up(self, numbers: Iterable[str]) -> None:
        """Read all that has to do with some numbers, as the ledger is now; what was read before is let go."""
        index_numbers(self._views, self._ledger)
        self._with = episodes_with(self._views, numbers)
        names = sorted({name for found in self._with.values() for name in found})
        self._episodes = {each.name: each for each in episodes_claimed(self._ledger, names)}

    def by_batch(self, batch: str) -> list[OurClaim]:
        """The claims that left in a batch."""
        number = batch_number(batch)
        return [
            OurClaim(name, claim.fact.claim, claim.fact.payer)
            for name in self._with.get(number, ())
            if name in self._episodes
            for claim in self._episodes[name].claims.values()
            if isinstance(claim.fact.batch, str) and batch_number(claim.fact.batch) == number
        ]

    def named(self, number: str) -> OurClaim | None:
        """The one claim whose own number it is."""
        found = [
            OurClaim(name, number, episode.claims[number].fact.payer)
            for name, episode in self._bearing(number)
            if number in episode.claims
        ]
        return found[0] if len(found) == 1 else None

    def acknowledged(self, number: str, on: date) -> OurClaim | None:
        """The claim that was taken in or turned back on a day: the newest that bears the number and had left."""
        found = [
            (date_of(claim, episode) <= on.toordinal(), claim.first.recorded_at, name, claim)
            for name, episode in self._bearing(number)
            for claim in claims_on(episode, number)
        ]
        if not found:
            return None
        _, _, name, claim = max(found, key=lambda each: each[:2])
        return OurClaim(name, claim.fact.claim, claim.fact.payer)

    def answered(self, fact: RemittancePosted, frequency: str) -> OurClaim | None:
        """The claim that a payer's answer is for; None if none bears the number, or several episodes have it."""
        found = self._bearing(fact.claim)
        if len(found) > 1:
            found = [each for each in found if _asks(claims_on(each[1], fact.claim), abs(fact.charge_cents))]
        if len(found) != 1:
            return None
        name, episode = found[0]
        claim = _of_chain(episode, fact, frequency)
        return OurClaim(name, claim.fact.claim, claim.fact.payer)

    def _bearing(self, number: str) -> list[tuple[str, Episode]]:
        episodes = [(name, self._episodes[name]) for name in self._with.get(number, ()) if name in self._episodes]
        return [(name, episode) for name, episode in episodes if claims_on(episode, number)]


def _asks(claims: Sequence[Live[ClaimSubmitted]], cents: int) -> bool:
    return any(sum(line.charge_cents for line in claim.fact.lines) == cents for claim in claims)


def _of_chain(episode: Episode, fact: RemittancePosted, frequency: str) -> Live[ClaimSubmitted]:
    """Of the claims that bear the number: what is taken back by the payer's number of it; of a replacement or void the
    newest; else the original. Claims that were turned back were never answered."""
    bearing = claims_on(episode, fact.claim)
    if fact.status == TAKEN_BACK and fact.payer_control is not UNSET:
        for posting in postings_of(episode):
            if posting.fact.payer_control == fact.payer_control and posting.claim in episode.claims:
                return episode.claims[posting.claim]
    chain = chain_of(episode, bearing[0].fact.claim)
    back = rejected_claims(episode)
    reached = [claim for claim in chain if claim.fact.claim not in back] or chain
    return reached[-1] if frequency in _CORRECTIONS else reached[0]
