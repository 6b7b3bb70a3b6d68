"""An answer that no claim was known for, assigned by somebody: recorded under the claim, and who said so."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from commands.answers.claims_known import ClaimsKnown
from commands.answers.remit import SOURCE
from commands.door.intake import Line
from commands.outside import random_nonces
from commands.writing.handle import Recorder
from ledger.facts.administration import HouseAct, RemittanceAssigned
from ledger.store import EpisodeLedger
from projections.answers.unmatched import control_of, unmatched_of
from projections.read_model.views import Views


class NotAssigned(Exception):
    """What keeps an answer from being assigned, in words."""


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
