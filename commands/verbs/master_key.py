"""The master key of encrypted ledgers: where it comes from, and ``master-key``, which makes one."""

from __future__ import annotations

from pathlib import Path

import click

from commands.terminal.options import Setup
from commands.terminal.output import Output, OutputPath
from commands.terminal.show import printable, say
from ledger.keys.cipher import MasterKey, create_master_key, load_master_key, parse_master_key
from ledger.recorders.by_name.naming import folder_of


def named_master_key(ledger: str, file: Path | None, itself: str | None) -> MasterKey | None:
    """The master key that the command line or the environment names; MasterKeyError if it cannot be used."""
    if file is not None:
        return load_master_key(file, away_from=folder_of(ledger))
    return parse_master_key(itself) if itself is not None else None


@click.command("master-key")
@click.argument("file", type=OutputPath())
@click.pass_obj
def master_key(setup: Setup, /, file: Path) -> None:
    """Draw a new master key into FILE, for encrypted ledgers.

    A ledger that is made while a master key is named is encrypted from its first entry on, and stays so: no command
    reads it without that key. Keep the file away from the ledger, and a copy of it where neither fire nor a thief gets
    both: whoever loses it has lost the ledger.

    \b
    Examples:
      episode-ledger master-key ~/keys/ledger.key
      export EPISODE_MASTER_KEY_FILE=~/keys/ledger.key
      episode-ledger record intake.jsonl
    """
    Output(setup, file, key=True).check_place()
    create_master_key(file, away_from=folder_of(setup.ledger_name))
    say(printable(f"The master key is in {file}. Keep a copy of it safe, away from the ledger and from its backups."))
