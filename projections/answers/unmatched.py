"""Answers for no claim that the ledger knows: they wait to be assigned."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, Struct

from ledger.facts.administration import RemittanceAssigned, RemittanceUnmatched
from ledger.store import EpisodeLedger


class UnmatchedRow(Struct, frozen=True):
    """An answer for no claim that the ledger knows; money in cents."""

    payment: str
    control: str
    payer: str
    claim: str
    paid_on: str
    status: str
    charge_cents: int
    paid_cents: int


def unmatched_of(ledger: EpisodeLedger, known_at: datetime | None = None) -> list[RemittanceUnmatched]:
    """The answers that wait to be assigned, as known at an instant, in the order they came."""
    answers = [act for _, act in ledger.acts_of(RemittanceUnmatched) if known_at is None or act.received_at <= known_at]
    if not answers:
        return []
    acts = [act for _, act in ledger.acts_of(RemittanceAssigned) if known_at is None or act.assigned_at <= known_at]
    assigned = {act.key for act in acts}
    return [act for act in answers if act.key not in assigned]


def control_of(act: RemittanceUnmatched) -> str:
    """What an answer is named by beside its check: the payer's number of the claim, else the number on the claim."""
    control = act.posting.payer_control
    return act.posting.claim if control is UNSET else control


def unmatched_row(act: RemittanceUnmatched) -> UnmatchedRow:
    """An answer that waits as it is shown."""
    fact = act.posting
    return UnmatchedRow(
        fact.payment, control_of(act), fact.payer, fact.claim, fact.paid_on.isoformat(), fact.status,
        fact.charge_cents, fact.paid_cents,
    )  # fmt: skip
