"""What SQLite or a server says against a ledger, in the words of somebody who has to do something about it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from psycopg.errors import IdleInTransactionSessionTimeout

from ledger.recorders import StoreError
from ledger.recorders.postgres import errors as of_a_server
from ledger.recorders.sqlite.file import plain_errors

SAID = {
    "database is locked": "was kept locked by another program",
    "locking protocol": "another program that was stopped in the middle of it may still hold it; let that one end",
    "database or disk is full": "the disk is full; make room",
    "disk I/O error": "the disk gave an error",
    "database disk image is malformed": "keep it as it is, and `restore` a backup beside it",
    "file is not a database": "it is no SQLite file",
    "attempt to write a readonly database": "check the rights",
}


@pytest.mark.parametrize("said", SAID)
def test_what_sqlite_says_is_told_in_plain_words(said: str) -> None:
    with pytest.raises(StoreError) as told, plain_errors(Path("/data/ledger.db")):
        raise sqlite3.OperationalError(said)
    assert str(told.value).startswith("/data/ledger.db ")
    assert SAID[said] in str(told.value)
    assert said not in str(told.value)


def test_a_server_that_waited_too_long_for_us_is_told_in_plain_words() -> None:
    with pytest.raises(StoreError, match="nothing of that is recorded; try again"), of_a_server.plain_errors():
        raise IdleInTransactionSessionTimeout
