"""``migrate``: a ledger in PostgreSQL is made, and a role let in to record."""

from __future__ import annotations

import click

from commands.terminal.options import Setup
from commands.terminal.show import printable
from ledger.recorders.by_name.naming import in_postgres, postgres_module


@click.command()
@click.option("--runtime-role", metavar="ROLE", help="Let this role record and read, and change nothing.")
@click.pass_obj
def migrate(setup: Setup, /, runtime_role: str | None) -> None:
    """Make the tables of a ledger in PostgreSQL, once; a ledger that is there is checked and left as it is, but for
    tables of an earlier version, which are brought forward.

    Run it as a role that may make tables; record as another one, which can add entries and change none. It may be run
    by several at once, and again at any time. A ledger that is made while a master key is named is encrypted, and the
    owner alone can forget a patient in it. A ledger in a file needs none of this.

    \b
    Examples:
      export EPISODE_LEDGER=postgresql://owner@db.example/pharmacy
      episode-ledger migrate --runtime-role recorder
    """
    if not in_postgres(setup.ledger_name):
        raise click.UsageError("migrate is for a ledger in PostgreSQL; 'record' makes one in a file by itself")
    if setup.master is None:
        setup.refuse_plain()
    done = postgres_module("migrate").migrate(setup.ledger_name, runtime_role, setup.master.id if setup.master else "")
    there = "Brought the tables of the ledger forward:" if done.forward else "The ledger is there already:"
    what = "Made the ledger" if done.made else there
    click.echo(printable(f"{what} {done.ledger_id} in schema {done.schema}, tables of version {done.version}."))
    if done.encrypted:
        click.echo("Its entries are encrypted: no command reads them without this master key.")
    if runtime_role:
        click.echo(printable(f"The role {runtime_role} may record and read, and change nothing."))
