"""``claims``: written into files, looked at, and where they stand."""

from __future__ import annotations

import click

from commands.verbs.claim_files import check, read
from commands.verbs.claim_list import list_claims
from commands.verbs.claim_plan import plan_claims
from commands.verbs.claim_writing import again, prepare, write


@click.group()
def claims() -> None:
    """Write billable days into files of claims (837P), look at such files, and at where each claim stands.

    \b
    Examples:
      episode-ledger claims prepare
      episode-ledger claims write --out outbox
      episode-ledger claims check outbox/B1.837
      episode-ledger claims list
      episode-ledger claims again EP-1-1 --out B1.837
    """


for command in (prepare, write, check, read, list_claims, plan_claims, again):
    claims.add_command(command)
