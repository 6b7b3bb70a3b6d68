"""The ledger as an SQLite file: what stands in it, how it is created, and what must hold before it is used.

The tables guard themselves, so that a foreign tool cannot change the past either: entries, patients and the ledger's
own page are only ever added to. A BEFORE INSERT trigger is what stops ``INSERT OR REPLACE``, which deletes rows without
firing delete triggers. Nothing here opens a file before looking at it, and a file that is not ours is left untouched.
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
from ledger.recorders.sqlite_turns import CHECKPOINT_PAGES

FORMAT: Final = 2
BACKUP_MARK: Final = "backup"
"""The table that only a backup has."""

BUSY_TIMEOUT_SECONDS: Final = 60
SETTINGS: Final = {
    "synchronous": 2,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "busy_timeout": BUSY_TIMEOUT_SECONDS * 1000,
}
TUNING: Final = {"cache_size": -32_000, "wal_autocheckpoint": CHECKPOINT_PAGES}  # batches of 4,000: 10 µs a row, not 18


def _refuse_when(event: str, table: str, says: str, when: str = "") -> str:
    name = f"{table}_{event.split()[-1].lower()}"
    return f"CREATE TRIGGER {name} {event} ON {table} {when} BEGIN SELECT RAISE(ABORT, '{says}'); END"


# NEW.position is -1 where the insert leaves the numbering to SQLite.
_NOT_THE_NEXT = """WHEN NEW.originator_version IS NOT
    1 + coalesce((SELECT max(originator_version) FROM entries WHERE originator_id = NEW.originator_id), 0)
    OR (NEW.position <> -1 AND NEW.position <> 1 + coalesce((SELECT max(position) FROM entries), 0))"""

# Frozen with FORMAT: these texts are compared with those in the file.
SCHEMA: Final = (
    """CREATE TABLE entries (
        position INTEGER PRIMARY KEY AUTOINCREMENT CHECK (position >= 1),
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL CHECK (originator_version >= 1),
        topic TEXT NOT NULL,
        state TEXT NOT NULL,
        seal BLOB NOT NULL CHECK (length(seal) = 32),
        UNIQUE (originator_id, originator_version)) STRICT""",
    """CREATE TABLE patients (
        patient TEXT NOT NULL, episode TEXT NOT NULL, PRIMARY KEY (patient, episode)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX patients_by_episode ON patients (episode, patient)",
    "CREATE TABLE ledger (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT",
    _refuse_when("BEFORE INSERT", "entries", "an entry only follows the last one of its episode", _NOT_THE_NEXT),
    _refuse_when("BEFORE UPDATE", "entries", "an entry is never changed"),
    _refuse_when("BEFORE DELETE", "entries", "an entry is never deleted"),
    _refuse_when(
        "BEFORE INSERT",
        "patients",
        "a patient of an episode is never replaced",
        "WHEN EXISTS (SELECT 1 FROM patients WHERE patient = NEW.patient AND episode = NEW.episode)",
    ),
    _refuse_when("BEFORE UPDATE", "patients", "a patient of an episode is never changed"),
    _refuse_when("BEFORE DELETE", "patients", "a patient of an episode is never deleted"),
    _refuse_when(
        "BEFORE INSERT",
        "ledger",
        "the ledger page is never replaced",
        "WHEN EXISTS (SELECT 1 FROM ledger WHERE key = NEW.key OR rowid = NEW.rowid)",
    ),
    _refuse_when("BEFORE UPDATE", "ledger", "the ledger page is never changed"),
    _refuse_when("BEFORE DELETE", "ledger", "the ledger page is never deleted"),
)


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
    if "not a database" in text:
        return f"{path} is not a ledger: it is no SQLite file"
    if isinstance(error, FileNotFoundError):
        return f"the folder of {path} does not exist"
    if isinstance(error, PermissionError) or "readonly" in text or "unable to open" in text:
        return f"{path} cannot be opened for reading and writing; check the rights on it and on its folder"
    return f"{path} could not be used: {text}"


