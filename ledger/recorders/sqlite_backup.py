"""A ledger's backup: one file that says of itself that it is one, and what it must hold.

It is taken with SQLite's online backup from one moment, while others go on recording. A plain copy of a ledger's file
lacks the mark: it may be torn, and what was committed last stands in the log beside the file, not in it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from ledger.proof import Report
from ledger.recorders import StoreError, without_quotes
from ledger.recorders.sqlite_file import BACKUP_MARK, check_format, connect, plain_errors, plain_path
from ledger.recorders.sqlite_proof import prove

Told = Callable[[int, int], None]

APPLICATION_ID: Final = int.from_bytes(b"EpLB", "big")
PAGES_AT_ONCE: Final = 2_000

_HEADER: Final = b"SQLite format 3\0"
_BESIDE: Final = ("-wal", "-shm", "-journal")
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


def backup(name: str, out: Path, made_at: str, tell: Told = lambda done, of: None) -> Held:
    """Write a backup of a ledger to a file that was not there, restore it beside, prove that, and only then name it."""
    path = plain_path(name)
    _refuse_present(out)
    with plain_errors(path), _beside(out) as folder:
        held = _copy(path, folder / "backup", made_at, tell)
        _restored(folder / "backup", folder / "restored", held)
        _give_name(folder / "backup", out)
    return held


def check_backup(file: Path) -> Held:
    """What a backup holds, after restoring it into a passing file beside it and proving that."""
    held = held_by(file)
    with plain_errors(file), _beside(file) as folder:
        _restored(file, folder / "restored", held)
    return held


def restore(file: Path, out: Path) -> Held:
    """Make a ledger of a backup, where none is; it is proved before it gets its name."""
    out = plain_path(os.fspath(out))
    held = held_by(file)
    _refuse_present(out)
    for ending in _BESIDE:
        if os.path.lexists(beside := out.with_name(out.name + ending)):
            raise NotABackup(f"{beside} belongs to another ledger and may hold entries of it; move it away with that")
    with plain_errors(out), _beside(out) as folder:
        _restored(file, folder / "restored", held)
        _give_name(folder / "restored", out)
    return held


def held_by(file: Path) -> Held:
    """What a backup says it holds; NotABackup if the file is none."""
    if not file.is_file():
        raise NotABackup(f"there is no backup at {file}")
    for ending in _BESIDE:
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


def _held(connection: sqlite3.Connection, file: Path) -> Held:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    marked = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
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


def _refuse_present(out: Path) -> None:
    if os.path.lexists(out):
        raise NotABackup(f"{out} is there already, and is left as it is; name another file")
    if not out.absolute().parent.is_dir():
        raise NotABackup(f"the folder of {out} does not exist")


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder for unfinished files on the same disk, open to its owner alone, gone at the end.

    Never the system's folder for passing files: patients' data would lie there if this process were killed.
    """
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.absolute().parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(path: Path, to: Path, made_at: str, tell: Told) -> Held:
    """The pages of one moment: the transaction keeps it, whatever others commit meanwhile."""
    _touch(to)
    with closing(connect(path)) as source, closing(sqlite3.connect(to, isolation_level=None)) as copy:
        source.execute("PRAGMA query_only = 1")
        source.execute("BEGIN")
        check_format(source, path)
        held = _at_this_moment(source, made_at)
        source.backup(copy, pages=PAGES_AT_ONCE, progress=lambda _, remaining, of: tell(of - remaining, of))
        source.execute("ROLLBACK")
        _one_file(copy)
        _mark(copy, held)
    _sync(to)
    return held


def _touch(file: Path) -> None:
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR))


def _at_this_moment(source: sqlite3.Connection, made_at: str) -> Held:
    last = source.execute("SELECT position, hex(seal) FROM entries ORDER BY position DESC LIMIT 1").fetchone()
    (ledger,) = source.execute("SELECT value FROM ledger WHERE key = 'id'").fetchone()
    position, head = last or (0, "")
    return Held(ledger, position, head.lower(), made_at)


def _one_file(copy: sqlite3.Connection) -> None:
    """No log beside it: a backup is carried about by itself."""
    if copy.execute("PRAGMA journal_mode = DELETE").fetchone()[0] != "delete":
        raise StoreError("the backup could not be made one file")


def _mark(copy: sqlite3.Connection, held: Held) -> None:
    copy.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    copy.execute(f"CREATE TABLE {BACKUP_MARK} (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT")
    said = (("ledger", held.ledger), ("entries", str(held.entries)), ("head", held.head), ("made_at", held.made_at))
    copy.executemany(f"INSERT INTO {BACKUP_MARK} VALUES (?, ?)", said)


def _restored(file: Path, to: Path, held: Held) -> None:
    """A ledger again, proved whole and found to end where the backup says; Damaged if it does not."""
    _touch(to)
    shutil.copyfile(file, to)
    try:
        with closing(sqlite3.connect(to, isolation_level=None)) as copy:
            copy.execute(f"DROP TABLE {BACKUP_MARK}")
            copy.execute("PRAGMA application_id = 0")
        report = prove(os.fspath(to))
    except _TROUBLES as error:
        raise _damaged(file, error) from error
    if fault := _fault(report, held):
        raise Damaged(f"{file.name} is damaged: {fault}")
    _sync(to)


def _damaged(file: Path, error: sqlite3.DatabaseError | UnicodeDecodeError) -> Damaged:
    says = "what should be text in it is none" if isinstance(error, UnicodeDecodeError) else without_quotes(error)
    return Damaged(f"{file.name} is damaged: {says}")


def _fault(report: Report, held: Held) -> str | None:
    if not report.holds:
        return report.faults[0].message
    head = report.head.hex() if report.entries else ""
    if (report.ledger, report.entries, head) != (held.ledger, held.entries, held.head):
        return f"restored, it has {report.entries} entries; it was made with {held.entries}, or with others"
    return None


def _give_name(made: Path, out: Path) -> None:
    """Its name, for good, and never another file's."""
    try:
        os.link(made, out)
    except FileExistsError:
        raise NotABackup(f"{out} is there already, and is left as it is; name another file") from None
    except OSError:  # a disk without links, such as a memory stick's
        _refuse_present(out)
        os.rename(made, out)
    _sync(out.absolute().parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
