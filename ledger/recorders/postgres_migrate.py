"""Making a ledger in PostgreSQL: once, under an advisory lock, by whoever may make tables; never while recording."""

from __future__ import annotations

import secrets
from typing import Final, NamedTuple

from psycopg.sql import SQL, Identifier

from ledger.recorders import StoreError
from ledger.recorders.postgres_pool import connected
from ledger.recorders.postgres_schema import (
    SCHEMA,
    SCHEMA_VERSION,
    Connection,
    check,
    has_tables,
    one,
    schema_of,
)
from ledger.recorders.postgres_url import parts_of
from ledger.recorders.sqlite_file import FORMAT

_MIGRATING: Final = "hashtext('episode-ledger migrating ' || current_schema())"
_RIGHTS: Final = {
    "entries": "SELECT, INSERT",
    "patients": "SELECT, INSERT",
    "ledger": "SELECT",
    "schema_versions": "SELECT",
}
"""What recording and reading need, and no more."""


class Migrated(NamedTuple):
    """What migrating did."""

    made: bool
    version: int
    schema: str
    ledger_id: str


def migrate(url: str, runtime_role: str | None = None) -> Migrated:
    """Make the ledger's tables in the schema that a URL leads to, if they are not there, and let a role record."""
    with connected(parts_of(url)) as connection, connection.transaction():
        if one(connection, "SELECT current_schema()") is None:
            raise StoreError("the schema that the URL names is not there, or this user may not use it")
        connection.execute(f"SELECT pg_advisory_xact_lock({_MIGRATING})")  # ours alone
        made = not has_tables(connection)
        if made:
            _make(connection)
        check(connection)
        if runtime_role:
            _allow(connection, runtime_role)
        ledger_id = one(connection, "SELECT value FROM ledger WHERE key = 'id'")
        return Migrated(made, SCHEMA_VERSION, schema_of(connection), ledger_id)


def _make(connection: Connection) -> None:
    if one(connection, "SHOW server_encoding") != "UTF8":
        raise StoreError("the database does not keep UTF-8; make one with ENCODING 'UTF8'")
    schema = schema_of(connection)
    for statement in SCHEMA:
        connection.execute(statement.replace("{schema}", schema))  # literals, and a name that is quoted
    page = {"id": secrets.token_hex(16), "format": str(FORMAT)}
    for key, value in page.items():
        connection.execute("INSERT INTO ledger (key, value) VALUES (%s, %s)", (key, value))
    connection.execute(
        "INSERT INTO ledger (key, value) SELECT 'created_at',"
        " to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    )
    connection.execute("INSERT INTO schema_versions (version) VALUES (%s)", (SCHEMA_VERSION,))


def _allow(connection: Connection, role: str) -> None:
    schema = SQL(schema_of(connection))  # it is quoted
    connection.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, Identifier(role)))
    for table, rights in _RIGHTS.items():
        connection.execute(SQL("GRANT {} ON {} TO {}").format(SQL(rights), Identifier(table), Identifier(role)))
