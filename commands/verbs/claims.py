"""``claims``: where claims stand, and what is to be done about them."""

from __future__ import annotations

import click

from commands.verbs.claim_list import list_claims


@click.group()
def claims() -> None:
    """Look at claims: where each stands, and what is to be done about it.

    \b
    Examples:
      episode-ledger claims list
      episode-ledger claims plan
    """


claims.add_command(list_claims)
