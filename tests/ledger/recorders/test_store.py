"""The ledger on a real file: append-only for everybody, durable, private, and readable through the library's seams."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent

from commands.door.line_reader import LONGEST_LINE_BYTES
from ledger.facts.entry import encode
from ledger.facts.events import DayServed
from ledger.recorders.postgres import recorder as postgres_recorder
from ledger.recorders.sqlite import recorder as sqlite_recorder
from ledger.recorders.sqlite.file import SETTINGS
from ledger.store import EpisodeLedger, NoLedger, RecordConflictError, StoreError, UnreadableEntry
from tests.at_once import started
from tests.builders import (
    entry,
)
from tests.stores import open_ledger

SERVED = DayServed(order="RX-1", date=date(2026, 11, 2))


def foreign(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(path, isolation_level=None))


COLUMNS = "originator_id, originator_version, topic, state, seal"
FORBIDDEN = [
    "UPDATE entries SET state = '{}'",
    "UPDATE OR REPLACE entries SET position = 2 WHERE position = 1",
    "DELETE FROM entries",
    "DELETE FROM entries WHERE position = 3",
    "INSERT OR REPLACE INTO entries VALUES (3, 'EP-2', 1, 'DayServed', '{}', zeroblob(32))",
    f"REPLACE INTO entries (rowid, {COLUMNS}) VALUES (3, 'EP-1', 4, 'x', '{{}}', zeroblob(32))",
    f"INSERT OR REPLACE INTO entries ({COLUMNS}) VALUES ('EP-1', 3, 'x', '{{}}', zeroblob(32))",
    f"INSERT OR IGNORE INTO entries ({COLUMNS}) VALUES ('EP-1', 3, 'x', '{{}}', zeroblob(32))",
    "INSERT INTO entries VALUES (3, 'EP-1', 4, 'x', '{}', zeroblob(32)) ON CONFLICT DO UPDATE SET state = '{}'",
    "INSERT INTO entries VALUES (9, 'EP-1', 4, 'DayServed', '{}', zeroblob(32))",
    "INSERT INTO entries VALUES (-1, 'EP-1', 4, 'DayServed', '{}', zeroblob(32))",
    "INSERT INTO entries VALUES (0, 'EP-1', 4, 'DayServed', '{}', zeroblob(32))",
    f"INSERT INTO entries ({COLUMNS}) VALUES ('EP-1', 5, 'x', '{{}}', zeroblob(32))",
    f"INSERT INTO entries ({COLUMNS}) VALUES ('EP-3', 0, 'x', '{{}}', zeroblob(32))",
    f"INSERT INTO entries ({COLUMNS}) VALUES ('EP-1', 4, 'x', NULL, zeroblob(32))",
    f"INSERT INTO entries ({COLUMNS}) VALUES ('EP-1', 4, 'x', x'00', zeroblob(32))",
    "UPDATE patients SET patient = 'P-2'",
    "DELETE FROM patients",
    "INSERT OR REPLACE INTO patients VALUES ('P-1', 'EP-1')",
    "INSERT OR REPLACE INTO patients VALUES ('P-1', NULL)",
    "UPDATE ledger SET value = 'x'",
    "DELETE FROM ledger",
    "INSERT OR REPLACE INTO ledger VALUES ('id', 'x')",
    "INSERT OR REPLACE INTO ledger (rowid, key, value) VALUES (1, 'other', 'x')",
]


@pytest.mark.sqlite_file
@pytest.mark.parametrize("statement", FORBIDDEN)
@pytest.mark.parametrize("recursive_triggers", ["ON", "OFF"])
def test_a_foreign_tool_cannot_change_the_past(
    path: Path, ledger: EpisodeLedger, statement: str, recursive_triggers: str
) -> None:
    ledger.append([entry(1), entry(2), entry(3)], [("P-1", "EP-1")])
    with foreign(path) as other:
        other.execute(f"PRAGMA recursive_triggers = {recursive_triggers}")
        before = list(other.iterdump())
        with pytest.raises(sqlite3.IntegrityError):
            other.execute(statement)
        assert list(other.iterdump()) == before


@pytest.mark.sqlite_file
def test_a_foreign_tool_may_read(path: Path, ledger: EpisodeLedger) -> None:
    ledger.append([entry(1)])
    with foreign(path) as other:
        assert other.execute("SELECT json_extract(state, '$.fact.patient') FROM entries").fetchall() == [("P-1",)]


@pytest.mark.sqlite_file
def test_every_connection_has_our_settings(ledger: EpisodeLedger) -> None:
    with ledger._entries.datastore.transaction(commit=True) as cursor:
        for name, value in SETTINGS.items() | {("journal_mode", "wal")}:
            cursor.execute(f"PRAGMA {name}")
            assert cursor.fetchone()[0] == value


@pytest.mark.sqlite_file
def test_the_environment_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for prefix in ("", "EPISODELEDGER_"):
        monkeypatch.setenv(prefix + "SQLITE_DBNAME", str(tmp_path / "elsewhere.db"))
        monkeypatch.setenv(prefix + "PERSISTENCE_MODULE", "eventsourcing.popo")
        monkeypatch.setenv(prefix + "CREATE_TABLE", "no")
        monkeypatch.setenv(prefix + "COMPRESSOR_TOPIC", "zlib")
        monkeypatch.setenv(prefix + "IS_SNAPSHOTTING_ENABLED", "yes")
        monkeypatch.setenv(prefix + "AGGREGATE_CACHE_MAXSIZE", "10")
        monkeypatch.setenv(prefix + "APPLICATION_RECORDER_TOPIC", "eventsourcing.popo:POPOApplicationRecorder")
    with open_ledger(path, create=True) as ledger:
        ledger.append([entry(1)])
        assert ledger.snapshots is None
        assert ledger.repository.cache is None
    assert sorted(file.name for file in tmp_path.iterdir()) == ["ledger.db"]


@pytest.mark.sqlite_file
def test_only_its_owner_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        with open_ledger(path, create=True) as ledger:
            ledger.append([entry(1)])
            files = [path, path.with_name("ledger.db-wal"), path.with_name("ledger.db-shm")]
            assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * 3
    finally:
        os.umask(before)


@pytest.mark.sqlite_file
@pytest.mark.parametrize(
    "name",
    [":memory:", "file:x.db", "file::memory:?cache=shared", "x.db?mode=memory", "", "a\0b", "http://x/y", "sqlite://x"],
)
def test_only_plain_paths_name_a_ledger(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError):
        open_ledger(name, create=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.sqlite_file
def test_a_name_that_looks_like_sql_or_memory_mode_is_a_file(tmp_path: Path) -> None:
    odd = tmp_path / "mode=memory 'x';--%20.db"
    with open_ledger(odd, create=True) as ledger:
        ledger.append([entry(1)])
    with open_ledger(odd, create=False) as ledger:
        assert ledger.position() == 1


@pytest.mark.sqlite_file
def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not a file"):
        open_ledger(tmp_path, create=True)


@pytest.mark.sqlite_file
def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder"):
        open_ledger(tmp_path / "no" / "ledger.db", create=True)


@pytest.mark.sqlite_file
def test_reading_makes_no_ledger(path: Path) -> None:
    with pytest.raises(NoLedger, match="no ledger"):
        open_ledger(path, create=False)
    assert not path.exists()
    path.touch()
    with pytest.raises(NoLedger, match="no ledger"):
        open_ledger(path, create=False)
    assert path.read_bytes() == b""


@pytest.mark.sqlite_file
def test_a_link_leads_to_the_ledger(path: Path, tmp_path: Path, ledger: EpisodeLedger) -> None:
    ledger.append([entry(1)])
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with open_ledger(link, create=False) as linked:
        assert linked.position() == 1


@pytest.mark.sqlite_file
@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("content", [b"some text that is no database at all" * 50, b"\0" * 5000])
def test_a_file_that_is_no_database_is_left_alone(path: Path, create: bool, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not a ledger"):
        open_ledger(path, create=create)
    assert path.read_bytes() == content


@pytest.mark.sqlite_file
@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("statement", ["CREATE TABLE notes (a)", "CREATE TABLE ledger (a)", "CREATE TABLE entries (a)"])
def test_another_programs_database_is_left_alone(path: Path, create: bool, statement: str) -> None:
    with foreign(path) as other:
        other.execute(statement)
    content = path.read_bytes()
    with pytest.raises(StoreError):
        open_ledger(path, create=create)
    assert path.read_bytes() == content


@pytest.mark.sqlite_file
def test_a_newer_format_is_not_touched(path: Path, ledger: EpisodeLedger) -> None:
    with foreign(path) as other:
        other.execute("DROP TRIGGER ledger_update")
        other.execute("UPDATE ledger SET value = '4' WHERE key = 'format'")
    with pytest.raises(StoreError, match="format 4"):
        open_ledger(path, create=True)


@pytest.mark.sqlite_file
@pytest.mark.parametrize("trigger", ["entries_update", "entries_insert", "patients_delete", "ledger_insert"])
def test_a_ledger_without_its_guards_is_not_opened(path: Path, ledger: EpisodeLedger, trigger: str) -> None:
    with foreign(path) as other:
        other.execute(f"DROP TRIGGER {trigger}")
    with pytest.raises(StoreError, match=trigger):
        open_ledger(path, create=False)


@pytest.mark.sqlite_file
def test_another_journal_mode_is_put_right_or_refused(path: Path) -> None:
    open_ledger(path, create=True).close()
    with foreign(path) as other:
        other.execute("PRAGMA journal_mode = DELETE")
    ledger = open_ledger(path, create=False)
    ledger.append([entry(1)])
    ledger.close()
    ledger = open_ledger(path, create=False)
    with foreign(path) as other:
        other.execute("PRAGMA journal_mode = DELETE")
    with pytest.raises(StoreError, match="write-ahead"):
        ledger.append([entry(2)])
    ledger.close()


@pytest.mark.sqlite_file
def test_a_failed_commit_leaves_the_ledger_usable(ledger: EpisodeLedger) -> None:
    datastore = ledger._entries.datastore
    with datastore.transaction(commit=True) as cursor:
        cursor.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        cursor.execute("CREATE TABLE b (id REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(RecordConflictError), datastore.transaction(commit=True) as cursor:
        cursor.execute("INSERT INTO b VALUES (1)")  # a foreign key that only COMMIT finds broken
    assert datastore.pool.num_in_use == 0
    assert ledger.append([entry(1)]) == [1]
    with datastore.transaction(commit=False) as cursor:
        cursor.execute("SELECT count(*) FROM b")
        assert cursor.fetchone()[0] == 0


@pytest.mark.sqlite_file
def test_a_full_disk_is_a_plain_sentence_and_leaves_the_ledger_usable(ledger: EpisodeLedger) -> None:
    datastore = ledger._entries.datastore
    with datastore.transaction(commit=False) as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0] + 2}")
    with pytest.raises(StoreError, match="full"):
        ledger.append([entry(version) for version in range(1, 500)])
    assert ledger.position() == 0
    assert ledger.append([entry(1)]) == [1]


@pytest.mark.sqlite_file
def test_a_locked_ledger_is_a_plain_sentence(
    path: Path, ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ledger._entries.datastore.transaction(commit=False) as cursor:
        cursor.execute("PRAGMA busy_timeout = 20")
    with foreign(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            ledger.append([entry(1)])
        other.execute("ROLLBACK")
    assert ledger.append([entry(1)]) == [1]


def stored(**changes: object) -> StoredEvent:
    return replace(StoredEvent("EP-1", 1, "EpisodeOpened", encode(entry(1))), **changes)


@pytest.mark.sqlite_file
def test_a_hole_in_an_episode_stops_the_reader(path: Path, ledger: EpisodeLedger) -> None:
    ledger.append([entry(1), entry(2), entry(3)])
    with foreign(path) as other:
        other.execute("DROP TRIGGER entries_delete")
        other.execute("DELETE FROM entries WHERE position = 2")
    with pytest.raises(UnreadableEntry, match="version 2"):
        ledger.entries_of("EP-1")


@pytest.mark.sqlite_file
def test_text_of_a_foreign_tool_that_is_no_utf8_stops_the_reader(path: Path, ledger: EpisodeLedger) -> None:
    with foreign(path) as connection:
        connection.execute(
            f"INSERT INTO entries ({COLUMNS}) VALUES"
            " ('EP-1', 1, 'EpisodeOpened', CAST(x'7b2261223a22ff227d' AS TEXT), zeroblob(32))"
        )
    for read in (lambda: ledger.entries_of("EP-1"), lambda: list(ledger.follow(0))):
        with pytest.raises(UnreadableEntry):
            read()


@pytest.mark.sqlite_file
def test_many_processes_may_create_it_at_once(path: Path) -> None:
    code = "import sys; from ledger.store import open_ledger; print(open_ledger(sys.argv[1], create=True).id)"
    opening = [started(code, path) for _ in range(6)]
    ids = {process.communicate(timeout=60)[0] for process in opening}
    assert [process.returncode for process in opening] == [0] * 6
    assert len(ids) == 1


@pytest.mark.sqlite_file
def test_a_trigger_that_somebody_added_is_not_put_up_with(path: Path, ledger: EpisodeLedger) -> None:
    ledger.append([entry(1)])
    ledger.close()
    with foreign(path) as other:
        other.execute("CREATE TRIGGER patients BEFORE INSERT ON entries BEGIN SELECT RAISE(IGNORE); END")
    with pytest.raises(StoreError, match="somebody added the trigger patients"):
        open_ledger(path, create=False)


@pytest.mark.sqlite_file
def test_a_guard_that_is_no_text_any_more_is_told_plainly(path: Path, ledger: EpisodeLedger) -> None:
    ledger.append([entry(1)])
    ledger.close()
    with foreign(path) as other:
        other.execute("PRAGMA writable_schema = ON")
        other.execute("UPDATE sqlite_master SET sql = CAST(sql AS BLOB) WHERE name = 'entries_update'")
    with pytest.raises(StoreError):
        open_ledger(path, create=False)


def test_a_page_of_the_longest_entries_is_small_beside_what_a_command_may_have() -> None:
    """256 MB, of which some 30 are Python's; some commands hold a page, what they make of it, and the next one."""
    assert max(sqlite_recorder.PAGE_ROWS, postgres_recorder.PAGE_ROWS) * LONGEST_LINE_BYTES <= 32 << 20
