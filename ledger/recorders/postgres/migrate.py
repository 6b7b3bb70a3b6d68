"""Making a ledger in PostgreSQL: once, under an advisory lock, by whoever may make tables; never while recording."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from psycopg.sql import SQL, Identifier

from ledger.recorders import StoreError
from ledger.recorders.encrypted import refuse_other_key
from ledger.recorders.postgres.pool import connected
from ledger.recorders.postgres.schema import (
    SCHEMA_NOW,
    SCHEMA_VERSION,
    SCHEMAS,
    TURN,
    TURN_GUARD,
    Connection,
    check,
    has_tables,
    one,
    schema_of,
    version_of,
)
from ledger.recorders.postgres.url import parts_of
from ledger.recorders.sqlite.schema import ENCRYPTED, FORMAT

_MIGRATING: Final = "hashtext('episode-ledger migrating ' || current_schema())"
_GUARD: Final = "CREATE TRIGGER"
_RIGHTS: Final = {
    "entries": "SELECT, INSERT",
    "patients": "SELECT, INSERT",
    "turn": "SELECT, UPDATE",
    "ledger": "SELECT",
    "schema_versions": "SELECT",
}
"""What recording and reading need, and no more; the row of ``turn`` can be locked, and not changed."""
_RIGHTS_OF_ENCRYPTED: Final = _RIGHTS | {"keys": "SELECT, INSERT"}
"""Forgetting needs more, and is the owner's."""


_WHO_RECORDS: Final = (
    "SELECT DISTINCT r.rolname FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee"
    f" WHERE c.relname = 'entries' AND c.relnamespace = {SCHEMA_NOW} AND a.privilege_type = 'INSERT'"
    " AND a.grantee <> c.relowner ORDER BY 1"
)


class Migrated(NamedTuple):
    """What migrating did: a ledger made, or the tables of one brought forward to this version, or nothing."""

    made: bool
    forward: bool
    version: int
    schema: str
    ledger_id: str
    encrypted: bool


def migrate(url: str, runtime_role: str | None = None, master_key_id: str = "") -> Migrated:
    """Make the ledger's tables in the schema that a URL leads to, if they are not there, and let a role record.

    With the id of a master key the ledger is made to be encrypted under that; MasterKeyError if there is one that is
    not.
    """
    with connected(parts_of(url)) as connection, connection.transaction():
        made = not found_in_turn(connection)
        forward = not made and _bring_forward(connection)
        if made:
            write_page = partial(_write_page, master_key_id=master_key_id)
            make_tables(connection, write_page, ENCRYPTED if master_key_id else FORMAT)
        check(connection)
        page = dict(connection.execute("SELECT key, value FROM ledger").fetchall())
        refuse_other_key(page, master_key_id or None)
        if runtime_role:
            _allow(connection, runtime_role, _RIGHTS_OF_ENCRYPTED if master_key_id else _RIGHTS)
        return Migrated(made, forward, SCHEMA_VERSION, schema_of(connection), page.get("id", ""), bool(master_key_id))


def found_in_turn(connection: Connection) -> bool:
    """Whether there is a ledger in the schema, once nobody else is making one, nor will until the transaction ends."""
    if one(connection, "SELECT current_schema()") is None:
        raise StoreError("the schema that the URL names is not there, or this user may not use it")
    connection.execute(f"SELECT pg_advisory_xact_lock({_MIGRATING})")  # ours alone
    return has_tables(connection)


def make_tables(connection: Connection, fill: Callable[[Connection], None], format_: str = FORMAT) -> None:
    """Make a format's tables, have them filled, and only then set their guards, which let rows in one by one."""
    if one(connection, "SHOW server_encoding") != "UTF8":
        raise StoreError("the database does not keep UTF-8; make one with ENCODING 'UTF8'")
    schema = schema_of(connection)
    statements = [each.replace("{schema}", schema) for each in SCHEMAS[format_]]
    tables = [each for each in statements if not each.startswith(_GUARD)]
    connection.execute("; ".join(tables))  # literals, and a name that is quoted
    connection.execute("INSERT INTO schema_versions (version) VALUES (%s)", (SCHEMA_VERSION,))
    fill(connection)
    connection.execute("; ".join(each for each in statements if each.startswith(_GUARD)))


def _bring_forward(connection: Connection) -> bool:
    """Let the tables of version 1 be those of version 2: appenders take turns by a row, and whoever may record may lock
    it. Whether they were of version 1."""
    if version_of(connection) != 1:
        return False
    connection.execute("; ".join((*TURN, TURN_GUARD.made_by())))
    for (role,) in connection.execute(_WHO_RECORDS).fetchall():
        _allow(connection, role, {"turn": _RIGHTS["turn"]})
    connection.execute("INSERT INTO schema_versions (version) VALUES (%s)", (SCHEMA_VERSION,))
    return True


def _write_page(connection: Connection, master_key_id: str) -> None:
    page = {"id": secrets.token_hex(16), "format": ENCRYPTED if master_key_id else FORMAT}
    if master_key_id:
        page["master_key"] = master_key_id
    for key, value in page.items():
        connection.execute("INSERT INTO ledger (key, value) VALUES (%s, %s)", (key, value))
    connection.execute(
        "INSERT INTO ledger (key, value) SELECT 'created_at',"
        " to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    )


def _allow(connection: Connection, role: str, granted: dict[str, str]) -> None:
    schema = SQL(schema_of(connection))  # it is quoted
    grants = [SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, Identifier(role))]
    for table, rights in granted.items():
        grants.append(SQL("GRANT {} ON {} TO {}").format(SQL(rights), Identifier(table), Identifier(role)))
    connection.execute(SQL("; ").join(grants))
