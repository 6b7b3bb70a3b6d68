"""The PostgreSQL recorder: the event store library's connections and seams, over our tables.

Appenders take turns by an advisory lock that ends with their transaction, so positions have no gap and become visible
in their order: whoever reads up to the last one has missed nothing. No trigger, function or table is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)
from eventsourcing.postgres import PostgresDatastore, PostgresFactory, PostgresRecorder
from eventsourcing.utils import Environment
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row
from psycopg_pool import PoolClosed, PoolTimeout

from ledger.recorders import NoLedger, StoreError, WrongPath
from ledger.recorders.postgres_schema import APPENDING, SAFE, check
from ledger.recorders.sealing import sealed
from ledger.seals import first_seal
from ledger.stored import Row

PAGE_ROWS: Final = 5_000
SMALL_PAGE_POSITIONS: Final = 500
CONNECTIONS: Final = 10
CONNECT_TIMEOUT_SECONDS: Final = 10.0
LOCK_TIMEOUT_SECONDS: Final = 60
STATEMENT_TIMEOUT_SECONDS: Final = 600

_LARGEST = 2**63 - 1
_COLUMNS = "position, originator_id, originator_version, topic, state"
_INSERT = (
    "INSERT INTO entries (position, originator_id, originator_version, topic, state, seal)"
    " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::bytea[])"
)
_INSERT_PATIENTS = (
    "INSERT INTO patients (patient, episode) SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT DO NOTHING"
)
_SESSION: Final = (
    "SET client_min_messages = 'error'",
    "SET TIME ZONE 'UTC'",
    f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'",
    f"SET statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'",
    "SET idle_in_transaction_session_timeout = '60s'",
)
_SENTENCES: Final = {
    "08": "the connection to the ledger's server was lost",
    "28": "the ledger's server refused the user or the password",
    "3D": "there is no such database on the ledger's server",
    "42501": "this user may not read or write the ledger; 'episode-ledger migrate --runtime-role ROLE' grants it",
    "53": "the ledger's server is out of room or of connections",
    "55P03": f"the ledger was kept locked by others for {LOCK_TIMEOUT_SECONDS} seconds; try again later",
    "57": "the ledger's server stopped the work, or is stopping itself; try again later",
}
"""What a class of PostgreSQL's errors is in plain words, never the server's own: they may hold a patient's data."""


def explain(error: BaseException) -> str:
    """One plain sentence for an error of the server or of the connection to it."""
    if isinstance(error, PoolTimeout | PoolClosed):
        return "the ledger's server cannot be reached, or has no connection free"
    state = getattr(error, "sqlstate", None) or ("08" if isinstance(error, psycopg.OperationalError) else "")
    found = _SENTENCES.get(state) or _SENTENCES.get(state[:2])
    return found or f"the ledger's server reported error {state or type(error).__name__}"


