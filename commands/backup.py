"""``backup`` and ``restore``: a copy that was restored once already, and the way back from it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from commands.clock import utc_now
from commands.options import House
from commands.progress import progress
from commands.show import printable, say
from ledger.recorders.sqlite_backup import Damaged, Held, NotABackup, check_backup
from ledger.recorders.sqlite_backup import backup as take_backup
from ledger.recorders.sqlite_backup import restore as restore_backup
from ledger.store import in_postgres

HINT = "nothing was restored; take another backup, and keep this one for whoever looks into it"


@click.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="A file that was not there")
@click.pass_obj
def backup(house: House, /, out: Path) -> None:
    """Write a backup of the ledger to one file, while others may go on recording.

    It is of one moment. Before it gets its name it is restored beside it, the whole chain of seals is walked, and its
    head compared with the ledger's. The read model is not in it: it is built anew. Never copy the ledger's file itself:
    what was recorded last stands in the log beside it.

    \b
    Examples:
      episode-ledger backup --out 2026-11-23.backup
    """
    if in_postgres(house.ledger_name):
        raise click.UsageError("a ledger in PostgreSQL is backed up with pg_dump; then let verify walk over the copy")
    try:
        with progress("Copying", "pages") as tell:
            held = take_backup(house.ledger_name, out, utc_now().strftime("%Y-%m-%dT%H:%M:%SZ"), tell)
    except NotABackup as trouble:
        raise click.UsageError(str(trouble)) from None
    except Damaged as trouble:
        _refuse(trouble, "no backup was made; 'episode-ledger verify' says what is wrong with the ledger")
    else:
        say(printable(f"Backed up {_held(held)} into {out}, restored it once, and proved it."))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="PATH", help="The ledger to make. Default: --ledger.")
@click.option("--check", is_flag=True, help="Only restore it into a passing file, and prove that.")
@click.pass_obj
def restore(house: House, /, file: Path, out: Path | None, check: bool) -> None:
    """Make a ledger of FILE, a backup, where there is none.

    Only a backup is taken: a plain copy of a ledger's file is refused, for nobody can tell what is missing from it.
    Nothing is written over. Ends with 1 if the backup is damaged.

    \b
    Examples:
      episode-ledger backup --out 2026-11-23.backup
      episode-ledger restore --check 2026-11-23.backup
      episode-ledger restore 2026-11-23.backup --out restored.db
    """
    if check and out is not None:
        raise click.UsageError("--check makes no ledger; leave out --out")
    out = out or Path(house.ledger_name)
    try:
        held = check_backup(file) if check else restore_backup(file, out)
    except NotABackup as trouble:
        raise click.UsageError(str(trouble)) from None
    except Damaged as trouble:
        _refuse(trouble, HINT)
    else:
        done = "The backup is good" if check else f"Restored into {out}, and proved"
        say(printable(f"{done}: {_held(held)}, as of {held.made_at}."))


def _held(held: Held) -> str:
    return f"{held.entries:,} entries of ledger {held.ledger}"


def _refuse(trouble: Damaged, hint: str) -> None:
    say(printable(f"episode-ledger: {trouble}"))
    say(f"hint: {hint}")
    sys.exit(1)
