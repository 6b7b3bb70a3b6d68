"""An answer that no claim was known for, assigned by somebody: recorded under the claim, and who said so."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, Struct
from msgspec.structs import replace

from commands.answers.claims_known import ClaimsKnown
from commands.answers.remit import SOURCE
from commands.door.intake import Line
from commands.outside import random_nonces
from commands.writing.handle import Recorder
from ledger.facts.administration import HouseAct, RemittanceAssigned, RemittanceUnmatched
from ledger.store import EpisodeLedger
from projections.read_model.views import Views


class NotAssigned(Exception):
    """What keeps an answer from being assigned, in words."""


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


def unmatched_of(ledger: EpisodeLedger) -> list[RemittanceUnmatched]:
    """The answers that wait to be assigned, in the order they came."""
    answers = ledger.acts_of(RemittanceUnmatched)
    assigned = {act.key for _, act in ledger.acts_of(RemittanceAssigned)} if answers else set()
    return [act for _, act in answers if act.key not in assigned]


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


def assign(ledger: EpisodeLedger, views: Views, payment: str, control: str, claim: str, by: str) -> int:
    """Assign the answers of a check to a claim of ours, all in one transaction; gives how many there were.

    NotAssigned if none waits under that name, or the ledger knows no such claim, or several.
    """
    waiting = [act for act in unmatched_of(ledger) if (act.posting.payment, control_of(act)) == (payment, control)]
    if not waiting:
        raise NotAssigned("no answer of this payment waits under this number; see 'payments --unmatched'")
    known = ClaimsKnown(ledger, views)
    known.look_up([claim])
    ours = known.named(claim)
    if ours is None:
        raise NotAssigned("the ledger knows no claim of this number, or several; 'claims list' shows them")
    lines = [
        Line(0, ours.episode, SOURCE, act.key, act.posting.payer, replace(act.posting, claim=ours.claim), None)
        for act in waiting
    ]

    def acts(now: datetime) -> list[HouseAct]:
        nonces = random_nonces(len(waiting))
        return [
            RemittanceAssigned(payment, control, ours.claim, act.key, by, now, nonce)
            for act, nonce in zip(waiting, nonces, strict=True)
        ]

    Recorder(ledger).handle(lines, acts)
    return len(waiting)
