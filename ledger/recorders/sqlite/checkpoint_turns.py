"""One connection at a time copies the write-ahead log back into the ledger's file, where SQLite needs that care.

From 3.7.0 to 3.51.2 SQLite has a race, which it calls the WAL-reset bug: while a checkpoint starts, another connection
commits and begins the log anew, because an earlier checkpoint had finished it; the one that started does not notice, a
later one leaves pages out, and committed entries are lost. So here a checkpoint is made only right after one's own
commit, by whoever took the turn inside that transaction: until it starts, nobody else can have finished the log.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from pathlib import Path
from typing import Final

CHECKPOINT_PAGES: Final = 8_000
ROWS_BETWEEN_TURNS: Final = 500
"""After a turn a connection writes so many rows before it takes another: else every commit would pay for asking."""
PAUSE_SECONDS: Final = 0.05
FIXED_IN: Final = (3, 51, 3)
_ALSO_FIXED: Final = {(3, 50): 7, (3, 44): 6}


def has_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether this version of SQLite may lose committed pages when two connections checkpoint and commit at once."""
    return version < FIXED_IN and version[2] < _ALSO_FIXED.get((version[0], version[1]), version[2] + 1)


class CheckpointTurn:
    """Whose turn it is to checkpoint: a lock on the log file, held from inside a transaction until after its commit.

    SQLite itself keeps no locks on that file, so that opening and closing it here drops none.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._log = connection, path.with_name(path.name + "-wal")
        self._descriptor = -1
        self._due_at = 0
        self._needed = has_reset_bug(sqlite3.sqlite_version_info)
        self._may(not self._needed)

    def take(self) -> None:
        """Inside a write transaction: let its commit checkpoint, unless another is at it or it is too soon."""
        if not self._needed or self._connection.total_changes < self._due_at:
            return
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self._log, os.O_RDONLY)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # the next commit, here or elsewhere, will do it
            return
        self._due_at = self._connection.total_changes + ROWS_BETWEEN_TURNS
        self._may(True)

    def give_back(self) -> None:
        """After the transaction: others may."""
        if self._allowed and self._needed:
            self._may(False)
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def empty_log(self, within_seconds: float) -> bool:
        """Copy the whole log back and cut it to nothing; False if a reader or another program kept it all that time."""
        until = time.monotonic() + within_seconds
        while not self._emptied_log():
            if time.monotonic() > until:
                return False
            time.sleep(PAUSE_SECONDS)
        return True

    def _emptied_log(self) -> bool:
        self._due_at = 0
        self._connection.execute("BEGIN IMMEDIATE")
        self.take()
        self._connection.execute("PRAGMA user_version = 0")  # as it was: a commit of one's own, which is what counts
        self._connection.execute("COMMIT")
        try:
            if self._needed and not self._allowed:
                return False
            return bool(self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
        finally:
            self.give_back()

    def close(self) -> None:
        """With the connection."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _may(self, allowed: bool) -> None:
        self._allowed = allowed
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES if allowed else 0}")
