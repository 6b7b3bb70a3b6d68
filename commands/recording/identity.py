"""``--identity-in-the-open``: who patients are is kept where nothing is encrypted, because somebody means it."""

from __future__ import annotations

import click

from commands.outside import random_nonces, utc_now
from commands.terminal.options import Command
from commands.terminal.who import named
from ledger.facts.administration import IdentityInTheOpen
from ledger.store import EpisodeLedger


def identity_option(command: Command) -> Command:
    """The option: given once, it holds for the ledger."""
    return click.option(
        "--identity-in-the-open",
        is_flag=True,
        help="Take names and addresses although the ledger is not encrypted; said once, it holds.",
    )(command)


def allow_identity(ledger: EpisodeLedger, by: str | None = None) -> None:
    """Put on record that it is meant; nothing where it is, or where the ledger is encrypted."""
    if not ledger.keeps_identity():
        ledger.allow_identity_in_the_open(IdentityInTheOpen(utc_now(), named(by, "allows it"), random_nonces(1)[0]))
