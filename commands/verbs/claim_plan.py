"""``claims plan``: what is to be done about claims that are not as they should be."""

from __future__ import annotations

from typing import Any

import click

from commands.outside import utc_now
from commands.terminal.options import Setup, filters, format_option
from commands.terminal.show import show_rows
from commands.verbs.answers import chosen_episodes, indexed
from commands.verbs.claim_list import whose_claims
from projections.answers.payments import judged_episodes
from projections.answers.plan import PlanRow, plan_of


@click.command("plan")
@whose_claims
@format_option
@click.pass_obj
def plan_claims(setup: Setup, /, form: str | None, **options: Any) -> None:
    """Show the claims that are not as they should be, and what to do: replace, void, new, appeal, refund or wait.

    What was claimed is held against what is known now, and that against how far the claim is on its way: a claim that
    was turned back goes out anew, one that is not answered yet waits, one that was paid is replaced or voided. The date
    is the last on which the payer takes it, where the terms say so. Nothing is recorded.

    \b
    Examples:
      episode-ledger claims plan
      episode-ledger claims plan --payer prairie-blue --format csv
    """
    wanted, now = filters(options), utc_now()
    with setup.open() as ledger, indexed(setup, ledger) as views:
        judged = judged_episodes(ledger, setup.book, chosen_episodes(ledger, views, wanted))
        rows = (row for patient, case in judged for row in plan_of(patient, case, now))
        found = [row for row in rows if wanted.payer in (None, row.payer)]
    show_rows(found, PlanRow, form, nothing="Every claim is as it should be.", payers=setup.payer_names, below="why")
