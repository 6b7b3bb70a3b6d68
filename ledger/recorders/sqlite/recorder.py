"""The SQLite recorder: the event store library's own, over our tables.

Positions are an AUTOINCREMENT key, where the library has an implicit rowid that is reused after a tail is deleted; the
patients of an episode are noted in the transaction that records its opening; columns are named in every statement.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from eventsourcing.persistence import InfrastructureFactory, IntegrityError, Notification, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteFactory
from eventsourcing.utils import Environment

from ledger.facts.stored import JoinedEntries, StoredRow
from ledger.keys.cipher import WrappedKey
from ledger.proof.seals import first_seal
from ledger.recorders import StoreError
from ledger.recorders.mapping import OneRecorder, ReadByPosition
from ledger.recorders.protocol import FEW
from ledger.recorders.sealing import sealed
from ledger.recorders.sqlite import statements as sql
from ledger.recorders.sqlite.file import SETTINGS
from ledger.recorders.sqlite.forget import destroy, empty_log
from ledger.recorders.sqlite.pool import LedgerDatastore

PAGE_ROWS: Final = 500
"""Rows of a scan that are held at once; of the longest that the door takes so many have 32 MB."""

_LARGEST = 2**63 - 1


class LedgerRecorder(ReadByPosition, SQLiteApplicationRecorder):
    """Writes and reads the entries of one ledger file, and the patients of its episodes."""

    datastore: LedgerDatastore

    def __init__(self, datastore: LedgerDatastore) -> None:
        super().__init__(datastore, events_table_name="entries")
        self.insert_events_statement = sql.INSERT
        self.select_events_statement = f"SELECT {sql.IN_BYTES} FROM entries WHERE originator_id = ? "
        self.select_max_notification_id_statement = "SELECT max(position) FROM entries"

    def construct_create_table_statements(self) -> list[str]:
        """None: the tables were created, or checked, when the file was opened."""
        return []

    def _insert_events(  # type: ignore[override]  # what it does not know it refuses
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        *,
        patients: Iterable[tuple[str, str]] = (),
        keys: Sequence[WrappedKey] = (),
        forgotten: Sequence[str] = (),
        right_after: int | None = None,
    ) -> Sequence[int]:
        if not stored_events:
            return []
        cursor = c.sqlite_cursor  # without the library's layer, which passes everything on
        before, seal = _head(cursor)
        if right_after not in (None, before):
            raise IntegrityError("something else was recorded meanwhile")
        if keys:
            cursor.executemany(sql.INSERT_KEY, keys)
        last = before + len(stored_events)
        *most, latest = sealed(stored_events, before, seal)
        if most:
            cursor.executemany(sql.INSERT, most)
        cursor.execute(sql.INSERT, latest)
        if cursor.lastrowid != last:  # the write lock is ours: only a tail that was cut off leaves a gap
            raise StoreError("the last entries of the ledger are missing; 'episode-ledger verify' says which")
        if named := [pair + pair for pair in patients]:
            cursor.executemany(sql.INSERT_PATIENT, named)
        if forgotten:
            destroy(c, forgotten)
        return list(range(before + 1, last + 1))

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Entries in the order of their positions, as the library's notifications."""
        after = 0 if start is None else start - int(inclusive_of_start)
        wanted = f"AND topic IN ({', '.join('?' * len(topics))}) " if topics else ""
        rows = self._rows(
            f"SELECT {sql.IN_BYTES} FROM entries WHERE position > ? AND position <= ? AND originator_id <> ''"
            f" {wanted}ORDER BY position LIMIT ?",
            (after, _LARGEST if stop is None else stop, *topics, limit),
        )
        return [Notification(episode, version, tag, text, position) for position, episode, version, tag, text in rows]

    def max_position(self) -> int:
        """The position of the last entry, 0 in an empty ledger."""
        return self.max_notification_id() or 0

    def scan(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        """Entries after a position, in order, by pages; up to the last one there is now, unless told otherwise."""
        stop = self.max_position() if upto is None else upto
        while True:
            page = self._entries(sql.PAGE, (after, stop, PAGE_ROWS))
            yield from page
            if len(page) < PAGE_ROWS:
                return
            after = page[-1][0]

    def versions(self, after: int) -> list[tuple[str, int]]:
        """Each episode with entries after a position, with its last version."""
        statement = (
            "SELECT originator_id, max(originator_version) FROM entries"
            " WHERE position > ? AND originator_id <> '' GROUP BY originator_id"
        )
        return self._named(statement, (after,))

    def joined(self, episodes: Sequence[str], upto: int, without: Collection[str] = ()) -> list[JoinedEntries]:
        """These episodes up to a position, each as one row; a statement for each, as grouping would sort the texts."""
        statement, asked = sql.joined(without)
        found = self.datastore.rows_each(statement, [(*asked, name, upto) for name in episodes])
        return [
            JoinedEntries(name, count, last, tags, texts or b"") for name, count, last, tags, texts in found if count
        ]

    def extents(self, upto: int) -> list[tuple[str, str, int, int]]:
        """Each (episode, patient it ever named) with the episode's first position and its last version up to one."""
        return self._named(sql.EXTENTS, (upto, upto))

    def count_of(self, episode: str, upto: int) -> int:
        """How many entries an episode has up to a position."""
        statement = "SELECT count(*) FROM entries WHERE originator_id = ? AND position <= ?"
        return int(self._rows(statement, (episode, upto))[0][0])

    def text_bytes(self, episodes: Sequence[str], upto: int, few: int = FEW) -> int:
        """How many bytes the texts of these episodes have; 0 where there are few."""
        return int(self._rows(sql.TEXT_BYTES, (json.dumps(list(episodes)), upto, few))[0][0])

    def seal_at(self, position: int) -> bytes:
        """The seal of the entry at a position; empty where there is none."""
        return next((row[0] for row in self._rows("SELECT seal FROM entries WHERE position = ?", (position,))), b"")

    def rows_at(self, places: Iterable[tuple[str, int]], settled_within: float = 0) -> list[StoredRow]:
        """The entries at these places (episode, version), as far as they exist; an append ends before it is told."""
        return self._entries(sql.AT_PLACES, (json.dumps(list(places)),))

    def rows_of(self, episodes: Iterable[str], after_version: int = 0, upto: int | None = None) -> list[StoredRow]:
        """The entries of these episodes, each episode's in the order of versions, up to a position."""
        stop = _LARGEST if upto is None else upto
        return self._entries(sql.OF_EPISODES, (json.dumps(list(episodes)), after_version, stop))

    def rows_of_kinds(self, episode: str, tags: Collection[str], after_version: int = 0) -> list[StoredRow]:
        """The entries of an episode that have one of these tags, after a version, in the order of versions."""
        return self._entries(sql.OF_KINDS, (episode, after_version, json.dumps(list(tags))))

    def versions_without(self, tags: Collection[str], upto: int) -> list[tuple[str, str]]:
        """Each episode that has entries up to a position with other tags than these, and their versions."""
        return self._named(sql.VERSIONS_WITHOUT, (upto, json.dumps(sorted(tags))))

    def episodes_of(self, patient: str) -> list[str]:
        """Every episode that ever named this patient."""
        return [row[0] for row in self._named("SELECT episode FROM patients WHERE patient = ? ORDER BY 1", (patient,))]

    def patients_of(self, episode: str) -> list[str]:
        """Every patient that this episode ever named."""
        return [row[0] for row in self._named("SELECT patient FROM patients WHERE episode = ? ORDER BY 1", (episode,))]

    def patients_between(self, after: int, upto: int) -> set[str]:
        """Every patient of the episodes that have entries after a position, up to another."""
        rows = self._named(sql.PATIENTS_BETWEEN, (after, upto)) if after else self._named(sql.PATIENTS_UPTO, (upto,))
        return {row[0] for row in rows}

    def keys_of(self, episodes: Iterable[str]) -> list[WrappedKey]:
        """The keys that an encrypted ledger keeps of these episodes, as far as they are there."""
        return [WrappedKey(*row) for row in self._rows(sql.KEYS_OF, (json.dumps(list(episodes)),))]

    def scrub(self) -> bool:
        """See to it that nothing of a destroyed key is left in the log; whether that was possible."""
        return empty_log(self.datastore)

    def page_when_opened(self) -> dict[str, str]:
        """What the ledger said of itself when it was opened, without looking again."""
        return self.datastore.page

    def about(self) -> dict[str, str]:
        """What the ledger says of itself: its id, format and time of creation."""
        return dict(self._rows("SELECT key, value FROM ledger", ()))

    def settings(self) -> dict[str, str]:
        """The settings of SQLite in force, read back from it."""
        names = ("journal_mode", *SETTINGS, "encoding")
        return {"sqlite": sqlite3.sqlite_version} | {
            name: str(self._rows(f"PRAGMA {name}", ())[0][0]) for name in names
        }

    def _entries(self, choice: str, values: tuple[object, ...]) -> list[StoredRow]:
        """Rows of entries; text that is no UTF-8 gets lone surrogates, so that its reader can say which entry it is."""
        try:
            return self._rows(f"SELECT {sql.COLUMNS} {choice}", values)
        except StoreError:
            rows = self._rows(f"SELECT {sql.IN_BYTES} {choice}", values)
            return [(*row[:4], row[4].decode("utf-8", "surrogateescape")) for row in rows]

    def _named(self, statement: str, values: Sequence[object]) -> list[Any]:
        """Rows that begin with an episode or a patient: in a damaged file even a name may be no text."""
        rows = self._rows(statement, values)
        if not all([type(row[0]) is str for row in rows]):  # noqa: C419 - a list is quicker
            raise StoreError("the file is damaged: a name in it is no text; 'episode-ledger verify' says where")
        return rows

    def _rows(self, statement: str, values: Sequence[object]) -> list[Any]:
        return self.datastore.rows(statement, values)


def _head(cursor: sqlite3.Cursor) -> tuple[int, bytes]:
    """The position and the seal of the last entry; of an empty ledger, 0 and what its first entry is sealed to."""
    last = cursor.execute("SELECT position, seal FROM entries ORDER BY position DESC LIMIT 1").fetchone()
    if last:
        return last[0], last[1]
    (name,) = cursor.execute("SELECT value FROM ledger WHERE key = 'id'").fetchone()
    return 0, first_seal(name)


class LedgerFactory(OneRecorder, SQLiteFactory):
    """Builds the recorder of one ledger file; nothing is looked up by import path."""

    MASTER_KEY: Final = "MASTER_KEY_ID"
    """The setting with which a new ledger is made to be encrypted: its master key's id, not the key."""
    MAPPED_MB: Final = "MAPPED_MB"
    """The setting that says how much of the file each connection reads as mapped memory."""

    def __init__(self, env: Environment) -> None:
        InfrastructureFactory.__init__(self, env)
        self.datastore: LedgerDatastore = LedgerDatastore(
            env[self.SQLITE_DBNAME],
            create=self.env_create_table(),
            master_key=env.get(self.MASTER_KEY, ""),
            mapped_mb=int(env.get(self.MAPPED_MB, "0")),
        )

    def application_recorder(self) -> LedgerRecorder:
        """The recorder of the file."""
        return LedgerRecorder(self.datastore)
