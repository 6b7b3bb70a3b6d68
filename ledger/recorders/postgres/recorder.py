"""The PostgreSQL recorder: the event store library's connections and seams, over our tables.

Appenders take turns by a row that stays locked until their transaction ends, so positions have no gap and become
visible in their order: whoever reads up to the last one has missed nothing. No trigger, function or table is made here.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from eventsourcing.persistence import InfrastructureFactory, Notification, StoredEvent
from eventsourcing.postgres import PostgresFactory, PostgresRecorder
from eventsourcing.utils import Environment

from ledger.facts.stored import JoinedEntries, StoredRow
from ledger.keys.cipher import WrappedKey
from ledger.recorders import NotRecorded, StoreError
from ledger.recorders.mapping import OneRecorder, ReadByPosition
from ledger.recorders.postgres import statements as sql
from ledger.recorders.postgres.append import insert_all, take_turn
from ledger.recorders.postgres.forget import rewrite
from ledger.recorders.postgres.pool import LedgerDatastore
from ledger.recorders.postgres.schema import KEYS_OF, SAFE
from ledger.recorders.protocol import FEW

PAGE_ROWS: Final = 500
"""Rows of a scan that are held at once; of the longest that the door takes so many have 32 MB."""
PAUSE_SECONDS: Final = 0.1

_LARGEST = 2**63 - 1


class LedgerRecorder(PostgresRecorder, ReadByPosition):
    """Writes and reads the entries of one ledger, and the patients of its episodes."""

    datastore: LedgerDatastore

    def create_table(self) -> None:
        """Nothing: tables are made by migrating."""

    def insert_events(  # type: ignore[override]  # what it does not know it refuses
        self, stored_events: Sequence[StoredEvent], *, patients: Iterable[tuple[str, str]] = (),
        keys: Sequence[WrappedKey] = (), forgotten: Sequence[str] = (), right_after: int | None = None,
    ) -> Sequence[int]:  # fmt: skip
        """Append entries, sealed, in one transaction; their positions."""
        if not stored_events:
            return []
        committing = False
        try:
            with self.datastore.get_connection() as connection, connection.transaction():
                positions = insert_all(connection, stored_events, patients, keys, forgotten, right_after)
                committing = True
        except StoreError as error:
            if committing:
                raise
            raise NotRecorded(str(error)) from error
        return positions

    def select_events(
        self, originator_id: Any, *, gt: int | None = None, lte: int | None = None, desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:  # fmt: skip
        """An episode's stored events."""
        rows = self._rows(
            "SELECT originator_id, originator_version, topic, state FROM entries WHERE originator_id = %s"
            " AND originator_version > %s AND originator_version <= %s"
            f" ORDER BY originator_version {'DESC' if desc else 'ASC'} LIMIT %s",
            (str(originator_id), -1 if gt is None else gt, _LARGEST if lte is None else lte, limit),
        )
        return [StoredEvent(episode, version, tag, text.encode()) for episode, version, tag, text in rows]

    def select_notifications(
        self, start: int | None, limit: int, stop: int | None = None, topics: Sequence[str] = (), *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:  # fmt: skip
        """Entries in the order of their positions, as the library's notifications."""
        after = 0 if start is None else start - int(inclusive_of_start)
        rows = self._rows(
            f"SELECT {sql.COLUMNS} FROM entries WHERE position > %s AND position <= %s AND originator_id <> ''"
            " AND (cardinality(%s::text[]) = 0 OR topic = ANY(%s::text[])) ORDER BY position LIMIT %s",
            (after, _LARGEST if stop is None else stop, list(topics), list(topics), limit),
        )
        return [Notification(episode, version, tag, text.encode(), at) for at, episode, version, tag, text in rows]

    def max_notification_id(self) -> int | None:
        """The position of the last entry, if there is one."""
        return self._rows("SELECT max(position) FROM entries")[0][0]  # type: ignore[no-any-return]

    def max_position(self) -> int:
        """The position of the last entry, 0 in an empty ledger."""
        return self.max_notification_id() or 0

    def scan(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        """Entries after a position, in order, by pages; up to the last one there is now, unless told otherwise."""
        stop = self.max_position() if upto is None else upto
        while True:
            page = self._rows(
                f"SELECT {sql.COLUMNS} FROM entries WHERE position > %s AND position <= %s AND originator_id <> ''"
                " ORDER BY position LIMIT %s",
                (after, stop, PAGE_ROWS),
            )
            yield from page
            if len(page) < PAGE_ROWS:
                return
            after = page[-1][0]

    def versions(self, after: int) -> list[tuple[str, int]]:
        """Each episode with entries after a position, with its last version."""
        return self._rows(
            "SELECT originator_id, max(originator_version) FROM entries"
            " WHERE position > %s AND originator_id <> '' GROUP BY originator_id ORDER BY originator_id",
            (after,),
        )

    def versions_without(self, tags: Collection[str], upto: int) -> list[tuple[str, str]]:
        """Each episode that has entries up to a position with other tags than these, and their versions."""
        return self._rows(sql.VERSIONS_WITHOUT, (upto, list(tags)))

    def joined(self, episodes: Sequence[str], upto: int, without: Collection[str] = ()) -> list[JoinedEntries]:
        """These episodes up to a position, each as one row; all by one statement, as each is a way over the wire."""
        return [JoinedEntries(*row) for row in self._rows(sql.JOINED, (list(without), list(episodes), upto))]

    def extents(self, upto: int) -> list[tuple[str, str, int, int]]:
        """Each (episode, patient it ever named) with the episode's first position and its last version up to one."""
        return self._rows(sql.EXTENTS, (upto, upto))

    def count_of(self, episode: str, upto: int) -> int:
        """How many entries an episode has up to a position."""
        statement = "SELECT count(*) FROM entries WHERE originator_id = %s AND position <= %s"
        return int(self._rows(statement, (episode, upto))[0][0])

    def text_bytes(self, episodes: Sequence[str], upto: int, few: int = FEW) -> int:
        """How many bytes the texts of these episodes have; 0 where there are few."""
        theirs = "FROM entries WHERE originator_id = ANY(%s::text[]) AND position <= %s"
        are_few = f"(SELECT count(*) {theirs}) <= {few:d}"
        statement = f"SELECT CASE WHEN {are_few} THEN 0 ELSE (SELECT sum(octet_length(state)) {theirs}) END"
        return int(self._rows(statement, (list(episodes), upto) * 2)[0][0])

    def seal_at(self, position: int) -> bytes:
        """The seal of the entry at a position; empty where there is none."""
        return next((row[0] for row in self._rows("SELECT seal FROM entries WHERE position = %s", (position,))), b"")

    def rows_at(self, places: Iterable[tuple[str, int]], settled_within: float = 0) -> list[StoredRow]:
        """The entries at these places (episode, version), as far as they exist; asked again until a deadline."""
        values = tuple(map(list, zip(*places, strict=True))) or ([], [])
        if not settled_within:
            return self._rows(sql.AT_PLACES, values)
        until = time.monotonic() + settled_within
        while True:
            try:
                return self._rows_once_settled(values, until - time.monotonic())
            except StoreError:
                if time.monotonic() + PAUSE_SECONDS > until:
                    raise
                time.sleep(PAUSE_SECONDS)

    def _rows_once_settled(self, values: Sequence[object], seconds: float) -> list[StoredRow]:
        """The rows at places, after every append that has begun: its turn ends when it is committed or undone."""
        with self.datastore.new_connection(seconds, cut=True) as connection, connection.transaction():
            for timeout in ("lock_timeout", "statement_timeout"):
                connection.execute(f"SET LOCAL {timeout} = {max(1, int(seconds * 1000))}")
            take_turn(connection)
            return connection.execute(sql.AT_PLACES, values).fetchall()

    def rows_of(self, episodes: Iterable[str], after_version: int = 0, upto: int | None = None) -> list[StoredRow]:
        """The entries of these episodes, each episode's in the order of versions, up to a position."""
        return self._rows(
            f"SELECT {sql.COLUMNS} FROM entries WHERE originator_id = ANY(%s::text[]) AND originator_version > %s"
            " AND position <= %s ORDER BY originator_id, originator_version",
            (list(episodes), after_version, _LARGEST if upto is None else upto),
        )

    def rows_of_kinds(self, episode: str, tags: Collection[str], after_version: int = 0) -> list[StoredRow]:
        """The entries of an episode that have one of these tags, after a version, in the order of versions."""
        return self._rows(
            f"SELECT {sql.COLUMNS} FROM entries WHERE originator_id = %s AND originator_version > %s"
            " AND topic = ANY(%s::text[]) ORDER BY originator_version",
            (episode, after_version, list(tags)),
        )

    def episodes_of(self, patient: str) -> list[str]:
        """Every episode that ever named this patient."""
        return [row[0] for row in self._rows("SELECT episode FROM patients WHERE patient = %s ORDER BY 1", (patient,))]

    def patients_of(self, episode: str) -> list[str]:
        """Every patient that this episode ever named."""
        return [row[0] for row in self._rows("SELECT patient FROM patients WHERE episode = %s ORDER BY 1", (episode,))]

    def patients_between(self, after: int, upto: int) -> set[str]:
        """Every patient of the episodes that have entries after a position, up to another."""
        statement = (
            "SELECT DISTINCT patient FROM patients WHERE episode IN"
            " (SELECT originator_id FROM entries WHERE position > %s AND position <= %s)"
        )
        return {row[0] for row in self._rows(statement, (after, upto))}

    def keys_of(self, episodes: Iterable[str]) -> list[WrappedKey]:
        """The keys that an encrypted ledger keeps of these episodes, as far as they are there."""
        return [WrappedKey(*row) for row in self._rows(KEYS_OF, (list(episodes),))]

    def scrub(self) -> bool:
        """See to it that nothing of a destroyed key is left in the tables' files; whether that was possible."""
        return rewrite(self.datastore)

    def page_when_opened(self) -> dict[str, str]:
        """What the ledger said of itself when it was opened."""
        return self.about()

    def about(self) -> dict[str, str]:
        """What the ledger says of itself: its id, format and time of creation."""
        return dict(self._rows("SELECT key, value FROM ledger"))

    def settings(self) -> dict[str, str]:
        """The settings of the server in force, read back from it."""
        names = (*SAFE, "data_checksums", "server_encoding", "lock_timeout", "statement_timeout", "server_version")
        return {name: str(self._rows(f"SHOW {name}")[0][0]) for name in names}

    def _rows(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        return self.datastore.rows(statement, values)


class LedgerFactory(OneRecorder, PostgresFactory):
    """Builds the recorder of one ledger; nothing is looked up by import path."""

    URL: Final = "LEDGER_URL"

    def __init__(self, env: Environment) -> None:
        InfrastructureFactory.__init__(self, env)
        self.datastore: LedgerDatastore = LedgerDatastore(env[self.URL])

    def application_recorder(self) -> LedgerRecorder:
        """The recorder of the ledger."""
        return LedgerRecorder(self.datastore)
