"""``claims list``: where each claim stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from commands.terminal.options import Setup, filters, format_option
from commands.terminal.show import show_rows
from commands.verbs.answers import chosen_episodes, indexed
from projections.answers.claim_list import ClaimRow, claim_rows


def whose_claims(command: Callable[..., Any]) -> Callable[..., Any]:
    """Whose claims: ``--episode``, ``--patient``, ``--payer``."""
    for name in ("payer", "patient", "episode"):
        command = click.option(f"--{name}", help=f"Only this {name}.")(command)
    return command


@click.command("list")
@whose_claims
@format_option
@click.pass_obj
def list_claims(setup: Setup, /, form: str | None, **options: Any) -> None:
    """Show every claim and where it stands: submitted, accepted, rejected, paid, denied, reversed, replaced, voided.

    \b
    Examples:
      episode-ledger claims list
      episode-ledger claims list --payer prairie-blue --format csv
    """
    wanted = filters(options)
    with setup.open() as ledger, indexed(setup, ledger) as views:
        rows = claim_rows(ledger, chosen_episodes(ledger, views, wanted))
        chosen = [row for row in rows if wanted.payer in (None, row.payer)]
    show_rows(chosen, ClaimRow, form, nothing="No claim is recorded.", payers=setup.payer_names)
