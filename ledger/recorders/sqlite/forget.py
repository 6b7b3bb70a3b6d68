"""Destroying keys in a ledger's file, so that nothing of them stays in it or in its log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from eventsourcing.sqlite import SQLiteCursor

from ledger.recorders import StoreError
from ledger.recorders.sqlite.checkpoint_turns import CheckpointTurn
from ledger.recorders.sqlite.file import connect, plain_errors
from ledger.recorders.sqlite.pool import LedgerDatastore

EMPTY_WITHIN_SECONDS: Final = 10.0
BUSY_MILLISECONDS: Final = 1_000
_EPISODES: Final = "(SELECT value FROM json_each(?))"


def destroy(c: SQLiteCursor, episodes: Sequence[str]) -> None:
    """Take out the keys and the patients of episodes; their bytes are overwritten. The guards ask for the act first."""
    c.execute("PRAGMA secure_delete = ON")
    c.execute("PRAGMA secure_delete")
    if c.fetchone()[0] != 1:
        raise StoreError("this SQLite does not overwrite what it deletes: no key was destroyed")
    for table in ("keys", "patients"):
        c.execute(f"DELETE FROM {table} WHERE episode IN {_EPISODES}", (json.dumps(list(episodes)),))


def empty_log(datastore: LedgerDatastore) -> bool:
    """Copy the log back into the file and cut it to nothing: it has every page as it was before, keys and all.

    False if another program reads the ledger all that time.
    """
    with plain_errors(datastore.pool.path), closing(connect(datastore.pool.path)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        turn = CheckpointTurn(connection, datastore.pool.path)
        try:
            return turn.empty_log(EMPTY_WITHIN_SECONDS)
        finally:
            turn.close()
