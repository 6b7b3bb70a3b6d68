"""Somebody accepts that the ledger was put back to an earlier state: an act on record."""

from __future__ import annotations

from collections.abc import Sequence

import click

from commands.outside import random_nonces, utc_now
from commands.terminal.options import Setup
from commands.terminal.show import say
from ledger.facts.administration import RollbackAccepted
from ledger.store import open_ledger
from projections.read_model.rollback import Rollback
from projections.words import counted


def accept_rollbacks(setup: Setup, back: Sequence[Rollback], reason: str, by: str) -> None:
    """Record that these were meant, and who says so and why; UsageError if there is none."""
    if not back:
        raise click.UsageError(
            "nothing was put back, as far as the read model here can tell: there is nothing to accept"
        )
    with open_ledger(setup.ledger_name, create=False, master=setup.master) as ledger:
        for each in back:
            nonce = random_nonces(1)[0]
            ledger.record_acceptance(RollbackAccepted(utc_now(), by, reason, each.position, each.seal, nonce))
    say(f"Accepted, and recorded: {counted(len(back), 'rollback')}. The next reading builds the read model anew.")
