"""What may go wrong below the ledger: it is told in one plain sentence, and the ledger can be used afterwards."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ledger.recorders import StoreError
from ledger.recorders.sqlite import file as sqlite_file
from ledger.recorders.sqlite import pool as sqlite_pool
from ledger.recorders.sqlite.pool import LedgerConnection, LedgerConnectionPool
from ledger.recorders.sqlite.recorder import LedgerRecorder
from ledger.store import EpisodeLedger
from tests.stores import open_ledger

pytestmark = pytest.mark.sqlite_file


def pool_of(ledger: EpisodeLedger) -> LedgerConnectionPool:
    recorder = ledger.recorder
    assert isinstance(recorder, LedgerRecorder)
    pool = recorder.datastore.pool
    assert isinstance(pool, LedgerConnectionPool)
    return pool


def test_an_sqlite_too_old_for_strict_tables_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(StoreError, match=r"SQLite 3\.37 or later is needed"):
        open_ledger(path, create=True)
    assert not path.exists()


def test_a_setting_that_is_not_kept_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sqlite_file.SETTINGS, "synchronous", 9)
    with pytest.raises(StoreError, match="does not keep synchronous = 9"):
        open_ledger(path, create=True)


def test_the_switch_to_write_ahead_mode_waits_for_another_connection(path: Path) -> None:
    open_ledger(path, create=True).close()
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        assert other.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.2, other.execute, ["ROLLBACK"])
        release.start()
        with open_ledger(path, create=False) as ledger:
            assert ledger.position() == 0
        release.join()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_it_does_not_wait_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ledger(path, create=True).close()
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT_SECONDS", 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError):
            open_ledger(path, create=False)


def test_a_connection_that_cannot_be_rolled_back_closed_and_another_takes_its_place(ledger: EpisodeLedger) -> None:
    pool = pool_of(ledger)
    connection = pool.get_connection(is_writer=False)
    assert isinstance(connection, LedgerConnection)
    connection._sqlite_conn.close()
    connection.rollback()
    assert connection.closed
    pool.put_connection(connection)
    assert ledger.position() == 0


def test_a_connection_given_back_to_a_closed_pool_closed(ledger: EpisodeLedger) -> None:
    pool = pool_of(ledger)
    connection = pool.get_connection()
    pool.close()
    assert not connection.closed
    pool.put_connection(connection)
    assert connection.closed


def test_a_pool_without_a_free_connection_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_pool, "POOL_TIMEOUT_SECONDS", 0.01)
    with open_ledger(path, create=True) as ledger:
        pool = pool_of(ledger)
        taken = pool.get_connection(is_writer=True)
        with pytest.raises(StoreError, match="the ledger is busy"):
            ledger.append([])
        pool.put_connection(taken)
        assert ledger.append([]) == []
