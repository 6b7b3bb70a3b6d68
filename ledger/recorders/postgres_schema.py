"""The ledger in PostgreSQL: what stands in the database, and what must hold before it is used.

Recording needs INSERT and SELECT alone: order comes from an advisory lock held to the end of the transaction, and
triggers refuse every other change, also to the owner. Their messages name no data, because the server writes them into
its log; they are looked up by the schema's name, never by a session's search path.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from ledger.recorders import NoLedger, StoreError
from ledger.recorders.sqlite_file import FORMAT

SCHEMA_VERSION: Final = 1
"""Of the tables and guards below; an entry's own form is the ledger's format, as in a file."""
APPENDING: Final = "hashtext('episode-ledger appending ' || current_schema())"
"""The advisory lock of whoever appends to the ledger of a schema."""
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
}
"""The guards' bodies; compared with those in the database, and so frozen with the schema's version."""
TABLES: Final = ("entries", "patients", "ledger", "schema_versions")
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
    "CREATE TABLE schema_versions (version bigint PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
    *(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$" for name, body in FUNCTIONS.items()),
    "CREATE TRIGGER entry_follows BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION entry_follows()",
    *(
        f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        for table in TABLES
    ),
)
"""``{schema}`` is the schema's name."""

_EACH_INSERTED: Final = 1 + 2 + 4
_EACH_OTHER_STATEMENT: Final = 2 + 8 + 16 + 32
"""When a trigger fires, as PostgreSQL writes it down: row 1, before 2, insert 4, delete 8, update 16, truncate 32."""
_GUARDS: Final = {("entries", "entry_follows", _EACH_INSERTED)} | {
    (table, "refuse_change", _EACH_OTHER_STATEMENT) for table in TABLES
}
_FOUND_GUARDS: Final = (
    "SELECT c.relname, p.proname, t.tgtype::int, p.prosrc FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = c.relnamespace"
    " WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
    " AND t.tgqual IS NULL AND t.tgattr::text = ''"
)
_FOUND_TABLES: Final = (
    "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(%s)"
)

Connection = psycopg.Connection[Any]


def check(connection: Connection) -> None:
    """Refuse a database without a ledger, with another format or a lost guard, or whose server could lose entries."""
    if not has_tables(connection):
        raise NoLedger(NO_LEDGER)
    _refuse_other_versions(connection)
    if missing := lost_guards(connection):
        raise StoreError(f"the ledger was altered: {', '.join(missing)} is not as it was created")
    refuse_unsafe(connection)


def _refuse_other_versions(connection: Connection) -> None:
    written = one(connection, "SELECT value FROM ledger WHERE key = 'format'")
    version = one(connection, "SELECT max(version) FROM schema_versions")
    if written != str(FORMAT):
        raise StoreError(
            f"the ledger has format {written or 'unknown'}, this program reads {FORMAT}; update the program"
        )
    if version != SCHEMA_VERSION:
        what = "update the program" if (version or 0) > SCHEMA_VERSION else "run 'episode-ledger migrate'"
        raise StoreError(f"the ledger's tables have version {version}, this program knows {SCHEMA_VERSION}; {what}")


def lost_guards(connection: Connection) -> list[str]:
    """The guards that are not as they were created."""
    schema = schema_of(connection)
    found = {
        (table, function, kind)
        for table, function, kind, body in connection.execute(_FOUND_GUARDS).fetchall()
        if body == FUNCTIONS.get(function, "").format(schema=schema)
    }
    return sorted(f"{function} of {table}" for table, function, _ in _GUARDS - found)


def refuse_unsafe(connection: Connection) -> None:
    """Refuse a session in which an acknowledged entry could be lost."""
    wanted = ", ".join(f"current_setting('{name}')" for name in SAFE)
    values = connection.execute(f"SELECT {wanted}").fetchone() or ()
    for (name, safe), value in zip(SAFE.items(), values, strict=True):
        if value not in safe:
            raise StoreError(
                f"the server runs with {name} = {value}: an entry it acknowledged could be lost; set it to on"
            )


def has_tables(connection: Connection) -> bool:
    """Whether the tables of a ledger are there."""
    return bool(one(connection, _FOUND_TABLES, (list(TABLES),)) == len(TABLES))


def schema_of(connection: Connection) -> str:
    """The schema of the ledger, quoted."""
    return str(one(connection, "SELECT quote_ident(current_schema())"))


def one(connection: Connection, statement: str, values: tuple[object, ...] = ()) -> Any:
    """The first value that a statement reads."""
    row = connection.execute(statement, values).fetchone()  # a literal of these modules
    return row[0] if row else None
