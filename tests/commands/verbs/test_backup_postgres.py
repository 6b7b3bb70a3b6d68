"""``backup`` and ``restore`` of a ledger in PostgreSQL: the same kind of file, and both ways between."""

from __future__ import annotations

import signal
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger.keys.cipher import MasterKey
from ledger.recorders import StoreError
from ledger.recorders.by_name.proving import prove
from ledger.recorders.postgres import backup as postgres_backup
from ledger.recorders.postgres.migrate import migrate
from ledger.recorders.sqlite.backup_file import Damaged, tables_of
from ledger.recorders.sqlite.schema import ENCRYPTED, FORMAT
from ledger.store import open_ledger
from tests import stores
from tests.at_once import started
from tests.command_line import ANYWAY, BOOK, COMMAND, INTAKE, SERVED, Ended, assert_plain, example, lines_of, run, told
from tests.place import Place, changed
from tests.proxy import Wire
from tests.tampering import alter
from tests.tiers import many

SAYS = "as it is, even if it is empty"


@pytest.fixture
def kept(made: Place) -> Place:
    """A ledger with the example in it."""
    assert made.run("record", INTAKE).status == 0
    return made


@pytest.fixture
def backup(kept: Place) -> Path:
    """Its backup, taken by the one who records."""
    file = kept.folder / "one.backup"
    ended = kept.run("backup", "--out", file)
    assert (ended.status, ended.out) == (0, b"")
    assert f"Backed up {len(example())} entries of ledger " in ended.err
    return file


