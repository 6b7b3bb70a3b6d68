"""The ledger in PostgreSQL: what stands in the database, and what must hold before it is used.

Recording needs INSERT and SELECT, and the right to lock the one row of ``turn``, held to the end of the transaction:
an advisory lock could be held by whoever may connect, for the server shows its number to everybody. Triggers refuse
every change but an addition, also to the owner. Their messages name no data, because the server writes them into
its log; they are looked up by the schema's name, never by a session's search path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import psycopg

from ledger.recorders import NoLedger, StoreError
from ledger.recorders.sqlite.schema import ENCRYPTED, FORMAT

SCHEMA_VERSION: Final = 2
"""Of the tables and guards below; an entry's own form is the ledger's format, as in a file."""
TAKE_TURN: Final = "SELECT 1 FROM turn FOR UPDATE"
"""What whoever appends waits for; locking a row needs a right to UPDATE, and the guard refuses the UPDATE itself."""
SAFE: Final = {"fsync": ("on",), "full_page_writes": ("on",), "synchronous_commit": ("on", "remote_apply")}
"""Settings of the server without which an acknowledged entry could be lost."""
NO_LEDGER: Final = (
    "there is no ledger in that database and schema that this user may see;"
    " 'episode-ledger --ledger URL migrate' makes one"
)

FUNCTIONS: Final = {
    "refuse_change": " BEGIN RAISE EXCEPTION 'what is recorded is never changed'"
    " USING ERRCODE = 'restrict_violation'; END ",
    "entry_follows": """ BEGIN
    IF NEW.position IS DISTINCT FROM 1 + coalesce((SELECT max(position) FROM {schema}.entries), 0)
    OR NEW.originator_version IS DISTINCT FROM 1 + coalesce(
        (SELECT max(originator_version) FROM {schema}.entries WHERE originator_id = NEW.originator_id), 0)
    THEN RAISE EXCEPTION 'an entry only follows the last one of its episode' USING ERRCODE = 'unique_violation';
    END IF; RETURN NEW; END """,
    "entry_encrypted": """ BEGIN
    IF NEW.originator_id <> '' AND NOT EXISTS (SELECT 1 FROM {schema}.keys
        WHERE episode = NEW.originator_id AND position('"key":"' || id || '"' IN NEW.state) > 0)
    THEN RAISE EXCEPTION 'an entry is encrypted with the key of its episode' USING ERRCODE = 'foreign_key_violation';
    END IF; RETURN NEW; END """,
    "key_begins": """ BEGIN
    IF EXISTS (SELECT 1 FROM {schema}.keys WHERE id = NEW.id)
    OR EXISTS (SELECT 1 FROM {schema}.keys WHERE episode = NEW.episode)
    OR EXISTS (SELECT 1 FROM {schema}.entries WHERE originator_id = NEW.episode)
    THEN RAISE EXCEPTION 'an episode has one key, from its first entry on' USING ERRCODE = 'unique_violation';
    END IF; RETURN NEW; END """,
    "key_forgotten": """ BEGIN
    IF NOT EXISTS (SELECT 1 FROM {schema}.entries WHERE originator_id = '' AND topic = 'PatientForgotten'
        AND position('"' || OLD.id || '"' IN state) > 0)
    THEN RAISE EXCEPTION 'a key goes only with the act that forgets its patient' USING ERRCODE = 'restrict_violation';
    END IF; RETURN OLD; END """,
    "patient_forgotten": """ BEGIN
    IF EXISTS (SELECT 1 FROM {schema}.keys WHERE episode = OLD.episode)
    OR NOT EXISTS (SELECT 1 FROM {schema}.entries WHERE originator_id = OLD.episode)
    THEN RAISE EXCEPTION 'a patient goes only after the key of their episode' USING ERRCODE = 'restrict_violation';
    END IF; RETURN OLD; END """,
}
"""The guards' bodies; compared with those in the database, and so frozen with the schema's version.

