"""The claims of an episode with their lines, and whether each still counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from ledger.judge.claims import Claim, replaces
from ledger.judge.episode import Episode
from projections.answers.claim_list import rows_of
from projections.words import utc_text


class LineSent(NamedTuple):
    """A line of a claim as it left."""

    code: str
    from_: str
    to: str
    units: str
    charge_cents: int


class ClaimShown(NamedTuple):
    """A claim as it left, who recorded it when, and what became of it."""

    claim: str
    payer: str
    kind: str
    sent_on: str | None
    recorded_at: str
    by: str
    lines: tuple[LineSent, ...]
    charge_cents: int
    paid_cents: int
    state: str


_KINDS: Final = {"1": "original", "7": "replacement", "8": "void"}


def claims_shown(episode: Episode | None) -> Iterator[ClaimShown]:
    """Every claim that is not retracted, in the order they were recorded."""
    if episode is None:
        return
    stands = {row.claim: row for row in rows_of(episode)}
    every = sorted(episode.told_claims or episode.claims.values(), key=lambda claim: claim.first.version)
    for claim in every:
        lines = tuple(
            LineSent(
                line.code,
                line.from_.isoformat(),
                line.to.isoformat(),
                str(line.units),
                line.charge_cents,
            )
            for line in claim.fact.lines
        )
        sent = claim.fact.sent_on
        yield ClaimShown(
            claim.fact.claim, claim.fact.payer, _kind(claim), sent.isoformat() if isinstance(sent, date) else None,
            utc_text(claim.entry.recorded_at), claim.entry.by, lines, sum(line.charge_cents for line in lines),
            stands[claim.fact.claim].paid_cents, _state(claim, every, stands[claim.fact.claim].state),
        )  # fmt: skip


def _kind(claim: Claim) -> str:
    named = replaces(claim)
    return _KINDS[claim.fact.frequency] + (f" of {named}" if named else "")


def _state(claim: Claim, every: list[Claim], stands: str) -> str:
    """Where a claim stands, in words."""
    if every[-1] is not claim and any(_is_of(other, claim) for other in every[every.index(claim) + 1 :]):
        return "its number was used again"
    ended = [other for other in every if other is not claim and replaces(other) == claim.fact.claim]
    if ended and claim.fact.frequency != "8":
        last = ended[-1]
        return f"{'voided' if last.fact.frequency == '8' else 'replaced'} by {last.fact.claim}"
    return STANDING[stands]


def _is_of(other: Claim, claim: Claim) -> bool:
    """Whether another claim was sent under the same number."""
    return other.fact.claim == claim.fact.claim


STANDING: Final = {
    "submitted": "sent",
    "accepted": "accepted",
    "rejected": "turned back",
    "paid": "paid",
    "denied": "denied",
    "reversed": "payment taken back",
    "replaced": "replaced",
    "voided": "voided",
}
"""Where a claim stands, in words."""