class LedgerDatastore(PostgresDatastore):
    """The connections to one ledger in a PostgreSQL database, each checked before it is used."""

    def __init__(self, url: str) -> None:
        try:
            parts = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            raise WrongPath("the ledger's URL is not one PostgreSQL understands") from error
        super().__init__(
            dbname="", host="", port="", user="", password="", originator_id_type="text", pool_size=1,
            max_overflow=CONNECTIONS - 1, connect_timeout=CONNECT_TIMEOUT_SECONDS,
        )  # fmt: skip
        parts = {"connect_timeout": str(int(CONNECT_TIMEOUT_SECONDS)), **parts}
        self.pool.kwargs = {**parts, "client_encoding": "UTF8", "row_factory": tuple_row}
        _try_once(url)

    def after_connect_func(self) -> Callable[[psycopg.Connection[Any]], None]:
        """Settings of a session, read back where entries depend on them."""

        def after_connect(connection: psycopg.Connection[Any]) -> None:
            connection.autocommit = True
            for statement in _SESSION:
                connection.execute(statement)  # a literal of this module

        return after_connect

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection of the pool; what the server reports comes out as a ``StoreError`` or a conflict."""
        try:
            self.pool.open()
            with self.pool.connection() as connection:
                yield connection
        except psycopg.errors.UniqueViolation as error:
            raise IntegrityError("another writer recorded that version") from error
        except (psycopg.Error, PoolTimeout, PoolClosed) as error:
            raise StoreError(explain(error)) from error

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """What one statement reads."""
        with self.get_connection() as connection:
            return connection.execute(statement, values).fetchall()  # never from outside


def _try_once(url: str) -> None:
    """One connection by itself, for a plain answer to what is wrong."""
    try:
        with psycopg.connect(url, connect_timeout=int(CONNECT_TIMEOUT_SECONDS)) as connection:
            check(connection)
    except (NoLedger, StoreError):
        raise
    except psycopg.Error as error:
        raise StoreError(_of_connecting(error)) from error


def _of_connecting(error: psycopg.Error) -> str:
    if getattr(error, "sqlstate", None):
        return explain(error)
    text = str(error)
    for clue, state in {"password": "28", "role": "28", "does not exist": "3D"}.items():
        if clue in text:
            return _SENTENCES[state]
    return "the ledger's server cannot be reached; check the URL and that it runs"


class LedgerRecorder(PostgresRecorder, ApplicationRecorder):
    """Writes and reads the entries of one ledger, and the patients of its episodes."""

    datastore: LedgerDatastore

    def create_table(self) -> None:
        """Nothing: tables are made by migrating."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, patients: Iterable[tuple[str, str]] = (), **_: Any
    ) -> Sequence[int]:
        """Append entries, sealed, in one transaction; their positions."""
        if not stored_events:
            return []
        with self.datastore.get_connection() as connection, connection.transaction():
            connection.execute(f"SELECT pg_advisory_xact_lock({APPENDING})")
            before, seal = self._head(connection)
            rows = [(*row[:3], row[3].decode(), row[4]) for row in sealed(stored_events, before, seal)]
            columns = zip(*rows, strict=True)
            positions = list(range(before + 1, before + 1 + len(stored_events)))
            connection.execute(_INSERT, [positions, *map(list, columns)])
            if pairs := list(zip(*patients, strict=True)):
                connection.execute(_INSERT_PATIENTS, list(map(list, pairs)))
        return positions

    def _head(self, connection: psycopg.Connection[Any]) -> tuple[int, bytes]:
        last = connection.execute("SELECT position, seal FROM entries ORDER BY position DESC LIMIT 1").fetchone()
        if last:
            return last[0], last[1]
        (ledger_id,) = connection.execute("SELECT value FROM ledger WHERE key = 'id'").fetchone() or ("",)
        return 0, first_seal(ledger_id)

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
            f"SELECT {_COLUMNS} FROM entries WHERE position > %s AND position <= %s AND originator_id <> ''"
            " AND (cardinality(%s::text[]) = 0 OR topic = ANY(%s::text[])) ORDER BY position LIMIT %s",
            (after, _LARGEST if stop is None else stop, list(topics), list(topics), limit),
        )
        return [Notification(episode, version, tag, text.encode(), at) for at, episode, version, tag, text in rows]

    def max_notification_id(self) -> int | None:
        """The position of the last entry, if there is one."""
        return self._rows("SELECT max(position) FROM entries")[0][0]  # type: ignore[no-any-return]

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[Any]:
        """Not offered: readers poll by position, which cannot miss."""
        raise NotImplementedError("readers of a ledger poll by position")

    def max_position(self) -> int:
        """The position of the last entry, 0 in an empty ledger."""
        return self.max_notification_id() or 0

    def scan(self, after: int = 0, upto: int | None = None) -> Iterator[Row]:
        """Entries after a position, in order, by pages; up to the last one there is now, unless told otherwise."""
        stop = self.max_position() if upto is None else upto
        while True:
            page = self._rows(
                f"SELECT {_COLUMNS} FROM entries WHERE position > %s AND position <= %s AND originator_id <> ''"
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

    def pages(self, after: int, upto: int) -> Iterator[list[tuple[str, str, str]]]:
        """(episode, tag, text) of the entries after a position up to another, in order, a small page at a time."""
        while after < upto:
            yield self._rows(
                "SELECT originator_id, topic, state FROM entries WHERE position > %s AND position <= %s"
                " ORDER BY position",
                (after, min(after + SMALL_PAGE_POSITIONS, upto)),
            )
            after += SMALL_PAGE_POSITIONS

    def extents(self, upto: int) -> list[tuple[str, str, int, int]]:
        """Each (episode, patient it ever named) with the episode's first position and its last version up to one."""
        return self._rows(
            "SELECT p.episode, p.patient, e.first, e.last FROM patients AS p JOIN ("
            " SELECT originator_id, min(position) AS first, max(originator_version) AS last, min(originator_version)"
            " AS begins FROM entries WHERE position <= %s GROUP BY originator_id) AS e ON e.originator_id = p.episode"
            " WHERE e.begins = 1 ORDER BY e.first, p.patient",
            (upto,),
        )

    def count_of(self, episode: str, upto: int) -> int:
        """How many entries an episode has up to a position."""
        statement = "SELECT count(*) FROM entries WHERE originator_id = %s AND position <= %s"
        return int(self._rows(statement, (episode, upto))[0][0])

    def seal_at(self, position: int) -> bytes:
        """The seal of the entry at a position; empty where there is none."""
        return next((row[0] for row in self._rows("SELECT seal FROM entries WHERE position = %s", (position,))), b"")

    def rows_at(self, places: Iterable[tuple[str, int]]) -> list[Row]:
        """The entries at these places (episode, version), as far as they exist."""
        episodes, versions = [], []
        for episode, version in places:
            episodes.append(episode)
            versions.append(version)
        return self._rows(
            f"SELECT {_COLUMNS} FROM entries JOIN unnest(%s::text[], %s::bigint[]) AS place (episode, version)"
            " ON originator_id = place.episode AND originator_version = place.version",
            (episodes, versions),
        )

    def rows_of(self, episodes: Iterable[str], after_version: int = 0, upto: int | None = None) -> list[Row]:
        """The entries of these episodes, each episode's in the order of versions, up to a position."""
        return self._rows(
            f"SELECT {_COLUMNS} FROM entries WHERE originator_id = ANY(%s::text[]) AND originator_version > %s"
            " AND position <= %s ORDER BY originator_id, originator_version",
            (list(episodes), after_version, _LARGEST if upto is None else upto),
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

    def page(self) -> dict[str, str]:
        """What the ledger says of itself: its id, format and time of creation."""
        return dict(self._rows("SELECT key, value FROM ledger"))

    def settings(self) -> dict[str, str]:
        """The settings of the server in force, read back from it."""
        names = (*SAFE, "data_checksums", "server_encoding", "lock_timeout", "statement_timeout", "server_version")
        return {name: str(self._rows(f"SHOW {name}")[0][0]) for name in names}

    def _rows(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        return self.datastore.rows(statement, values)


class LedgerFactory(PostgresFactory):
    """Builds the recorder of one ledger; nothing is looked up by import path."""

    URL: Final = "LEDGER_URL"

    def __init__(self, env: Environment) -> None:
        InfrastructureFactory.__init__(self, env)
        self.datastore: LedgerDatastore = LedgerDatastore(env[self.URL])

    def application_recorder(self) -> LedgerRecorder:
        """The recorder of the ledger."""
        return LedgerRecorder(self.datastore)
