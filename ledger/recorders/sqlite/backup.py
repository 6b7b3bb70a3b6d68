"""A backup of a ledger's file, and the way back: taken with SQLite's online backup while others go on recording."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from ledger.progress import Progress, silent
from ledger.recorders import StoreError
from ledger.recorders.sqlite.backup_file import (
    BESIDE,
    Held,
    NotABackup,
    give_name,
    held_by,
    make_backup,
    mark,
    proved,
    refuse_present,
    restored,
)
from ledger.recorders.sqlite.file import check_format, connect, plain_errors, plain_path, refuse_name_of_a_model
from ledger.unfinished import unfinished

PAGES_AT_ONCE: Final = 2_000


def backup(name: str, out: Path, made_at: str, tell: Progress = silent) -> Held:
    """Write a backup of a ledger to a file that was not there, restore it beside, prove that, and only then name it."""
    path = plain_path(name)
    with plain_errors(path):
        return make_backup(out, lambda to: _copy(path, to, made_at, tell))


def check_backup(file: Path) -> Held:
    """What a backup holds, after restoring it into a passing file beside it and proving that."""
    held = held_by(file)
    with proved(file, held):
        return held


def restore(file: Path, out: str) -> Held:
    """Make a ledger of a backup, where none is; it is proved before it gets its name."""
    path = plain_path(out)
    held = held_by(file)
    refuse_present(path)
    refuse_name_of_a_model(path)
    for ending in BESIDE:
        if os.path.lexists(log := path.with_name(path.name + ending)):
            raise NotABackup(f"{log} belongs to another ledger and may hold entries of it; move it away with that")
    with plain_errors(path), unfinished(path) as folder:
        restored(file, folder / "restored", held)
        give_name(folder / "restored", path)
    return held


def _copy(path: Path, to: Path, made_at: str, tell: Progress) -> Held:
    """The pages of one moment: the transaction keeps it, whatever others commit meanwhile."""
    with closing(connect(path)) as source, closing(sqlite3.connect(to, isolation_level=None)) as copy:
        source.execute("PRAGMA query_only = 1")
        source.execute("BEGIN")
        check_format(source, path)
        held = _at_this_moment(source, made_at)
        source.backup(copy, pages=PAGES_AT_ONCE, progress=lambda _, remaining, of: tell(of - remaining, of))
        source.execute("ROLLBACK")
        _one_file(copy)
        mark(copy, held)
    return held


def _at_this_moment(source: sqlite3.Connection, made_at: str) -> Held:
    last = source.execute("SELECT position, hex(seal) FROM entries ORDER BY position DESC LIMIT 1").fetchone()
    (ledger,) = source.execute("SELECT value FROM ledger WHERE key = 'id'").fetchone()
    position, head = last or (0, "")
    return Held(ledger, position, head.lower(), made_at)


def _one_file(copy: sqlite3.Connection) -> None:
    """No log beside it: a backup is carried about by itself."""
    if copy.execute("PRAGMA journal_mode = DELETE").fetchone()[0] != "delete":
        raise StoreError("the backup could not be made one file")
