"""``backup`` and ``restore``: a copy that was restored once already, and the way back from it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from commands.outside import utc_now
from commands.terminal.handing_out import giving_unopened
from commands.terminal.options import Setup
from commands.terminal.output import LedgerOutput, Output, out_option
from commands.terminal.progress import progress
from commands.terminal.show import printable, say
from ledger.recorders.by_name.naming import in_postgres, postgres_module, shown
from ledger.recorders.sqlite import backup as sqlite_backup
from ledger.recorders.sqlite.backup_file import Damaged, Held, NotABackup, held_by, is_encrypted, refuse_present

HINT = "nothing was restored; take another backup, and keep this one for whoever looks into it"


class _AFile(click.ParamType[Path]):
    """The path of a file; a URL is refused without repeating it, for it may bear a password."""

    name = "FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path."""
        if in_postgres(str(value)):
            self.fail("a backup is a file; a URL names the ledger: --ledger, or with restore --out")
        return Path(value)


@click.command()
@out_option("FILE", "A file that was not there.", required=True)
@click.pass_obj
def backup(setup: Setup, /, out: Output) -> None:
    """Write a backup of the ledger to one file, while others may go on recording.

    It is of one moment. Before it gets its name it is restored beside it, the whole chain of seals is walked, and its
    head compared with the ledger's. The read model is not in it: it is built anew. Never copy the ledger's file itself:
    what was recorded last stands in the log beside it. A ledger in PostgreSQL gives the same kind of file.

    \b
    Examples:
      episode-ledger backup --out 2026-11-23.backup
    """
    url = in_postgres(setup.ledger_name)
    take = postgres_module("backup").backup if url else sqlite_backup.backup
    try:
        with (
            giving_unopened(setup, "backup", out.path) as notes,
            progress("Copying", "rows" if url else "pages") as tell,
        ):
            refuse_present(out.path)  # what is there already is not to be listed as a backup
            notes.begun()
            held = take(setup.ledger_name, out.path, utc_now().strftime("%Y-%m-%dT%H:%M:%SZ"), tell)
            notes.whole(out.path)
    except NotABackup as trouble:
        raise click.UsageError(str(trouble)) from None
    except Damaged as trouble:
        _refuse(trouble, "no backup was made; 'episode-ledger verify' says what is wrong with the ledger")
    else:
        say(printable(f"Backed up {_held(held)} into {out.path}, restored it once, and proved it."))


@click.command()
@click.argument("file", type=_AFile())
@click.option("--out", type=LedgerOutput(), metavar="PATH-or-URL", help="The ledger to make. Default: --ledger.")
@click.option("--check", is_flag=True, help="Only restore it into a passing file, and prove that.")
@click.pass_obj
def restore(setup: Setup, /, file: Path, out: str | None, check: bool) -> None:
    """Make a ledger of FILE, a backup, where there is none.

    Only a backup is taken: a plain copy of a ledger's file is refused, for nobody can tell what is missing from it.
    Nothing is written over. Ends with 1 if the backup is damaged.

    A ledger can go from a file into PostgreSQL and back: its id, its seals and its checkpoints stay. In PostgreSQL the
    tables are made together with their rows, in a schema without a ledger, by a role that may make tables. Afterwards
    let another role record: migrate --runtime-role ROLE.

    \b
    Examples:
      episode-ledger backup --out 2026-11-23.backup
      episode-ledger restore --check 2026-11-23.backup
      episode-ledger restore 2026-11-23.backup --out restored.db
      episode-ledger --ledger postgresql://owner@db.example/pharmacy restore 2026-11-23.backup
    """
    if check and out is not None:
        raise click.UsageError("--check makes no ledger; leave out --out")
    out = out or setup.ledger_name
    try:
        held = sqlite_backup.check_backup(file) if check else _restore(setup, file, out)
    except NotABackup as trouble:
        raise click.UsageError(str(trouble)) from None
    except Damaged as trouble:
        _refuse(trouble, HINT)
    else:
        done = "The backup is good" if check else f"Restored into {shown(out)}, and proved"
        say(printable(f"{done}: {_held(held)}, as of {held.made_at}."))
        if in_postgres(out) and not check:
            say("hint: 'episode-ledger migrate --runtime-role ROLE' lets a role record into it")


def _restore(setup: Setup, file: Path, out: str) -> Held:
    held_by(file)  # else it says why it is none
    if not is_encrypted(file):
        setup.refuse_plain()
    if not in_postgres(out):
        Output(setup, Path(out)).check()
        with giving_unopened(setup, "restore", Path(out)) as notes:  # beside a ledger it is one more copy of the keys
            refuse_present(Path(out))
            notes.begun()
            return sqlite_backup.restore(file, out)
    with progress("Putting in", "rows") as tell:
        held: Held = postgres_module("backup").restore(file, out, tell)
        return held


def _held(held: Held) -> str:
    return f"{held.entries:,} entries of ledger {held.ledger}"


def _refuse(trouble: Damaged, hint: str) -> None:
    say(printable(f"episode-ledger: {trouble}"))
    say(f"hint: {hint}")
    sys.exit(1)
