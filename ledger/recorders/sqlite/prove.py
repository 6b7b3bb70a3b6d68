"""Reading a ledger's file to prove it: nothing in it is believed, and a file that was altered or damaged is read too.

Values come as the bytes that stand in the file, with their kinds. The walk goes through the table in the order of the
rows; readers of a ledger also go through its indexes, so that SQLite's own check compares those with the table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from ledger.keys.cipher import MasterKey, WrappedKey
from ledger.keys.keyring import locks_of
from ledger.progress import Progress, silent
from ledger.proof.breaks import Fault, SealedRow
from ledger.proof.checkpoint import Checkpoint
from ledger.proof.consistency import Pair
from ledger.proof.walk import ProofReport, Walk
from ledger.recorders import NoLedger, StoreError
from ledger.recorders.sqlite.file import BUSY_TIMEOUT_SECONDS, explain, plain_path, refuse_second_name
from ledger.recorders.sqlite.schema import EXPECTED, FORMAT, SCHEMAS

_PAGE_ROWS: Final = 500
_COLUMNS: Final = {
    "position": "integer", "originator_id": "text", "originator_version": "integer", "topic": "text", "state": "text",
    "seal": "blob",
}  # fmt: skip
_TYPED: Final = " AND ".join(f"typeof({name}) = '{kind}'" for name, kind in _COLUMNS.items())
_ROWS: Final = f"SELECT {', '.join(_COLUMNS)}, {_TYPED} FROM entries ORDER BY position"
_KEY_OF: Final = "SELECT id, episode, CAST(wrapped AS BLOB) FROM keys WHERE episode = ?"
_FILE_IS_WRONG: Final = {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_FORMAT,
}
_OF_SQLITE: Final = {
    ("table", "sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)"),
    ("index", "sqlite_autoindex_entries_1", ""),
    ("index", "sqlite_autoindex_ledger_1", ""),
}
"""What SQLite itself adds to our tables."""
_OF_KEYS: Final = {("index", "sqlite_autoindex_keys_1", ""), ("index", "sqlite_autoindex_keys_2", "")}
_OF_ANALYZE: Final = {
    ("table", "sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    ("table", "sqlite_stat4", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"),
}
"""What SQLite keeps for itself when it is told to ANALYZE; it changes no answer."""
_TROUBLES: Final = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What reading a damaged file ends with; the second where SQLite's own message quotes what is no text."""
_CANNOT_WRITE: Final = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}


def prove(
    name: str,
    checkpoints: Sequence[Checkpoint] = (),
    tell: Progress = silent,
    master: MasterKey | None = None,
) -> ProofReport:
    """Walk the whole ledger at a path, as it is at this moment, and say what holds.

    What is wrong with the file is in the report; NoLedger if there is none, StoreError if it could not be looked at.
    """
    path = plain_path(name)
    if not path.is_file():
        raise NoLedger(f"there is no ledger at {path}")
    refuse_second_name(path)
    try:
        with closing(_connect(path)) as connection:
            return _prove(_File(connection, path), checkpoints, tell, master)
    except _TROUBLES as error:
        return Walk("", checkpoints).report(last_number=0, patients=(), others=[_damage(error, path, 0)], whole=False)


def _prove(file: _File, checkpoints: Sequence[Checkpoint], tell: Progress, master: MasterKey | None) -> ProofReport:
    file.begin()
    if not file.has_a_ledger():
        missing = Fault("damaged", None, "there is no ledger in the file: it is empty, or another program's database")
        return Walk("", checkpoints).report(last_number=0, patients=(), others=[missing], whole=False)
    others = file.strange()
    walk = Walk(file.id(), checkpoints, locks_of(file.about(), master, file.keys_of))
    last_number, whole, patients = 0, True, list[Pair]()
    try:
        last_number = file.last_number()
        for page in file.pages():
            for row in page:
                walk.take(row)
            tell(walk.last, last_number)
        patients = file.patients()
        others += file.inner_faults()
    except _TROUBLES as error:
        others.append(_damage(error, file.path, walk.last))
        whole = False
    return walk.report(last_number=last_number, patients=patients, others=others, whole=whole)