@pytest.fixture
def other(tmp_path: Path) -> Place:
    """Another schema, without a ledger."""
    schema = stores.schema_of(tmp_path / "other")
    owner = stores.in_schema(stores.server(), schema)
    with psycopg.connect(stores.server(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")  # type: ignore[call-overload]
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {stores.ROLE}")  # type: ignore[call-overload]
    (tmp_path / "other").mkdir()
    return Place(schema, owner, stores.as_role(owner), tmp_path / "other")


def content(name: str | Path) -> tuple[object, ...]:
    with open_ledger(name, create=False) as ledger:
        end = ledger.position()
        return ledger._entries.about(), list(ledger.scan()), ledger.seal_at(end), ledger.extents(end)


def things_in(place: Place) -> int:
    """How many tables, indexes and functions a schema has."""
    ((relations, functions),) = place.sql(
        f"SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = '{place.schema}'::regnamespace),"
        f" (SELECT count(*) FROM pg_proc WHERE pronamespace = '{place.schema}'::regnamespace)"
    )
    return int(relations + functions)


def reading(name: str | Path, folder: Path, *command: object) -> Ended:
    ended = run("--ledger", str(name), "--views", folder, "--book", BOOK, *command)
    assert ended.status == 0, ended
    return ended


# There and back


def test_from_postgres_into_a_file_and_a_schema_it_stays_the_same_ledger(kept: Place, other: Place) -> None:
    folder, key, old = kept.folder, kept.folder / "key", kept.folder / "old.checkpoint"
    assert kept.run("checkpoint", "--init-key", "--key", key).status == 0
    assert kept.run("checkpoint", "--out", old, "--key", key).status == 0
    more = lines_of([told("later", SERVED | {"date": "2026-02-20"}), told("a", SERVED, episode="EP-none")])
    assert kept.run("record", "-", stdin=more).status == 1  # the second was refused
    assert kept.run("close", "2026-01", *ANYWAY).status == 0  # an act of the house
    assert kept.run("backup", "--out", folder / "b").status == 0
    restored = folder / "restored.db"
    assert kept.run("restore", folder / "b", "--out", restored).status == 0
    ended = kept.run("restore", folder / "b", "--out", other.owner)
    assert (ended.status, ended.out) == (0, b"")
    assert f"schema {other.schema}, and proved: {len(example()) + 2} entries of ledger " in ended.err
    assert "migrate --runtime-role" in ended.err
    assert other.run("migrate", "--runtime-role", stores.ROLE, url=other.owner).status == 0
    names = (kept.recorder, str(restored), other.recorder)
    found, days = [], []
    for number, name in enumerate(names):
        (views := folder / f"views-{number}").mkdir()
        days.append(reading(name, views, "days").out)
        (status,) = reading(name, views, "status", "--format", "json").rows
        found.append((content(name), status["fingerprints"]))
        signed = reading(name, views, "verify", "--checkpoint", old, "--signer", Path(f"{key}.pub").read_text().strip())
        assert [row["result"] for row in signed.rows] == ["holds", "holds"]
    assert found[0] == found[1] == found[2]
    assert days[0] == days[1] == days[2] != b""


def test_a_files_backup_is_put_into_postgres_and_recording_goes_on(place: Place, tmp_path: Path) -> None:
    """As when a file is outgrown; and the other way again."""
    file, out, back = tmp_path / "ledger.db", tmp_path / "b", tmp_path / "b2"
    assert run("--ledger", str(file), "record", INTAKE).status == 0
    assert run("--ledger", str(file), "backup", "--out", out).status == 0
    assert place.run("restore", out, url=place.owner).status == 0
    assert_plain(place.run("days"), 2, "there is no ledger in that database and schema that this user may see")
    assert place.run("migrate", "--runtime-role", stores.ROLE, url=place.owner).status == 0
    assert content(place.recorder) == content(str(file))
    more = lines_of([*example(), told("later", SERVED | {"date": "2026-02-20"})])
    outcomes = [row["outcome"] for row in place.run("record", "-", stdin=more).rows]
    assert outcomes == ["duplicate"] * len(example()) + ["recorded"]
    assert place.run("verify").status == 0
    assert place.run("backup", "--out", back).status == 0
    assert run("--ledger", str(tmp_path / "back.db"), "restore", back).status == 0
    assert content(str(tmp_path / "back.db")) == content(place.recorder)


def test_the_backup_is_the_very_kind_of_file_that_a_file_gives(kept: Place, backup: Path, tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    assert run("--ledger", str(file), "record", INTAKE).status == 0
    assert run("--ledger", str(file), "backup", "--out", tmp_path / "two.backup").status == 0
    described = []
    for each in (backup, tmp_path / "two.backup"):
        with closing(sqlite3.connect(each)) as opened:
            described.append(
                [opened.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "journal_mode", "encoding")]
                + opened.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
            )
    assert described[0] == described[1]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_a_check_says_what_a_backup_holds_and_nothing_is_left_beside(kept: Place, backup: Path) -> None:
    before = sorted(kept.folder.iterdir())
    ended = kept.run("restore", "--check", backup)
    assert f"The backup is good: {len(example())} entries of ledger " in ended.err
    assert "migrate" not in ended.err
    assert sorted(kept.folder.iterdir()) == before
    assert [path.name for path in before if path.name.startswith(".")] == []


@pytest.mark.parametrize("encrypted", [False, True])
def test_every_table_and_column_of_a_ledger_is_copied(place: Place, encrypted: bool) -> None:
    """One that is added to the tables and forgotten here would be lost on the way."""
    stores.migrated(place.owner, stores.ROLE, MasterKey(bytes(32)).id if encrypted else "")
    columns = place.sql(
        "SELECT table_name, column_name FROM information_schema.columns"
        f" WHERE table_schema = '{place.schema}' AND table_name NOT IN ('schema_versions', 'turn')"
        " ORDER BY 1, ordinal_position"
    )
    copied = tables_of(ENCRYPTED if encrypted else FORMAT)
    assert {(table, column) for table, listed in copied.items() for column in listed} == set(columns)
    assert ("keys" in copied) == encrypted


def test_an_encrypted_ledger_goes_there_and_back_with_its_keys(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a backup nor a restore needs the master key; reading does."""
    monkeypatch.chdir(tmp_path)  # where the list of what was given out is, for a ledger in no file
    (house := tmp_path / "house").mkdir()
    key, file, back = tmp_path / "away" / "key", house / "ledger.db", house / "back.db"
    assert run("--ledger", str(file), "master-key", key).status == 0
    named = {"EPISODE_MASTER_KEY_FILE": str(key)}
    assert run("--ledger", str(file), "record", INTAKE, env=named).status == 0
    days = run("--ledger", str(file), "--book", BOOK, "days", env=named).out
    assert days.count(b"EP-1") == 3
    for name, other in ((str(file), place.owner), (place.owner, str(back))):
        out = tmp_path / f"{Path(other).name[:4]}.backup"
        assert run("--ledger", name, "backup", "--out", out).status == 0
        assert run("restore", out, "--out", other).status == 0
    assert place.run("migrate", "--runtime-role", stores.ROLE, url=place.owner, env=named).status == 0
    assert place.run("days", env=named).out == days
    assert run("--ledger", str(back), "--book", BOOK, "days", env=named).out == days
    assert place.run("days").status != 0
    kept = sorted(place.sql("SELECT id, episode, wrapped FROM keys"))
    with closing(sqlite3.connect(file)) as one, closing(sqlite3.connect(back)) as two:
        for each in (one, two):
            assert sorted(each.execute("SELECT id, episode, wrapped FROM keys").fetchall()) == kept


def test_an_empty_ledger_keeps_its_id(made: Place, other: Place) -> None:
    assert made.run("backup", "--out", made.folder / "b").status == 0
    assert made.run("restore", made.folder / "b", "--out", other.owner).status == 0
    assert content(other.owner) == content(made.owner)
    assert content(made.owner)[1] == []


def test_letters_of_any_script_come_over_whatever_the_surroundings_say(made: Place, other: Place) -> None:
    latin = {"PGCLIENTENCODING": "LATIN1"}
    assert made.run("record", "-", stdin=lines_of(example(episode="Ж-☃", patient="患者"))).status == 0
    assert made.run("backup", "--out", made.folder / "b", env=latin).status == 0
    assert made.run("restore", made.folder / "b", "--out", other.owner, env=latin).status == 0
    assert content(other.owner) == content(made.owner)


def test_it_is_told_how_far_it_came(kept: Place, other: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_backup, "_PAGE_ROWS", 1)
    all_of_it = len(example())
    for work in (
        lambda tell: postgres_backup.backup(kept.recorder, kept.folder / "b", "2026-11-23T00:00:00Z", tell),
        lambda tell: postgres_backup.restore(kept.folder / "b", other.owner, tell),
    ):
        steps: list[tuple[int, int]] = []
        held = work(lambda done, of, steps=steps: steps.append((done, of)))
        assert held.entries == all_of_it
        assert steps == sorted(steps)
        assert (steps[0], steps[-1]) == ((1, all_of_it), (all_of_it, all_of_it))


# While others record


WRITER = """
import itertools, sys
from commands.writing.handle import Recorder
from ledger.store import open_ledger
from tests.builders import SERVED, line, opened
with open_ledger(sys.argv[1], create=False) as ledger:
    recorder = Recorder(ledger)
    for number in itertools.count():
        episode = f"EP-{sys.argv[2]}-{number}"
        recorder.handle([line("a", opened(patient=f"P-{number}"), episode), line("b", SERVED, episode)])
        recorder.handle([line("c", SERVED, episode)])
"""
BACKUPS = many(8, 30)


def test_a_backup_while_four_writers_record_is_whole_and_not_older_than_its_beginning(made: Place) -> None:
    """Each is restored into a file, proved, and compared with the ledger up to where it ends."""
    file, restored = made.folder / "b", made.folder / "restored.db"
    writing = [started(WRITER, made.recorder, number) for number in range(4)]
    good = during = 0
    try:
        with open_ledger(made.recorder, create=False) as live:
            while live.position() < 40:
                time.sleep(0.01)
            for _ in range(BACKUPS):
                before = live.position()
                assert made.run("backup", "--out", file).status == 0
                during += live.position() > before
                assert run("--ledger", str(restored), "restore", file).status == 0
                report = prove(str(restored))
                with open_ledger(restored, create=False) as copy:
                    end = copy.position()
                    same = copy.seal_at(end) == live.seal_at(end) and list(copy.scan()) == list(live.scan(0, end))
                good += report.holds and before <= end == report.entries and same
                for each in made.folder.glob("restored.db*"):
                    each.unlink()
                file.unlink()
    finally:
        for process in writing:
            process.kill()
            process.wait(60)
    assert (good, during) == (BACKUPS, BACKUPS)


def recording(kept: Place) -> Callable[[int, int], None]:
    """Told of the first row that was copied, it records another episode."""
    more = [lines_of(example(episode="EP-2", patient="P-2"))]

    def records(done: int, of: int) -> None:
        if more:
            assert kept.run("record", "-", stdin=more.pop()).status == 0

    return records


def test_an_entry_recorded_meanwhile_is_not_in_it(kept: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_backup, "_PAGE_ROWS", 1)
    held = postgres_backup.backup(kept.recorder, kept.folder / "b", "2026-11-23T00:00:00Z", recording(kept))
    assert held.entries == len(example())
    with open_ledger(kept.recorder, create=False) as ledger:
        assert ledger.position() == 2 * len(example())


def test_rows_of_several_moments_would_be_seen_and_not_named(kept: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the two before: a transaction that sees what others commit meanwhile."""
    monkeypatch.setattr(postgres_backup, "_PAGE_ROWS", 1)
    monkeypatch.setattr(postgres_backup, "one_moment", postgres_backup._in_one_go)
    with pytest.raises(Damaged, match=f"it was made with {len(example())}, or with others"):
        postgres_backup.backup(kept.recorder, kept.folder / "b", "2026-11-23T00:00:00Z", recording(kept))
    assert not (kept.folder / "b").exists()


# What is refused


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET state = replace(state, 'rn-1', 'rn-2')",
        "DELETE FROM entries WHERE position = (SELECT max(position) FROM entries)",
        "UPDATE patients SET patient = 'P-9'",
        "UPDATE ledger SET value = 'f' || substr(value, 2) WHERE key = 'id'",
        "UPDATE backup SET value = '' WHERE key = 'head'",
        "DROP TABLE backup",
        "SELECT 1",
    ],
)
def test_a_damaged_backup_is_refused_and_nothing_is_left(
    kept: Place, other: Place, backup: Path, statement: str
) -> None:
    alter(backup, statement)
    ended = kept.run("restore", backup, "--out", other.owner)
    assert_plain(ended, 1, "is damaged", "nothing was restored")
    assert things_in(other) == 0


def test_what_did_not_arrive_as_it_was_is_seen_before_the_commit(
    kept: Place, other: Place, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are proved once more as they stand in the server."""
    puts = postgres_backup._put

    def loses(connection: Any, table: str, listed: str, rows: Any, count: Any) -> None:
        puts(connection, table, listed, list(rows)[: -1 if table == "entries" else None], count)

    monkeypatch.setattr(postgres_backup, "_put", loses)
    assert_plain(kept.run("restore", backup, "--out", other.owner), 1, f"it has {len(example()) - 1} entries")
    assert things_in(other) == 0


def test_a_ledger_that_is_there_is_left_as_it_is(kept: Place, other: Place, backup: Path) -> None:
    before = content(kept.owner)
    assert_plain(kept.run("restore", backup, url=kept.owner), 2, SAYS, str(before[0]["id"]))  # type: ignore[index]
    assert content(kept.owner) == before
    empty = migrate(other.owner).ledger_id
    assert_plain(kept.run("restore", backup, "--out", other.owner), 2, SAYS, empty, "do not run migrate before")
    assert content(other.owner)[1] == []


def test_another_programs_tables_are_left_alone(kept: Place, other: Place, backup: Path) -> None:
    other.as_owner("CREATE TABLE patients (a int)")
    assert_plain(kept.run("restore", backup, "--out", other.owner), 3, "are there already and are no ledger")
    assert other.sql("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()") == [("patients",)]


def test_of_several_that_restore_at_once_one_does(kept: Place, other: Place, backup: Path) -> None:
    racing = [started(COMMAND, "restore", backup, "--out", other.owner) for _ in range(4)]
    said = [process.communicate(timeout=60)[1] for process in racing]
    assert sorted(process.returncode for process in racing) == [0, 2, 2, 2], said
    assert sum(SAYS in text for text in said) == 3
    assert content(other.owner) == content(kept.owner)


def test_who_may_not_make_tables_is_told_so(kept: Place, other: Place, backup: Path) -> None:
    assert_plain(kept.run("restore", backup, "--out", other.recorder), 3, "this user may not do that")
    assert things_in(other) == 0


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"password": "s3cret-w0rd"}, "refused the user or the password"),
        ({"port": "1", "password": "s3cret-w0rd"}, "cannot be reached"),
        ({"path": "/no-such-database"}, "no such database"),
    ],
)
def test_a_wrong_url_is_told_in_one_line_without_its_password(
    kept: Place, backup: Path, parts: dict[str, str], words: str
) -> None:
    wrong = changed(kept.owner, **parts)
    for ended in (
        kept.run("backup", "--out", kept.folder / "b", url=wrong),
        kept.run("restore", backup, "--out", wrong),
        kept.run("restore", backup, url=wrong),
    ):
        assert_plain(ended, 3, words)
        assert "s3cret" not in ended.err
        assert (stores.urlsplit(kept.owner).password or "?") not in ended.err
    assert not (kept.folder / "b").exists()


def test_a_url_where_a_file_belongs_is_refused_without_repeating_it(kept: Place, backup: Path) -> None:
    url = "postgresql://owner:s3cret@h/d"
    for command in (["backup", "--out", url], ["restore", url], ["restore", "--check", url]):
        ended = kept.run(*command)
        assert_plain(ended, 2, "is a file; a URL names the ledger")
        assert "s3cret" not in ended.err
    assert_plain(kept.run("restore", backup, "--out", "postgres://u:s3cret@h/x?nonsense=1"), 2, "not one PostgreSQL")


def test_what_is_no_ledger_or_no_backup_is_said_plainly(kept: Place, place: Place, other: Place, backup: Path) -> None:
    out = kept.folder / "b"
    assert_plain(kept.run("backup", "--out", out, url=other.owner), 2, "there is no ledger")
    assert_plain(kept.run("backup", "--out", backup), 2, "is there already")
    assert_plain(kept.run("backup", "--out", kept.folder / "none" / "b"), 2, "does not exist")
    nowhere = stores.in_schema(stores.server(), "no_such_schema")
    assert_plain(kept.run("restore", backup, "--out", nowhere), 3, "the schema that the URL names is not there")
    dump = kept.folder / "dump"
    dump.write_text("-- PostgreSQL database dump")
    assert_plain(kept.run("restore", dump, "--out", other.owner), 2, "no SQLite file")
    assert things_in(other) == 0
    assert not out.exists()


def test_a_ledger_that_does_not_hold_gets_no_backup(kept: Place) -> None:
    for statement in (
        "ALTER TABLE entries DISABLE TRIGGER USER",
        "UPDATE entries SET originator_version = 99 WHERE position = 3",
        "ALTER TABLE entries ENABLE TRIGGER USER",
    ):
        kept.as_owner(statement)
    assert_plain(kept.run("backup", "--out", kept.folder / "b"), 1, "entry 3 was", "no backup was made")
    kept.as_owner("DROP TRIGGER entry_follows ON entries")
    assert_plain(kept.run("backup", "--out", kept.folder / "b"), 3, "the ledger was altered")
    assert not (kept.folder / "b").exists()


# What ends in the middle


def test_a_server_that_ends_the_connection_leaves_nothing(
    kept: Place, other: Place, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_backup, "_PAGE_ROWS", 1)
    ours = f"application_name={kept.schema}"
    ended: list[object] = []

    def ends(done: int, of: int) -> None:
        if done == 3:
            theirs = f"FROM pg_stat_activity WHERE application_name = '{kept.schema}'"
            ended.extend(kept.sql(f"SELECT pg_terminate_backend(pid) {theirs}"))

    for work in (
        lambda: postgres_backup.backup(f"{kept.recorder}&{ours}", kept.folder / "b", "2026-11-23T00:00:00Z", ends),
        lambda: postgres_backup.restore(backup, f"{other.owner}&{ours}", ends),
    ):
        with pytest.raises(StoreError, match=r"lost|stopped"):
            work()
    assert ended == [(True,), (True,)]
    assert things_in(other) == 0
    assert [path.name for path in kept.folder.iterdir() if path.name in ("b",) or path.name.startswith(".")] == []


KILLED = """
import os, signal, sys
from pathlib import Path
from ledger.keys.cipher import MasterKey
from ledger.recorders import StoreError
from ledger.recorders.postgres import backup as postgres_backup
def dies(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
verb, when, url, file = sys.argv[1:]
tell = (lambda done, of: dies() if done == of else None) if when == "rows" else (lambda done, of: None)
if when == "proof":
    postgres_backup.refuse_unlike = dies
if verb == "backup":
    postgres_backup.backup(url, Path(file), "2026-11-23T00:00:00Z", tell)
postgres_backup.restore(Path(file), url, tell)
"""


@pytest.mark.parametrize("when", ["rows", "proof"])
def test_a_restore_that_is_killed_leaves_no_table_and_can_be_done_again(
    kept: Place, other: Place, backup: Path, when: str
) -> None:
    assert started(KILLED, "restore", when, other.owner, backup).wait(60) == -signal.SIGKILL
    assert things_in(other) == 0
    assert kept.run("restore", backup, "--out", other.owner).status == 0
    assert content(other.owner) == content(kept.owner)


def test_a_backup_that_is_killed_has_no_name(kept: Place) -> None:
    file = kept.folder / "b"
    assert started(KILLED, "backup", "rows", kept.recorder, file).wait(60) == -signal.SIGKILL
    assert not file.exists()
    assert kept.run("backup", "--out", file).status == 0


@pytest.mark.parametrize(("when", "stands"), [("after", True), ("before", False)])
def test_where_the_answer_to_the_commit_is_lost_the_next_try_tells(
    kept: Place, other: Place, backup: Path, when: Any, stands: bool
) -> None:
    with Wire(other.owner) as wire, pytest.raises(StoreError, match="connection to the ledger's server was lost"):
        postgres_backup.restore(backup, wire.url, lambda done, of: wire.break_(when))
    again = kept.run("restore", backup, "--out", other.owner)
    assert again.status == (2 if stands else 0)
    assert (SAYS in again.err) == stands
    assert content(other.owner) == content(kept.owner)


# The server's log


def test_nothing_of_a_patient_gets_into_the_servers_log(tmp_path: Path) -> None:
    """Not even where every statement is logged with its values, and where the server cannot keep a value."""
    marked = example(episode="EP-MARKED", patient="P-MARKED")
    ledger, file = tmp_path / "ledger.db", tmp_path / "b"
    assert run("--ledger", str(ledger), "record", "-", stdin=lines_of(marked)).status == 0
    assert run("--ledger", str(ledger), "backup", "--out", file).status == 0
    with stores.passing_server("-c", "log_statement=all") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            log = Path(connection.execute("SHOW data_directory").fetchone()[0]).parent / "log"  # type: ignore[index]
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(postgres_backup, "_put", with_a_nul)
            refused = run("restore", file, "--out", url)
        assert_plain(refused, 3, "cannot keep a value")
        assert run("restore", file, "--out", url).status == 0
        assert run("--ledger", url, "backup", "--out", tmp_path / "b2").status == 0
        written = log.read_text()
    assert written.count("COPY entries") >= 2
    assert "ERROR:" in written
    assert "MARKED" not in written


PUT = postgres_backup._put


def with_a_nul(connection: Any, table: str, listed: str, rows: Any, count: Any) -> None:
    """As if an episode's name had a character in it that PostgreSQL keeps in no text."""
    spoiled = ((*row[:1], f"{row[1]}\0", *row[2:]) for row in rows)
    PUT(connection, table, listed, spoiled if table == "entries" else rows, count)
