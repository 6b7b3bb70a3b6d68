"""The ledger as an SQLite file: how it is created, and what must hold before it is used.

Nothing here opens a file before looking at it, and a file that is not ours is left untouched.
"""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from ledger.recorders import NoLedger, StoreError, WrongPath, without_quotes
from ledger.recorders.sqlite.checkpoint_turns import CHECKPOINT_PAGES
from ledger.recorders.sqlite.schema import ENCRYPTED, EXPECTED, FORMAT, SCHEMAS, squeezed

_OF_A_MODEL: Final = re.compile(r"\.views(\.[0-9]+)?\.db$")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
BACKUP_MARK: Final = "backup"
"""The table that only a backup has."""

BUSY_TIMEOUT_SECONDS: Final = 60
SETTINGS: Final = {
    "synchronous": 2,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "secure_delete": 1,  # or pages that are split keep copies of keys, which forgetting would not reach
    "busy_timeout": BUSY_TIMEOUT_SECONDS * 1000,
}
TUNING: Final = {"cache_size": -32_000, "wal_autocheckpoint": CHECKPOINT_PAGES}  # batches of 4,000: 10 µs a row, not 18
_SAID: Final = {
    "not a database": "is not a ledger: it is no SQLite file",
    "locking protocol": "could not be used: another program that was stopped in the middle of it may still hold it; let"
    " that one end or go on, and try again",
    "disk is full": "could not be written: the disk is full; make room, nothing is damaged",
    "disk I/O error": "could not be used: the disk gave an error; when it is in order again, `verify` says whether"
    " anything is damaged",
    "disk image is malformed": "is damaged: SQLite cannot read all of it; keep it as it is, and `restore` a backup"
    " beside it",
}
"""What SQLite says of a file (https://sqlite.org/rescode.html), and what it means to whoever has to see to it."""


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Whatever SQLite or the system says against the file, as a ``StoreError``."""
    try:
        yield
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        kind = WrongPath if isinstance(error, FileNotFoundError) else StoreError
        raise kind(explain(error, path)) from error


def explain(error: BaseException, path: Path) -> str:
    """One plain sentence for an error of SQLite or of the system."""
    if isinstance(error, UnicodeDecodeError):  # of SQLite's own message, which quotes what is no text
        return f"{path} is damaged: what should be text in it is none"
    text = without_quotes(error)
    if "locked" in text or "busy" in text:
        return f"{path} was kept locked by another program for {BUSY_TIMEOUT_SECONDS} seconds; try again later"
    for said, meaning in _SAID.items():
        if said in text:
            return f"{path} {meaning}"
    if isinstance(error, FileNotFoundError):
        return f"the folder of {path} does not exist"
    if isinstance(error, PermissionError) or "readonly" in text or "unable to open" in text:
        return f"{path} cannot be opened for reading and writing; check the rights on it and on its folder"
    return f"{path} could not be used: {text}"


def plain_path(name: str) -> Path:
    """The file a name stands for, links followed; URIs, parameters and databases in memory are refused."""
    if not name or "\0" in name or "?" in name or ":memory:" in name or "://" in name:
        raise WrongPath("a ledger is named by the plain path of a file, without a URI, parameters or :memory:")
    if _SCHEME.match(name):
        raise WrongPath(
            "that name looks like a URL and is none: a ledger in PostgreSQL is named postgresql://…, a file whose name"
            " has a colon by its path, as in ./name"
        )
    path = Path(os.path.realpath(name))
    if path.exists() and not path.is_file():
        raise WrongPath(f"{path} is not a file")
    return path


def refuse_name_of_a_model(path: Path) -> None:
    """WrongPath if a ledger made there would be taken for a read model of another one, which a rebuild removes."""
    if _OF_A_MODEL.search(path.name):
        raise WrongPath(f"{path} is no name for a ledger: read models are called so, and are removed when built anew")


def connect(path: Path, mapped_mb: int = 0) -> sqlite3.Connection:
    """A connection with our settings, each read back; the file must exist. So much of it is mapped, to be read."""
    if not path.is_file():
        raise NoLedger(f"there is no ledger at {path}")
    refuse_second_name(path)
    connection = sqlite3.connect(
        str(path), timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False, uri=False
    )
    try:
        _set_and_read_back(connection)
        connection.execute(f"PRAGMA mmap_size = {mapped_mb * 2**20:d}")
    except BaseException:
        connection.close()
        raise
    return connection


def refuse_second_name(path: Path) -> None:
    """StoreError if the file has another name, too: SQLite keeps a log for each, and so loses what the other holds."""
    if path.stat().st_nlink > 1:
        raise StoreError(
            f"{path} has a second name (a hard link); programs that open it by different names lose each other's"
            f" entries: find it with 'find FOLDER -samefile {path.name}', and remove all but one"
        )


def _set_and_read_back(connection: sqlite3.Connection) -> None:
    for name, value in SETTINGS.items():
        connection.execute(f"PRAGMA {name} = {value}")
        if _pragma(connection, name) != value:
            raise StoreError(f"this SQLite ({sqlite3.sqlite_version}) does not keep {name} = {value}")
    for name, value in TUNING.items():
        connection.execute(f"PRAGMA {name} = {value}")


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    row = connection.execute(f"PRAGMA {name}").fetchone()
    return row[0] if row else None


def check_journal(connection: sqlite3.Connection) -> None:
    """Refuse a connection whose writes do not go through the write-ahead log."""
    if _pragma(connection, "journal_mode") != "wal":
        raise StoreError("the ledger is not in write-ahead mode; another program changed it")


def prepare(path: Path, *, create: bool, master_key: str = "") -> tuple[dict[str, str], bool]:
    """See to it that a ledger of our format stands at the path, in write-ahead mode; create it if asked to.

    With the id of a master key it is made to be encrypted under that. Gives what the ledger says of itself, and
    whether it was made.
    """
    if sqlite3.sqlite_version_info < (3, 37):
        raise StoreError(f"SQLite 3.37 or later is needed, this is {sqlite3.sqlite_version}")
    with plain_errors(path):
        if create:
            if not path.is_file():
                refuse_name_of_a_model(path)
            _touch(path)
        was_cut_off = os.path.exists(f"{path}-journal")
        with closing(connect(path)) as connection:
            made = create and _create_if_empty(connection, master_key)
            page = check_format(connection, path)
            _switch_to_wal(connection)
        if was_cut_off:  # while it was made: a log that was left there may have passed for the switch
            with closing(connect(path)) as connection:
                _switch_to_wal(connection)
        return page, made


def _touch(path: Path) -> None:
    """The empty file, for its owner only; the log files beside it take their rights from it.

    A file that is there is not opened: closing it would drop the locks of this process's other connections to it.
    """
    if not path.is_file():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, stat.S_IRUSR | stat.S_IWUSR))


def _create_if_empty(connection: sqlite3.Connection, master_key: str) -> bool:
    """Make the ledger, unless there is one; whether that was done here."""
    if not _is_empty(connection):
        return False
    connection.execute("PRAGMA encoding = 'UTF-8'")
    connection.execute("BEGIN IMMEDIATE")
    made = _is_empty(connection)
    if made:  # else another process was faster
        format_ = ENCRYPTED if master_key else FORMAT
        for statement in SCHEMAS[format_]:
            connection.execute(statement)
        page = {"id": secrets.token_hex(16), "format": format_} | ({"master_key": master_key} if master_key else {})
        connection.executemany("INSERT INTO ledger (key, value) VALUES (?, ?)", page.items())
        connection.execute(
            "INSERT INTO ledger (key, value) VALUES ('created_at', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
        )
    connection.execute("COMMIT")
    return made


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None


def check_format(connection: sqlite3.Connection, path: Path) -> dict[str, str]:
    """Refuse a file that is not a ledger, is of a newer format, or has lost one of its guards; gives its page."""
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    found = {name for kind, name, _ in rows if kind == "table"}
    if not rows:
        raise NoLedger(f"there is no ledger at {path}: the file is empty")
    if BACKUP_MARK in found:
        raise StoreError(f"{path} is a backup; 'episode-ledger restore' makes a ledger of it")
    if "ledger" not in found or "entries" not in found:
        raise StoreError(f"{path} is not a ledger: it is another program's database")
    page = dict(connection.execute("SELECT key, value FROM ledger").fetchall())
    written = page.get("format", "")
    if written not in SCHEMAS:
        reads = " and ".join(SCHEMAS)
        raise StoreError(f"{path} has format {written or 'unknown'}, this program reads {reads}; update the program")
    expected = EXPECTED[written]
    there = {(str(kind), str(name), squeezed(str(text))) for kind, name, text in rows}  # damaged ones may be no text
    missing = [name for kind, name, text in expected if (kind, name, text) not in there]
    if missing or _pragma(connection, "encoding") != "UTF-8":
        raise StoreError(f"{path} was altered: {', '.join(missing) or 'its encoding'} is not as it was created")
    added = sorted(name for kind, name, text in there if kind == "trigger" and (kind, name, text) not in expected)
    if added:
        raise StoreError(f"{path} was altered: somebody added the trigger {', '.join(added)}")
    return page


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Write-ahead mode; SQLite does not wait by itself when another connection is in the way of the switch."""
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return check_journal(connection)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