class _File:
    """A ledger's file under a connection that cannot write, within one transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    def begin(self) -> None:
        """See the file as it is now, until the end."""
        self._connection.execute("BEGIN")

    def has_a_ledger(self) -> bool:
        """Whether there is anything to walk over."""
        return self._has("entries")

    def id(self) -> str:
        """The ledger's id; empty if it names none."""
        return self.about().get("id", "")

    def strange(self) -> list[Fault]:
        """What of the tables and guards is not as they were created, and what was put beside them."""
        objects = self._all("SELECT type, name, coalesce(sql, '') FROM sqlite_master")
        found = {(_text(kind), _text(name), " ".join(_text(sql).split())) for kind, name, sql in objects}
        format_ = self.about().get("format", "")
        created = {*EXPECTED.get(format_, EXPECTED[FORMAT]), *_OF_SQLITE, *(_OF_KEYS if self._has("keys") else ())}
        altered = sorted({name for _, name, _ in created - found})
        added = sorted({name for _, name, _ in found - created - _OF_ANALYZE} - set(altered))
        faults = []
        if altered:
            faults.append(Fault("altered", None, f"not as it was created: {', '.join(altered)}"))
        if added:
            faults.append(Fault("altered", None, f"added to the file: {', '.join(added)}"))
        return faults + self._strange_settings()

    def _strange_settings(self) -> list[Fault]:
        format_, encoding = self.about().get("format", ""), _text(self._one("PRAGMA encoding"))
        faults = [] if self.id() else [Fault("altered", None, "the file does not say which ledger it is")]
        if format_ not in SCHEMAS:
            told = (
                f"the file says that its format is {format_[:9] or 'none'}, this program knows {' and '.join(SCHEMAS)}"
            )
            faults.append(Fault("altered", None, told))
        if encoding != "UTF-8":
            faults.append(Fault("altered", None, "the file's encoding is not UTF-8"))
        return faults

    def about(self) -> dict[str, str]:
        """What the ledger says of itself."""
        if not self._has("ledger"):
            return {}
        return {_text(key): _text(value) for key, value in self._all("SELECT key, value FROM ledger")}

    def last_number(self) -> int:
        """The last position that SQLite itself has noted as given."""
        if not self._has("sqlite_sequence"):
            return 0
        number = self._one("SELECT max(seq) FROM sqlite_sequence WHERE name = 'entries'")
        return number if isinstance(number, int) else 0

    def pages(self) -> Iterator[list[SealedRow]]:
        """Every row of the entries, in the order of the positions."""
        cursor = self._connection.execute(_ROWS)
        while page := cursor.fetchmany(_PAGE_ROWS):
            yield page

    def keys_of(self, episodes: Collection[str]) -> list[WrappedKey]:
        """The keys that are kept of these episodes."""
        rows = [row for name in episodes for row in self._all(_KEY_OF, name)]
        return [WrappedKey(_text(id), _text(episode), wrapped) for id, episode, wrapped in rows]

    def patients(self) -> list[Pair]:
        """Every (patient, episode) pair."""
        return self._all("SELECT CAST(patient AS BLOB), CAST(episode AS BLOB) FROM patients ORDER BY patient, episode")

    def inner_faults(self) -> list[Fault]:
        """What SQLite finds when it compares its pages, its indexes and its tables: sorting every index once."""
        found = [_text(row[0]) for row in self._all("PRAGMA integrity_check(100)")]
        if found == ["ok"]:
            return []
        many = f"{len(found)} faults, the first" if len(found) > 1 else "a fault"
        return [
            Fault("damaged", None, f"SQLite finds {many} in the file's pages or indexes: {found[0].splitlines()[-1]}")
        ]

    def _has(self, table: str) -> bool:
        return bool(self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone())

    def _one(self, statement: str) -> Any:
        row = self._connection.execute(statement).fetchone()
        return row[0] if row else None

    def _all(self, statement: str, *values: object) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _connect(path: Path) -> sqlite3.Connection:
    """A connection that never writes; where nobody may write at all, one that needs no files beside."""
    ways = ("mode=rw", "mode=ro") + (() if _log_of(path).exists() else ("mode=ro&immutable=1",))
    for way in ways:
        try:
            return _opened(path, way)
        except sqlite3.OperationalError as error:
            if _code(error) not in _CANNOT_WRITE or way == ways[-1]:
                raise
    raise AssertionError("one of the ways returns or raises")


def _opened(path: Path, way: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?{way}", timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False, uri=True
    )
    try:
        connection.execute("PRAGMA query_only = 1")
        connection.execute("PRAGMA trusted_schema = 0")
        connection.text_factory = bytes
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _damage(error: sqlite3.DatabaseError | UnicodeDecodeError, path: Path, last: int) -> Fault:
    """What an error says about the file; StoreError if it says nothing about it."""
    after = f"after entry {last}" if last else "from its beginning"
    if isinstance(error, UnicodeDecodeError):
        return Fault("damaged", last + 1, f"the file is damaged: {after} it cannot be read")
    if _code(error) not in _FILE_IS_WRONG:
        raise StoreError(explain(error, path)) from error
    if "not a database" in str(error):
        return Fault("damaged", None, "the file is damaged at its beginning, or is no ledger: it is no SQLite file")
    return Fault("damaged", last + 1, f"the file is damaged: {after} it cannot be read ({error})")


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
