"""A ledger's backup: one file that says of itself that it is one, and what it must hold.

It is the same kind of file whatever store the ledger is in: an SQLite ledger of one moment, with a mark. A plain copy
of a ledger's file lacks the mark: it may be torn, and what was committed last stands in the log beside the file, not in
it. A backup is proved by restoring it beside and walking over the whole of it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from ledger.files import create, name_new, sync
from ledger.proof.walk import ProofReport
from ledger.recorders import without_quotes
from ledger.recorders.sqlite.file import BACKUP_MARK, plain_errors
from ledger.recorders.sqlite.prove import prove
from ledger.recorders.sqlite.schema import SCHEMAS
from ledger.unfinished import unfinished

COPIED: Final = {
    "ledger": ("key", "value"),
    "keys": ("id", "episode", "wrapped"),
    "entries": ("position", "originator_id", "originator_version", "topic", "state", "seal"),
    "patients": ("patient", "episode"),
}
"""The tables of a ledger, whatever its format, alike in a file and in PostgreSQL: their columns, the key first."""

_APPLICATION_ID: Final = int.from_bytes(b"EpLB", "big")
BESIDE: Final = ("-wal", "-shm", "-journal")
"""What SQLite leaves beside a file that it did not close."""

_HEADER: Final = b"SQLite format 3\0"
_TROUBLES: Final = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What reading a damaged file ends with; the second where SQLite's own message quotes what is no text."""


class NotABackup(Exception):
    """The file cannot be restored from, or to; the text is one plain sentence."""


class Damaged(Exception):
    """A backup does not hold what it was verified to hold."""


class Held(Struct, frozen=True):
    """What a backup says it holds: whose entries, how many, and the seal of the last, which stands for all of them."""

    ledger: str
    entries: int
    head: str
    made_at: str


def tables_of(format_: str) -> dict[str, tuple[str, ...]]:
    """The tables that a ledger of a format has, and their columns."""
    made = {statement.split()[2] for statement in SCHEMAS[format_] if statement.startswith("CREATE TABLE")}
    return {table: columns for table, columns in COPIED.items() if table in made}


def held_by(file: Path) -> Held:
    """What a backup says it holds; NotABackup if the file is none."""
    if not file.is_file():
        raise NotABackup(f"there is no backup at {file}")
    for ending in BESIDE:
        if file.with_name(file.name + ending).exists():
            raise NotABackup(f"{file} is no backup as it was made: another program left its {ending} beside it")
    with plain_errors(file), file.open("rb") as stream:
        if stream.read(len(_HEADER)) != _HEADER:
            raise NotABackup(f"{file} is no backup: it is no SQLite file")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            return _held(connection, file)
    except _TROUBLES as error:
        raise _damaged(file, error) from error


def is_encrypted(file: Path) -> bool:
    """Whether the ledger in a backup is encrypted."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            return connection.execute("SELECT 1 FROM ledger WHERE key = 'master_key'").fetchone() is not None
    except _TROUBLES as error:
        raise _damaged(file, error) from error


def _held(connection: sqlite3.Connection, file: Path) -> Held:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    marked = connection.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION_ID
    if marked and BACKUP_MARK in tables:
        said = dict(connection.execute(f"SELECT key, CAST(value AS TEXT) FROM {BACKUP_MARK}").fetchall())
        with suppress(KeyError, ValueError, TypeError):
            return Held(said["ledger"], int(said["entries"]), said["head"], said["made_at"])
        raise Damaged(f"{file} is damaged: it does not say what it holds")
    if "entries" in tables and BACKUP_MARK not in tables and not marked:
        raise NotABackup(
            f"{file} is a plain copy of a ledger's file, not a backup: it may be torn, or lack what stood in the log"
            " beside it"
        )
    if marked or BACKUP_MARK in tables:
        raise Damaged(f"{file} is damaged: half of its mark as a backup is missing")
    raise NotABackup(f"{file} is no backup: it is another program's database")


def mark(copy: sqlite3.Connection, held: Held) -> None:
    """Make a backup of a copy: it says from now on what it must hold, and nobody records into it."""
    copy.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    copy.execute(f"CREATE TABLE {BACKUP_MARK} (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT")
    said = (("ledger", held.ledger), ("entries", str(held.entries)), ("head", held.head), ("made_at", held.made_at))
    copy.executemany(f"INSERT INTO {BACKUP_MARK} VALUES (?, ?)", said)


def make_backup(out: Path, copy: Callable[[Path], Held]) -> Held:
    """A backup in a file that was not there: copied beside it, restored once, proved, and only then named."""
    refuse_present(out)
    with unfinished(out) as folder:
        touch(folder / "backup")
        held = copy(folder / "backup")
        sync(folder / "backup")
        restored(folder / "backup", folder / "restored", held)
        give_name(folder / "backup", out)
    return held


@contextmanager
def proved(file: Path, held: Held) -> Iterator[Path]:
    """A backup restored into a passing file beside it, and proved."""
    with plain_errors(file), unfinished(file) as folder:
        restored(file, folder / "restored", held)
        yield folder / "restored"


def restored(file: Path, to: Path, held: Held) -> None:
    """A ledger again, proved whole and found to end where the backup says; Damaged if it does not."""
    touch(to)
    shutil.copyfile(file, to)
    try:
        with closing(sqlite3.connect(to, isolation_level=None)) as copy:
            copy.execute(f"DROP TABLE {BACKUP_MARK}")
            copy.execute("PRAGMA application_id = 0")
        report = prove(os.fspath(to))
    except _TROUBLES as error:
        raise _damaged(file, error) from error
    refuse_unlike(report, held, file.name)
    sync(to)


def _damaged(file: Path, error: sqlite3.DatabaseError | UnicodeDecodeError) -> Damaged:
    says = "what should be text in it is none" if isinstance(error, UnicodeDecodeError) else without_quotes(error)
    return Damaged(f"{file.name} is damaged: {says}")


def refuse_unlike(report: ProofReport, held: Held, name: str) -> None:
    """Damaged, unless a walk over what was restored found it whole, and ending where the backup says."""
    head = report.head.hex() if report.entries else ""
    if not report.holds:
        raise Damaged(f"{name} is damaged: {report.faults[0].message}")
    if (report.ledger, report.entries, head) != (held.ledger, held.entries, held.head):
        raise Damaged(
            f"{name} is damaged: restored, it has {report.entries} entries; it was made with {held.entries}, or with"
            " others"
        )


def refuse_present(out: Path) -> None:
    """NotABackup if something has that name already, or nothing could get it."""
    if os.path.lexists(out):
        raise NotABackup(f"{out} is there already, and is left as it is; name another file")
    if not out.absolute().parent.is_dir():
        raise NotABackup(f"the folder of {out} does not exist")


def touch(file: Path) -> None:
    """An empty file that was not there, for its owner alone."""
    os.close(create(file))


def give_name(made: Path, out: Path) -> None:
    """Its name, for good, and never another file's."""
    try:
        name_new(made, out)
    except FileExistsError:
        raise NotABackup(f"{out} is there already, and is left as it is; name another file") from None
