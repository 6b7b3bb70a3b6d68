"""The ledger in PostgreSQL: what stands in the database, how it is made once, and what must hold before it is used.

Tables are made by ``migrate``, under an advisory lock and by whoever owns the schema, never while recording. Recording
needs INSERT and SELECT alone: order comes from an advisory lock held to the end of the transaction, and triggers refuse
every other change. Messages of the triggers name no data, because the server writes them into its log.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Identifier

from ledger.recorders import NoLedger, StoreError
from ledger.recorders.sqlite_file import FORMAT

APPENDING: Final = "hashtext('episode-ledger appending ' || current_schema())"
"""The advisory lock of whoever appends to the ledger of a schema."""
_MIGRATING: Final = "hashtext('episode-ledger migrating ' || current_schema())"
SAFE: Final = {"fsync": ("on",), "full_page_writes": ("on",), "synchronous_commit": ("on", "remote_apply")}
"""Settings of the server without which an acknowledged entry could be lost."""

_REFUSE: Final = """CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'what is recorded is never changed' USING ERRCODE = 'restrict_violation'; END $$"""
_FOLLOWS: Final = """CREATE FUNCTION entry_follows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.position IS DISTINCT FROM 1 + coalesce((SELECT max(position) FROM entries), 0)
    OR NEW.originator_version IS DISTINCT FROM
        1 + coalesce((SELECT max(originator_version) FROM entries WHERE originator_id = NEW.originator_id), 0)
    THEN RAISE EXCEPTION 'an entry only follows the last one of its episode' USING ERRCODE = 'unique_violation';
    END IF; RETURN NEW; END $$"""
TABLES: Final = ("entries", "patients", "ledger")
SCHEMA: Final = (
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
    _REFUSE,
    _FOLLOWS,
    "CREATE TRIGGER entry_follows BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION entry_follows()",
    *(
        f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        for table in TABLES
    ),
)
_GUARDS: Final = {("entries", "entry_follows"), *((table, f"{table}_unchanged") for table in TABLES)}
_FOUND_GUARDS: Final = (
    "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
)

Connection = psycopg.Connection[Any]


def migrate(url: str, runtime_role: str | None = None) -> bool:
    """Make the ledger's tables in the schema of a database, and let a role record; whether they were made now."""
    with psycopg.connect(url) as connection, connection.transaction():
        connection.execute(f"SELECT pg_advisory_xact_lock({_MIGRATING})")  # ours alone
        made = not _has_tables(connection)
        if made:
            _make(connection)
        check(connection)
        if runtime_role:
            _allow(connection, runtime_role)
    return made


def _make(connection: Connection) -> None:
    if _one(connection, "SHOW server_encoding") != "UTF8":
        raise StoreError("the database does not keep UTF-8; make one with ENCODING 'UTF8'")
    for statement in SCHEMA:
        connection.execute(statement)  # a literal of this module
    page = {"id": secrets.token_hex(16), "format": str(FORMAT)}
    for key, value in page.items():
        connection.execute("INSERT INTO ledger (key, value) VALUES (%s, %s)", (key, value))
    connection.execute(
        "INSERT INTO ledger (key, value) SELECT 'created_at',"
        " to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    )


def _allow(connection: Connection, role: str) -> None:
    """What recording and reading need, and no more."""
    schema = Identifier(str(_one(connection, "SELECT current_schema()")))
    connection.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, Identifier(role)))
    for table, rights in {"entries": "SELECT, INSERT", "patients": "SELECT, INSERT", "ledger": "SELECT"}.items():
        connection.execute(SQL("GRANT {} ON {} TO {}").format(SQL(rights), Identifier(table), Identifier(role)))


def check(connection: Connection) -> None:
    """Refuse a database without a ledger, with another format or a lost guard, or whose server could lose entries."""
    if not _has_tables(connection):
        raise NoLedger("there is no ledger in this database; 'episode-ledger --ledger URL migrate' makes one")
    written = _one(connection, "SELECT value FROM ledger WHERE key = 'format'")
    if written != str(FORMAT):
        raise StoreError(
            f"the ledger has format {written or 'unknown'}, this program reads {FORMAT}; update the program"
        )
    found = set(connection.execute(_FOUND_GUARDS).fetchall())
    missing = sorted(name for table, name in _GUARDS - found)
    if missing:
        raise StoreError(f"the ledger was altered: {', '.join(missing)} is not as it was created")
    for name, safe in SAFE.items():
        value = _one(connection, f"SHOW {name}")
        if value not in safe:
            raise StoreError(
                f"the server runs with {name} = {value}: an entry it acknowledged could be lost; set it on"
            )


def _has_tables(connection: Connection) -> bool:
    names = connection.execute(
        "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(%s)",
        (list(TABLES),),
    ).fetchone()
    return names is not None and names[0] == len(TABLES)


def _one(connection: Connection, statement: str) -> Any:
    row = connection.execute(statement).fetchone()  # a literal of this module
    return row[0] if row else None
