"""What came back for an episode's claims: which were turned back, which claim an answer is for, where each stands.

The order in which answers were recorded does not matter: acknowledgements go by their dates, and an answer taken back
goes by the number that the payer gave what it takes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from msgspec import UNSET

from ledger.facts.billing import ClaimAcknowledged, RemittancePosted
from ledger.facts.entry import Entry
from ledger.facts.events import ClaimSubmitted
from ledger.judge.episode import Episode, Live

TAKEN_BACK: Final = "22"
"""The status of an answer that takes an earlier one back."""
DENIED: Final = "4"

_LATER: Final = {"TA1": 0, "999": 1, "277CA": 2}
_GRAVER: Final = {"received": 0, "accepted": 1, "rejected": 2}


class Posting(NamedTuple):
    """An answer of a payer, and the number of the claim it is for."""

    entry: Entry
    fact: RemittancePosted
    claim: str


def last_acknowledgements(episode: Episode) -> dict[str, tuple[Entry, ClaimAcknowledged]]:
    """The last word of a clearinghouse or payer on each claim, before it was answered: by date; of one day the one
    that comes later on the way; of equal ones the graver."""
    found: dict[str, tuple[Entry, ClaimAcknowledged]] = {}
    for entry, fact in episode.acknowledgements:
        before = found.get(fact.claim)
        if before is None or _rank(before[1]) <= _rank(fact):
            found[fact.claim] = entry, fact
    return found


def _rank(fact: ClaimAcknowledged) -> tuple[int, int, int]:
    return fact.date.toordinal(), _LATER[fact.kind], _GRAVER[fact.status]


def rejected_claims(episode: Episode) -> Mapping[str, Entry]:
    """The claims that were last turned back, with the entries that say so: they never reached the payer."""
    if not episode.acknowledgements:  # most
        return {}
    last = last_acknowledgements(episode)
    return {claim: entry for claim, (entry, fact) in last.items() if fact.status == "rejected"}


def claims_on(episode: Episode, number: str) -> list[Live[ClaimSubmitted]]:
    """The claims that bear a number, their own or that of their original, in the order they were recorded."""
    found = [claim for claim in episode.claims.values() if number in (claim.fact.claim, claim.fact.number_on_claim)]
    return sorted(found, key=lambda claim: claim.first.version)


def chain_of(episode: Episode, claim: str) -> list[Live[ClaimSubmitted]]:
    """A claim with what it replaces or voids and what does so to it, in the order they were recorded."""
    known = episode.claims
    chain = next((names for names in chains_of(episode) if claim in names), {claim})
    return sorted((known[name] for name in chain if name in known), key=lambda each: each.first.version)


def chains_of(episode: Episode) -> list[set[str]]:
    """The numbers of claims that belong together since one replaces or voids another; a claim alone is in none."""
    numbers, found = OwnNumbers(episode), dict[str, set[str]]()
    for name, claim in episode.claims.items():
        if claim.fact.frequency == "1" or claim.fact.replaces is UNSET:
            continue
        one, other = (found.setdefault(each, {each}) for each in (name, numbers.of(claim.fact.replaces)))
        if one is not other:
            smaller, larger = sorted((one, other), key=len)
            larger |= smaller
            found.update(dict.fromkeys(smaller, larger))
    return list({id(names): names for names in found.values()}.values())


class OwnNumbers:
    """Our numbers of claims that are named by ours or by the payer's."""

    def __init__(self, episode: Episode) -> None:
        self._episode = episode
        self._given: Mapping[object, str] | None = None

    def of(self, named: str) -> str:
        """Our number of a claim; what it is named by where no claim of the episode is known by that."""
        claims = self._episode.claims
        if named in claims:
            return named
        if self._given is None:
            told = [(fact.payer_control, fact.claim) for _, fact in self._episode.acknowledgements]
            told += [(fact.payer_control, fact.claim) for _, fact in self._episode.postings]
            self._given = {control: claim for control, claim in reversed(told) if claim in claims}
        return self._given.get(named, named)


def postings_of(episode: Episode) -> list[Posting]:
    """The answers to an episode's claims: one that takes another back is for the claim whose answer bore its number."""
    numbers: dict[tuple[str, str], str] = {}
    for _, fact in episode.postings:
        if fact.status != TAKEN_BACK and fact.payer_control is not UNSET:
            numbers.setdefault((fact.payer, fact.payer_control), fact.claim)
    return [Posting(entry, fact, _claim_of(fact, numbers)) for entry, fact in episode.postings]


def _claim_of(fact: RemittancePosted, numbers: Mapping[tuple[str, str], str]) -> str:
    if fact.status == TAKEN_BACK and fact.payer_control is not UNSET:
        return numbers.get((fact.payer, fact.payer_control), fact.claim)
    return fact.claim


def in_order(postings: Iterable[Posting]) -> list[Posting]:
    """Answers by the date they were paid on, what is taken back first; then by their contents, so that the order in
    which they were recorded does not matter."""
    return sorted(
        postings, key=lambda each: (each.fact.paid_on, each.fact.payment, each.fact.status != TAKEN_BACK, each.entry.id)
    )


def answers_by_claim(episode: Episode) -> dict[str, list[Posting]]:
    """The answers to each of an episode's claims that was answered, in order."""
    found: dict[str, list[Posting]] = {}
    for posting in in_order(postings_of(episode)):
        found.setdefault(posting.claim, []).append(posting)
    return found


def standing(postings: Iterable[Posting]) -> Iterator[Posting]:
    """The answers that were not taken back, the newest last."""
    found: list[Posting] = []
    for posting in in_order(postings):
        if posting.fact.status != TAKEN_BACK:
            found.append(posting)
            continue
        same = [one for one in found if one.fact.payer_control == posting.fact.payer_control] or found
        if same:
            found.remove(same[0])
    yield from found