Text is searched, as in a file: a cast to JSON that fails would write what it was given into the server's log.
"""
_BITS: Final = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
"""When a trigger fires, as PostgreSQL writes it down; besides, 1 for each row and 2 for before."""


class _Guard(NamedTuple):
    """A trigger that fires before something: what it refuses is in its function."""

    name: str
    table: str
    events: tuple[str, ...]
    each: str
    function: str

    def made_by(self) -> str:
        """The statement that makes it."""
        return (
            f"CREATE TRIGGER {self.name} BEFORE {' OR '.join(self.events)} ON {self.table}"
            f" FOR EACH {self.each} EXECUTE FUNCTION {self.function}()"
        )

    def as_found(self) -> tuple[str, str, int]:
        return self.table, self.function, 2 + (self.each == "ROW") + sum(_BITS[event] for event in self.events)


def _unchanged(table: str, *events: str) -> _Guard:
    return _Guard(f"{table}_unchanged", table, events, "STATEMENT", "refuse_change")


TABLES: Final = ("entries", "patients", "ledger", "schema_versions")
"""Of every ledger of any version; an encrypted one has keys besides."""
TURN: Final = (
    "CREATE TABLE turn (one boolean PRIMARY KEY DEFAULT true CHECK (one))",
    "INSERT INTO turn DEFAULT VALUES",
)
"""The row by which appenders take turns, since version 2."""
TURN_GUARD: Final = _unchanged("turn", "UPDATE", "DELETE", "TRUNCATE")
_FOLLOWS: Final = _Guard("entry_follows", "entries", ("INSERT",), "ROW", "entry_follows")
_GUARDS: Final = {
    FORMAT: (_FOLLOWS, TURN_GUARD, *(_unchanged(table, "UPDATE", "DELETE", "TRUNCATE") for table in TABLES)),
    ENCRYPTED: (
        _FOLLOWS,
        TURN_GUARD,
        *(_unchanged(table, "UPDATE", "DELETE", "TRUNCATE") for table in TABLES if table != "patients"),
        *(_unchanged(table, "UPDATE", "TRUNCATE") for table in ("patients", "keys")),
        _Guard("entry_encrypted", "entries", ("INSERT",), "ROW", "entry_encrypted"),
        _Guard("key_begins", "keys", ("INSERT",), "ROW", "key_begins"),
        _Guard("key_forgotten", "keys", ("DELETE",), "ROW", "key_forgotten"),
        _Guard("patient_forgotten", "patients", ("DELETE",), "ROW", "patient_forgotten"),
    ),
}
_TABLES: Final = (
    """CREATE TABLE entries (
        position bigint PRIMARY KEY CHECK (position >= 1),
        originator_id text COLLATE "C" NOT NULL,
        originator_version bigint NOT NULL CHECK (originator_version >= 1),
        topic text NOT NULL,
        state text NOT NULL,
        seal bytea NOT NULL CHECK (length(seal) = 32),
        UNIQUE (originator_id, originator_version))""",
    """CREATE TABLE patients (
        patient text COLLATE "C" NOT NULL, episode text COLLATE "C" NOT NULL, PRIMARY KEY (patient, episode))""",
    "CREATE INDEX patients_by_episode ON patients (episode, patient)",
    'CREATE TABLE ledger (key text COLLATE "C" PRIMARY KEY, value text NOT NULL)',
    "CREATE TABLE schema_versions (version bigint PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
    *TURN,
)
_TABLES_OF_ENCRYPTED: Final = (
    """CREATE TABLE keys (
        id text COLLATE "C" PRIMARY KEY, episode text COLLATE "C" UNIQUE NOT NULL, wrapped bytea NOT NULL)""",
    # ANALYZE would keep samples of them elsewhere, beyond the day on which they are destroyed
    "ALTER TABLE keys ALTER COLUMN wrapped SET STATISTICS 0",
    "ALTER TABLE patients ALTER COLUMN patient SET STATISTICS 0",
)


def _made_by(format_: str, *tables: str) -> tuple[str, ...]:
    called = {guard.function for guard in _GUARDS[format_]}
    return (
        *tables,
        *(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
            for name, body in FUNCTIONS.items()
            if name in called
        ),
        *(guard.made_by() for guard in _GUARDS[format_]),
    )


SCHEMAS: Final = {FORMAT: _made_by(FORMAT, *_TABLES), ENCRYPTED: _made_by(ENCRYPTED, *_TABLES, *_TABLES_OF_ENCRYPTED)}
"""What creates a ledger of each format; ``{schema}`` is the schema's name."""

KEYS_OF: Final = "SELECT id, episode, wrapped FROM keys WHERE episode = ANY(%s::text[])"
"""The keys that are kept of some episodes."""

