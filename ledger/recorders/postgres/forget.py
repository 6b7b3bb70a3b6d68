"""Destroying keys in PostgreSQL, as far as a client of the server can.

What is deleted stays in the tables' files until they are rewritten, and in the server's write-ahead log, its archives
and its base backups for as long as those are kept: docs/why/postgresql-and-forgetting.md says what to do.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Final

from psycopg.errors import Diagnostic

from ledger.recorders import StoreError
from ledger.recorders.postgres.pool import LedgerDatastore
from ledger.recorders.postgres.schema import Connection, one

WITHIN_SECONDS: Final = 10.0
"""How long it is tried to leave nothing behind: others see what was deleted until their transactions end."""
LOCK_SECONDS: Final = 2
"""How long at a time recording and reading may be kept waiting by a table that waits to be rewritten."""
PAUSE_SECONDS: Final = 0.5

_TABLES: Final = ("keys", "patients")
_MAY: Final = " AND ".join(f"has_table_privilege('{table}', 'DELETE')" for table in _TABLES)
_OWNS: Final = (
    "SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_class"
    " WHERE relnamespace = quote_ident(current_schema())::regnamespace AND relname = ANY(%s)"
)
_MAY_NOT: Final = "forgetting needs a role that may delete keys: run it as the ledger's owner"


def refuse_who_may_not(connection: Connection) -> None:
    """Refuse a role that may record and read, before it does half of it."""
    if not one(connection, f"SELECT {_MAY}"):
        raise StoreError(_MAY_NOT)


def destroy(connection: Connection, episodes: Sequence[str]) -> None:
    """Take out the keys and the patients of episodes. The guards ask for the act first."""
    for table in _TABLES:
        theirs = f"FROM {table} WHERE episode = ANY(%s::text[])"
        connection.execute(f"DELETE {theirs}", (list(episodes),))
        if one(connection, f"SELECT EXISTS (SELECT 1 {theirs})", (list(episodes),)):
            raise StoreError("something in the ledger's database keeps keys from being deleted: none was")


def rewrite(datastore: LedgerDatastore) -> bool:
    """Give the tables new files, without what was deleted; whether the server did that and left nothing behind.

    False for a role that does not own them, and while a transaction that began before still sees what was deleted.
    """
    until = time.monotonic() + WITHIN_SECONDS
    left = list(_TABLES)
    if datastore.rows(_OWNS, (left,)) != [(True,)]:
        return False
    while True:
        left = [table for table in left if not _rewritten(datastore, table)]
        if not left or time.monotonic() + PAUSE_SECONDS > until:
            return not left
        time.sleep(PAUSE_SECONDS)


def _rewritten(datastore: LedgerDatastore, table: str) -> bool:
    try:
        with datastore.new_connection(LOCK_SECONDS) as connection:
            connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
            return _is_clean(connection, table)
    except StoreError:
        return False


def _is_clean(connection: Connection, table: str) -> bool:
    """Rewrite it; whether the server reports that no deleted row is left in it: that is the first number it gives."""
    reports = list[str]()

    def note(said: Diagnostic) -> None:
        reports.append(said.message_detail or "")

    connection.add_notice_handler(note)
    connection.execute(f"VACUUM (FULL, VERBOSE) {table}")
    left = [number.group() for report in reports if (number := re.search(r"\d+", report))]
    return left == ["0"]
