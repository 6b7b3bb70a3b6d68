"""What stands on the file of a replacement or void beside its lines: the payer's number, and that of the original."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from ledger.facts.events import ClaimSubmitted
from ledger.judge.answers import OwnNumbers, chain_of
from ledger.judge.case import Case
from projections.answers.claim_list import payer_number_of
from projections.answers.restated import REPLACEMENT, VOID


def number_to_name(case: Case, claim: ClaimSubmitted) -> str:
    """The payer's number that a recorded replacement or void names on its file; nothing for an original."""
    if claim.frequency not in (REPLACEMENT, VOID) or claim.replaces is UNSET:
        return ""
    replaced = OwnNumbers(case.episode).of(claim.replaces)
    earlier = case.episode.claims.get(replaced)
    return (payer_number_of(case.episode, earlier.fact.claim) if earlier else None) or claim.replaces


def original_control(case: Case, claim: ClaimSubmitted) -> str:
    """The number that stands on a claim's corrections: that of the original at the beginning of its chain."""
    return next(iter(_controls(case, claim)), claim.number_on_claim)


def _controls(case: Case, claim: ClaimSubmitted) -> Iterator[str]:
    return (one.fact.number_on_claim for one in chain_of(case.episode, claim.claim) if one.fact.frequency == "1")