SCHEMA_NOW: Final = "quote_ident(current_schema())::regnamespace"
_FOUND_GUARDS: Final = (
    "SELECT c.relname, p.proname, t.tgtype::int, p.prosrc FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = c.relnamespace"
    f" WHERE t.tgrelid = ANY(ARRAY(SELECT oid FROM pg_class WHERE relnamespace = {SCHEMA_NOW}"  # others' may be many
    " AND relname = ANY(%s))) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
    " AND t.tgqual IS NULL AND t.tgattr::text = ''"
)
_FOUND_TABLES: Final = f"SELECT count(*) FROM pg_class WHERE relnamespace = {SCHEMA_NOW} AND relname = ANY(%s)"
_FORMAT: Final = "(SELECT value FROM ledger WHERE key = 'format')"
_VERSION: Final = "(SELECT max(version) FROM schema_versions)"
_SCHEMA: Final = "quote_ident(current_schema())"
_SAID: Final = f"SELECT {_FORMAT}, {_VERSION}, {_SCHEMA}"
"""In one question, since whoever opens a ledger waits for each answer."""

Connection = psycopg.Connection[Any]


def check(connection: Connection) -> None:
    """Refuse a database without a ledger, with another format or a lost guard, or whose server could lose entries."""
    if not has_tables(connection):
        raise NoLedger(NO_LEDGER)
    format_, version, schema = connection.execute(_SAID).fetchone() or ("", None, "")
    _refuse_other_versions(format_ or "", version)
    if missing := _lost(connection, format_, schema):
        raise StoreError(f"the ledger was altered: {', '.join(missing)} is not as it was created")
    refuse_unsafe(connection)


def _refuse_other_versions(written: str, version: int | None) -> None:
    if written not in SCHEMAS:
        reads = " and ".join(SCHEMAS)
        raise StoreError(
            f"the ledger has format {written or 'unknown'}, this program reads {reads}; update the program"
        )
    if version != SCHEMA_VERSION:
        what = "update the program" if (version or 0) > SCHEMA_VERSION else "run 'episode-ledger migrate'"
        raise StoreError(f"the ledger's tables have version {version}, this program knows {SCHEMA_VERSION}; {what}")


def lost_guards(connection: Connection) -> list[str]:
    """The guards that are not as they were created."""
    return _lost(connection, format_of(connection), schema_of(connection))


def _lost(connection: Connection, format_: str, schema: str) -> list[str]:
    found = {
        (table, function, kind)
        for table, function, kind, body in connection.execute(_FOUND_GUARDS, ([*TABLES, "keys", "turn"],)).fetchall()
        if body == FUNCTIONS.get(function, "").format(schema=schema)
    }
    made = {guard.as_found() for guard in _GUARDS.get(format_, _GUARDS[FORMAT])}
    return sorted(f"{function} of {table}" for table, function, _ in made - found)


def refuse_unsafe(connection: Connection) -> None:
    """Refuse a session in which an acknowledged entry could be lost."""
    wanted = ", ".join(f"current_setting('{name}')" for name in SAFE)
    values = connection.execute(f"SELECT {wanted}").fetchone() or ()
    for (name, safe), value in zip(SAFE.items(), values, strict=True):
        if value not in safe:
            raise StoreError(
                f"the server runs with {name} = {value}: an entry it acknowledged could be lost; set it to on"
            )


def has_tables(connection: Connection, names: Sequence[str] = TABLES) -> bool:
    """Whether the tables of a ledger are there, or some of them."""
    return bool(one(connection, _FOUND_TABLES, (list(names),)) == len(names))


def version_of(connection: Connection) -> int | None:
    """The version of the tables."""
    found: int | None = one(connection, f"SELECT {_VERSION}")
    return found


def format_of(connection: Connection) -> str:
    """The format that the ledger says it has; empty if it says none."""
    return one(connection, f"SELECT {_FORMAT}") or ""


def schema_of(connection: Connection) -> str:
    """The schema of the ledger, quoted."""
    return str(one(connection, f"SELECT {_SCHEMA}"))


def one(connection: Connection, statement: str, values: tuple[object, ...] = ()) -> Any:
    """The first value that a statement reads."""
    row = connection.execute(statement, values).fetchone()  # a literal of these modules
    return row[0] if row else None