def plain_path(name: str) -> Path:
    """The file a name stands for, links followed; URIs, parameters and databases in memory are refused."""
    if not name or "\0" in name or "?" in name or ":memory:" in name or name.startswith("file:") or "://" in name:
        raise WrongPath("a ledger is named by the plain path of a file, without a URI, parameters or :memory:")
    path = Path(os.path.realpath(name))
    if path.exists() and not path.is_file():
        raise WrongPath(f"{path} is not a file")
    return path


def connect(path: Path) -> sqlite3.Connection:
    """A connection with our settings, each read back; the file must exist."""
    if not path.is_file():
        raise NoLedger(f"there is no ledger at {path}")
    connection = sqlite3.connect(
        str(path), timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False, uri=False
    )
    try:
        _set_and_read_back(connection)
    except BaseException:
        connection.close()
        raise
    return connection


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


def prepare(path: Path, *, create: bool) -> None:
    """See to it that a ledger of our format stands at the path, in write-ahead mode; create it if asked to."""
    if sqlite3.sqlite_version_info < (3, 37):
        raise StoreError(f"SQLite 3.37 or later is needed, this is {sqlite3.sqlite_version}")
    with plain_errors(path):
        if create:
            _touch(path)
        with closing(connect(path)) as connection:
            if create:
                _create_if_empty(connection)
            check_format(connection, path)
            _switch_to_wal(connection)


def _touch(path: Path) -> None:
    """The empty file, for its owner only; the log files beside it take their rights from it.

    A file that is there is not opened: closing it would drop the locks of this process's other connections to it.
    """
    if not path.is_file():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, stat.S_IRUSR | stat.S_IWUSR))


def _create_if_empty(connection: sqlite3.Connection) -> None:
    if not _is_empty(connection):
        return
    connection.execute("PRAGMA encoding = 'UTF-8'")
    connection.execute("BEGIN IMMEDIATE")
    if _is_empty(connection):  # another process may have been faster
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO ledger (key, value)"
            " VALUES ('id', ?), ('format', ?), ('created_at', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
            (secrets.token_hex(16), str(FORMAT)),
        )
    connection.execute("COMMIT")


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None


def check_format(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not a ledger, is of a newer format, or has lost one of its guards."""
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    found = {name for kind, name, _ in rows if kind == "table"}
    if not rows:
        raise NoLedger(f"there is no ledger at {path}: the file is empty")
    if BACKUP_MARK in found:
        raise StoreError(f"{path} is a backup; 'episode-ledger restore' makes a ledger of it")
    if "ledger" not in found or "entries" not in found:
        raise StoreError(f"{path} is not a ledger: it is another program's database")
    written = dict(connection.execute("SELECT key, value FROM ledger").fetchall()).get("format", "")
    if written != str(FORMAT):
        raise StoreError(f"{path} has format {written or 'unknown'}, this program reads {FORMAT}; update the program")
    there = {(str(kind), str(name), _squeezed(str(text))) for kind, name, text in rows}  # damaged ones may be no text
    missing = [name for kind, name, text in _EXPECTED if (kind, name, text) not in there]
    if missing or _pragma(connection, "encoding") != "UTF-8":
        raise StoreError(f"{path} was altered: {', '.join(missing) or 'its encoding'} is not as it was created")
    added = sorted(name for kind, name, text in there if kind == "trigger" and (kind, name, text) not in _EXPECTED)
    if added:
        raise StoreError(f"{path} was altered: somebody added the trigger {', '.join(added)}")


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _described(statement: str) -> tuple[str, str, str]:
    """Kind, name and text of what a statement creates, as SQLite's own table has them."""
    _, kind, name, *_ = statement.split()
    return kind.lower(), name, _squeezed(statement)


_EXPECTED: Final = tuple(map(_described, SCHEMA))


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
