"""Where each claim stands: sent, taken in or turned back, paid, denied, taken back, replaced or voided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from msgspec import UNSET, Struct

from ledger.facts.billing import ClaimAcknowledged, RemittancePosted
from ledger.facts.events import ClaimSubmitted, EpisodeOpened
from ledger.judge.answers import (
    DENIED,
    TAKEN_BACK,
    OwnNumbers,
    Posting,
    answers_by_claim,
    chain_of,
    last_acknowledgements,
    rejected_claims,
    standing,
)
from ledger.judge.episode import Episode, Live
from ledger.judge.fold import fold
from ledger.store import EpisodeLedger
from projections.reading.joined import entries_of_kinds

ClaimStanding = Literal["submitted", "accepted", "rejected", "paid", "denied", "reversed", "replaced", "voided"]
KINDS: Final = (EpisodeOpened, ClaimSubmitted, ClaimAcknowledged, RemittancePosted)


class ClaimRow(Struct, frozen=True):
    """A claim and where it stands; money in cents."""

    claim: str
    control: str
    episode: str
    payer: str
    frequency: str
    replaces: str | None
    state: ClaimStanding
    payer_control: str | None
    charge_cents: int
    paid_cents: int
    file: str | None


def claim_rows(ledger: EpisodeLedger, episodes: Iterable[str]) -> Iterator[ClaimRow]:
    """The claims of some episodes, by episode and in the order they were recorded."""
    for episode in episodes_claimed(ledger, episodes):
        yield from rows_of(episode)


def episodes_claimed(ledger: EpisodeLedger, episodes: Iterable[str]) -> Iterator[Episode]:
    """Some episodes with their claims and the answers to them, and nothing else; those forgotten are left out."""
    gone = ledger.forgotten()
    names = [name for name in episodes if name not in gone]
    for name, entries in entries_of_kinds(ledger, names, ledger.position(), KINDS):
        if entries:
            yield fold(name, entries)


def rows_of(episode: Episode) -> Iterator[ClaimRow]:
    """The claims of one episode."""
    standings = Standings(episode)
    for claim in sorted(episode.claims.values(), key=lambda each: each.first.version):
        yield _row(episode, claim, standings)


def _row(episode: Episode, claim: Live[ClaimSubmitted], standings: Standings) -> ClaimRow:
    fact = claim.fact
    postings = standings.answers.get(fact.claim, ())
    return ClaimRow(
        fact.claim, fact.number_on_claim, episode.name, fact.payer, fact.frequency,
        None if fact.replaces is UNSET else fact.replaces, standings.of(fact.claim),
        _payer_control(episode, fact.claim, postings), sum(line.charge_cents for line in fact.lines),
        sum(each.fact.paid_cents for each in postings), None if fact.batch is UNSET else f"{fact.batch}.837",
    )  # fmt: skip


class Standings:
    """Where the claims of an episode stand, with the answers to each."""

    def __init__(self, episode: Episode) -> None:
        self.answers = answers_by_claim(episode)
        self._acknowledged, back = last_acknowledgements(episode), rejected_claims(episode)
        self._naming: dict[str, set[str]] = {}
        numbers = OwnNumbers(episode)
        for name, claim in episode.claims.items():
            if name not in back and claim.fact.replaces is not UNSET and claim.fact.frequency != "1":
                named = numbers.of(claim.fact.replaces)
                if named != name:
                    self._naming.setdefault(named, set()).add(claim.fact.frequency)

    def of(self, claim: str) -> ClaimStanding:
        """Where one stands: what was done about it comes before what was answered, and that before its way in."""
        if naming := self._naming.get(claim):
            return "voided" if "8" in naming else "replaced"
        answers = self.answers.get(claim, ())
        stands = list(standing(answers))
        if stands:
            newest = stands[-1].fact
            owed = 0 if newest.patient_cents is UNSET else newest.patient_cents
            return "denied" if newest.status == DENIED or newest.paid_cents + owed <= 0 else "paid"
        if answers:
            return "reversed"
        acknowledged = self._acknowledged.get(claim)
        if acknowledged is None or acknowledged[1].status == "received":
            return "submitted"
        return "rejected" if acknowledged[1].status == "rejected" else "accepted"


def payer_control_of(episode: Episode, claim: str) -> str | None:
    """The payer's number of a claim: of the newest answer that takes nothing back; before any, of the 277CA."""
    return _payer_control(episode, claim, answers_by_claim(episode).get(claim, ()))


def _payer_control(episode: Episode, claim: str, answers: Iterable[Posting]) -> str | None:
    numbers = [each.fact.payer_control for each in answers if each.fact.status != TAKEN_BACK]
    numbers = [number for number in numbers if number is not UNSET]
    if numbers:
        return str(numbers[-1])
    told = [fact.payer_control for _, fact in episode.acknowledgements if fact.claim == claim]
    return next((str(number) for number in reversed(told) if number is not UNSET), None)


def payer_number_of(episode: Episode, claim: str) -> str | None:
    """The payer's number of a claim; of a replacement that has none yet, that of what it replaces."""
    chain = [one.fact.claim for one in chain_of(episode, claim)] or [claim]
    return next(filter(None, (payer_control_of(episode, each) for each in reversed(chain))), None)
