"""With an SQLite that has the WAL-reset bug, one connection at a time checkpoints, and only after its own commit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.recorders.sqlite import checkpoint_turns as sqlite_turns
from ledger.recorders.sqlite.checkpoint_turns import CHECKPOINT_PAGES, ROWS_BETWEEN_TURNS
from ledger.recorders.sqlite.pool import LedgerConnection
from ledger.recorders.sqlite.recorder import LedgerRecorder
from ledger.store import EpisodeLedger, open_ledger
from tests.builders import entry


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sqlite_turns, "has_reset_bug", lambda version: True)
    path = tmp_path / "ledger.db"
    open_ledger(path, create=True).close()
    return path


@pytest.fixture
def two(path: Path) -> Iterator[tuple[LedgerConnection, LedgerConnection]]:
    """The connections of two processes."""
    with open_ledger(path, create=False) as one, open_ledger(path, create=False) as other:
        yield writer_of(one), writer_of(other)


def writer_of(ledger: EpisodeLedger) -> LedgerConnection:
    assert isinstance(ledger.recorder, LedgerRecorder)
    connection = ledger.recorder.datastore.take(commit=True)
    ledger.recorder.datastore.pool.put_connection(connection)
    return connection


def checkpoints_after(connection: LedgerConnection) -> int:
    row = connection._sqlite_conn.execute("PRAGMA wal_autocheckpoint").fetchone()
    return int(row[0])


def test_only_inside_a_write_transaction(two: tuple[LedgerConnection, LedgerConnection]) -> None:
    one, _ = two
    assert checkpoints_after(one) == 0
    with one.transaction(commit=True):
        assert checkpoints_after(one) == CHECKPOINT_PAGES
    assert checkpoints_after(one) == 0
    with one.transaction(commit=False):
        assert checkpoints_after(one) == 0


def test_not_again_before_some_rows_were_written(path: Path) -> None:
    with open_ledger(path, create=False) as ledger:
        connection, allowed = writer_of(ledger), []
        for version in range(1, 21):
            ledger.append([entry(version)])
            with connection.transaction(commit=True):
                allowed.append(checkpoints_after(connection) == CHECKPOINT_PAGES)
    assert allowed.count(True) == 0, "the first append had its turn"
    assert ROWS_BETWEEN_TURNS > 20


def test_not_while_another_is_at_it(two: tuple[LedgerConnection, LedgerConnection]) -> None:
    one, other = two
    with one.transaction(commit=True):
        pass
    one.turn._due_at = 0
    one.turn.take()  # as if its commit were done and its checkpoint still running
    with other.transaction(commit=True):
        assert checkpoints_after(other) == 0
    one.turn.give_back()
    with other.transaction(commit=True):
        assert checkpoints_after(other) == CHECKPOINT_PAGES


def test_a_failed_transaction_gives_the_turn_back(two: tuple[LedgerConnection, LedgerConnection]) -> None:
    one, other = two
    with pytest.raises(RuntimeError), one.transaction(commit=True):
        raise RuntimeError
    with other.transaction(commit=True):
        assert checkpoints_after(other) == CHECKPOINT_PAGES


def test_a_closed_connection_gives_the_turn_back(two: tuple[LedgerConnection, LedgerConnection]) -> None:
    one, other = two
    with one.transaction(commit=True):
        pass
    one.turn._due_at = 0
    one.turn.take()
    one.close()
    with other.transaction(commit=True):
        assert checkpoints_after(other) == CHECKPOINT_PAGES


def test_a_fixed_version_needs_no_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_turns, "has_reset_bug", lambda version: False)
    path = tmp_path / "ledger.db"
    with open_ledger(path, create=True) as ledger:
        connection = writer_of(ledger)
        assert checkpoints_after(connection) == CHECKPOINT_PAGES
        with connection.transaction(commit=True):
            assert connection.turn._descriptor < 0
        assert checkpoints_after(connection) == CHECKPOINT_PAGES


READS_AND_GOES = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM entries").fetchone()
connection.close()
"""


def test_opening_again_does_not_drop_the_locks_of_this_process(path: Path) -> None:
    """Closing any descriptor of a file drops a process's locks on it; the next to leave would then remove the log."""
    with open_ledger(path, create=False) as ledger:
        assert ledger.position() == 0
        open_ledger(path, create=True).close()
        subprocess.run([sys.executable, "-c", READS_AND_GOES, str(path)], check=True)
        assert path.with_name("ledger.db-wal").exists()
