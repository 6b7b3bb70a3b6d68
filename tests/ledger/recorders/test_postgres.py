"""A ledger in PostgreSQL: who may do what, what is refused, what is said when something is wrong."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from commands.writing.decide import Duplicate
from commands.writing.handle import Recorded, Recorder
from ledger.recorders import NoLedger, NotRecorded, StoreError, WrongPath
from ledger.recorders.postgres import pool as postgres_pool
from ledger.recorders.postgres import schema as postgres_schema
from ledger.recorders.postgres.migrate import migrate
from ledger.recorders.postgres.url import file_stem, shown
from ledger.recorders.warnings import warnings_of
from ledger.store import EpisodeLedger, RecordConflictError, open_ledger
from tests import stores
from tests.at_once import started
from tests.builders import SERVED, entry, line, opened
from tests.command_line import BOOK, COMMAND, INTAKE, assert_plain, run
from tests.place import Place, changed, place_of

# Making it


def test_migrating_makes_a_ledger_once_and_lets_a_role_record(place: Place) -> None:
    first = place.run("migrate", "--runtime-role", stores.ROLE, url=place.owner)
    assert (first.status, first.err) == (0, "")
    assert first.out.startswith(b"Made the ledger ")
    assert f"in schema {place.schema}, tables of version 2.".encode() in first.out
    assert b"The role recorder may record and read, and change nothing." in first.out
    again = place.run("migrate", url=place.owner)
    assert (again.status, again.out.replace(b"The ledger is there already:", b"Made the ledger")) == (
        0, first.out.splitlines(keepends=True)[0],
    )  # fmt: skip
    assert place.sql("SELECT version, applied_at IS NOT NULL FROM schema_versions") == [(2, True)]
    assert place.run("record", INTAKE).status == 0


def test_a_file_needs_no_migrating(tmp_path: Path) -> None:
    assert_plain(run("--ledger", tmp_path / "ledger.db", "migrate"), 2, "in a file by itself")


def test_nothing_makes_a_ledger_but_migrating(place: Place) -> None:
    for command in (["record", INTAKE], ["days"], ["verify"], ["rebuild"]):
        assert_plain(place.run(*command, url=place.owner), 2, "there is no ledger", "migrate")
    assert place.sql(f"SELECT tablename FROM pg_tables WHERE schemaname = '{place.schema}'") == []


def test_of_several_that_migrate_at_once_one_makes_it(place: Place) -> None:
    racing = [started(COMMAND, "--ledger", place.owner, "migrate", "--runtime-role", stores.ROLE) for _ in range(4)]
    said = [process.communicate(timeout=60)[0] for process in racing]
    assert [process.returncode for process in racing] == [0] * 4
    assert sorted(text.startswith("Made") for text in said) == [False, False, False, True]


def test_a_schema_may_be_called_anything(place: Place) -> None:
    with psycopg.connect(stores.server(), autocommit=True) as owner:
        owner.execute('CREATE SCHEMA "West Wing"')
        try:
            url = stores.in_schema(stores.server(), '"West\\ Wing"')
            assert place.run("migrate", url=url).status == 0
            assert place.run("record", INTAKE, url=url).status == 0
            assert place.run("verify", url=url).status == 0
        finally:
            owner.execute('DROP SCHEMA "West Wing" CASCADE')


def test_tables_of_another_program_are_left_alone(place: Place) -> None:
    place.as_owner("CREATE TABLE entries (a int)")
    assert_plain(place.run("migrate", url=place.owner), 3, "are there already and are no ledger")
    assert place.sql("SELECT count(*) FROM entries") == [(0,)]


def test_who_may_not_make_tables_is_told_so(place: Place) -> None:
    place.as_owner(f"GRANT USAGE ON SCHEMA {place.schema} TO {stores.ROLE}")
    assert_plain(place.run("migrate"), 3, "this user may not do that")


# Who may do what


def test_insert_select_and_the_lock_of_a_row_are_all_that_recording_and_reading_need(made: Place) -> None:
    assert made.run("record", INTAKE).status == 0
    assert len(made.run("days").rows) == 3
    granted = made.sql(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
        f" WHERE table_schema = '{made.schema}' AND grantee = '{stores.ROLE}'"
    )
    assert sorted(granted) == [
        ("entries", "INSERT"), ("entries", "SELECT"), ("ledger", "SELECT"), ("patients", "INSERT"),
        ("patients", "SELECT"), ("schema_versions", "SELECT"), ("turn", "SELECT"), ("turn", "UPDATE"),
    ]  # fmt: skip


CHANGES = [
    "UPDATE entries SET state = '{}'",
    "UPDATE entries SET position = 9 WHERE position = 1",
    "DELETE FROM entries",
    "DELETE FROM entries WHERE position = 2",
    "TRUNCATE entries",
    "UPDATE patients SET patient = 'P-2'",
    "DELETE FROM patients",
    "TRUNCATE patients",
    "UPDATE ledger SET value = 'x'",
    "DELETE FROM ledger",
    "UPDATE schema_versions SET version = 3",
    "INSERT INTO patients VALUES ('P-1', 'EP-1') ON CONFLICT (patient, episode) DO UPDATE SET patient = 'P-9'",
]
ADDITIONS = [
    "INSERT INTO entries SELECT 9, 'EP-1', 3, topic, state, seal FROM entries WHERE position = 1",
    "INSERT INTO entries SELECT 3, 'EP-1', 4, topic, state, seal FROM entries WHERE position = 1",
    "INSERT INTO entries SELECT 3, 'EP-2', 0, topic, state, seal FROM entries WHERE position = 1",
    "INSERT INTO entries SELECT * FROM entries WHERE position = 1",
    "INSERT INTO entries SELECT 3, 'EP-1', 3, topic, state, '' FROM entries WHERE position = 1",
]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, EpisodeLedger]]:
    """A ledger with two entries, for all who try in vain to change it."""
    place = place_of(tmp_path_factory.mktemp("settled"))
    stores.migrated(place.owner)
    with open_ledger(place.recorder, create=False) as ledger:
        ledger.append([entry(1), entry(2)], [("P-1", "EP-1")])
        yield place, ledger


@pytest.mark.parametrize("statement", [*CHANGES, *ADDITIONS])
def test_the_past_cannot_be_changed_not_even_by_its_owner(settled: tuple[Place, EpisodeLedger], statement: str) -> None:
    place, ledger = settled
    before = list(ledger.scan()), ledger.patients_of("EP-1"), ledger._entries.about()
    assert len(before[0]) == 2
    for url in (place.owner, place.recorder):
        with pytest.raises((psycopg.errors.IntegrityError, psycopg.errors.InsufficientPrivilege)):
            place.sql(statement, url)
    assert (list(ledger.scan()), ledger.patients_of("EP-1"), ledger._entries.about()) == before


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE notes (a int)",
        "DROP TABLE entries",
        "ALTER TABLE entries DISABLE TRIGGER ALL",
        "DROP TRIGGER entry_follows ON entries",
        "INSERT INTO ledger VALUES ('a', 'b')",
        "UPDATE entries SET state = ''",
        "TRUNCATE entries",
    ],
)
def test_who_records_may_not_even_try(settled: tuple[Place, EpisodeLedger], statement: str) -> None:
    place, _ = settled
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        place.sql(statement, place.recorder)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER entries_unchanged ON entries",
        "ALTER TABLE entries DISABLE TRIGGER entry_follows",
        "ALTER TABLE patients ENABLE REPLICA TRIGGER patients_unchanged",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE OR REPLACE TRIGGER entries_unchanged BEFORE UPDATE ON entries"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ],
)
def test_a_ledger_that_lost_a_guard_is_not_opened(made: Place, statement: str) -> None:
    made.run("record", INTAKE)
    made.as_owner(statement)
    assert_plain(made.run("days"), 3, "the ledger was altered")
    told = made.run("verify")
    assert told.status == 1
    assert "Not as it was created" in told.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "UPDATE entries SET state = state || ' ' WHERE position = 5",
            "Entry 5 was changed",
        ),
        ("DELETE FROM entries WHERE position = 7", "Entry 7 is missing"),
        ("UPDATE patients SET patient = 'P-9'", "the table of patients"),
    ],
)
def test_what_an_owner_changed_behind_the_guards_is_found_by_verify(made: Place, change: str, words: str) -> None:
    made.run("record", INTAKE)
    assert made.run("verify").rows[0]["result"] == "holds"
    table = change.split()[2 if change.startswith("DELETE") else 1]
    for statement in (f"ALTER TABLE {table} DISABLE TRIGGER USER", change, f"ALTER TABLE {table} ENABLE TRIGGER USER"):
        made.as_owner(statement)
    told = made.run("verify")
    assert told.status == 1
    assert words.lower() in told.err.lower()


def test_other_versions_are_not_touched(made: Place) -> None:
    made.as_owner("INSERT INTO schema_versions (version) VALUES (3)")
    assert_plain(made.run("record", INTAKE), 3, "tables have version 3", "update the program")
    assert_plain(made.run("migrate", url=made.owner), 3, "tables have version 3")


# What the server must be


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server whose settings may be turned, without data checksums, with a ledger in it."""
    with stores.passing_server("--no-checksums") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE recorder LOGIN PASSWORD 'recorder'")
        migrate(url, stores.ROLE)
        yield Place("public", url, stores.as_role(url), tmp_path_factory.mktemp("views"))


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_may_lose_what_it_acknowledged_is_refused(own_server: Place, setting: str) -> None:
    with open_ledger(own_server.recorder, create=False) as ledger:
        turn(own_server, f"{setting} = off")
        try:
            assert_plain(own_server.run("days"), 3, f"{setting} = off", "could be lost")
            with pytest.raises(StoreError, match=f"{setting} = off"):  # it was opened before
                ledger.append([entry(1, "EP-9")])
        finally:
            turn(own_server, f"{setting} = on")
        assert ledger.position() == 0


def turn(place: Place, setting: str) -> None:
    name, value = setting.split(" = ")
    place.as_owner(f"ALTER SYSTEM SET {setting}")
    place.as_owner("SELECT pg_reload_conf()")
    while place.sql(f"SHOW {name}") != [(value,)]:
        pass


@pytest.mark.parametrize("value", ["off", "local", "remote_write"])
def test_a_commit_that_is_not_waited_for_is_refused(made: Place, value: str) -> None:
    lax = made.recorder + f"%20-csynchronous_commit%3D{value}"
    assert_plain(made.run("record", INTAKE, url=lax), 3, f"synchronous_commit = {value}")
    assert made.sql("SELECT count(*) FROM entries") == [(0,)]


def test_a_server_without_data_checksums_is_warned_of(own_server: Place, made: Place) -> None:
    warned = own_server.run("status")
    assert (warned.status, "without data checksums" in warned.err) == (0, True)
    assert warned.rows[0]["settings"]["data_checksums"] == "off"
    asked = own_server.run("doctor", "--format", "json")
    assert [row["state"] for row in asked.rows if row["check"] == "server"] == ["warn"]
    good = made.run("status")
    assert (good.status, good.err, good.rows[0]["settings"]["data_checksums"]) == (0, "", "on")
    assert warnings_of({"data_checksums": "on"}) == []


def test_statements_and_locks_have_timeouts(made: Place) -> None:
    settings = made.run("status").rows[0]["settings"]
    assert (settings["lock_timeout"], settings["statement_timeout"]) == ("1min", "10min")


def test_who_waits_too_long_for_a_turn_is_told_and_nothing_is_recorded(
    made: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_pool, "SESSION", (*postgres_pool.SESSION, "SET lock_timeout = '50ms'"))
    with open_ledger(made.recorder, create=False) as ledger, psycopg.connect(made.owner) as other:
        other.execute(postgres_schema.TAKE_TURN)
        with pytest.raises(NotRecorded, match="kept locked"):
            ledger.append([entry(1)])
        other.rollback()
        assert ledger.append([entry(1)]) == [1]


# What is said


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"password": "s3cret-w0rd"}, "refused the user or the password"),
        ({"user": "nobody-here", "password": "s3cret-w0rd"}, "refused the user or the password"),
        ({"port": "1", "password": "s3cret-w0rd"}, "cannot be reached"),
        ({"host": "no-such-host.invalid", "password": "s3cret-w0rd"}, "cannot be reached"),
        ({"path": "/no-such-database"}, "no such database"),
    ],
)
@pytest.mark.parametrize("command", ["record", "days", "verify", "migrate"])
def test_a_wrong_url_is_told_in_one_line_without_its_password(
    made: Place, command: str, parts: dict[str, str], words: str
) -> None:
    args = [command, INTAKE] if command == "record" else [command]
    ended = made.run(*args, url=changed(made.recorder, **parts))
    assert_plain(ended, 3, words)
    assert "s3cret" not in ended.err
    assert "recorder:recorder" not in ended.err


@pytest.mark.parametrize("url", ["postgresql://a:s3cret@[", "postgres://u:s3cret@h:p:q/x?nonsense=1"])
def test_a_url_that_is_none_is_told_without_repeating_it(tmp_path: Path, url: str) -> None:
    ended = run("--ledger", url, "--views", tmp_path, "days")
    assert_plain(ended, 2, "not one PostgreSQL understands")
    assert "s3cret" not in ended.err
    with pytest.raises(WrongPath):
        open_ledger(url, create=False)


def test_a_schema_that_is_not_there_or_not_ones_own_is_told(place: Place) -> None:
    nowhere = stores.in_schema(stores.server(), "no_such_schema")
    assert_plain(place.run("days", url=nowhere), 2, "there is no ledger")
    assert_plain(place.run("migrate", url=nowhere), 3, "schema")
    migrate(place.owner)
    with pytest.raises(NoLedger):
        open_ledger(place.recorder, create=False)


def test_status_and_certificates_name_the_ledger_without_its_password(made: Place) -> None:
    made.run("record", INTAKE)
    assert made.run("rebuild").status == 0
    told = made.run("status", "--format", "table")
    assert told.status == 0
    assert f"schema {made.schema}" in " ".join(told.out.decode().split())  # the table folds it
    secret = stores.urlsplit(made.owner).password
    kept = b"".join(path.read_bytes() for path in made.folder.rglob("*") if path.is_file())
    for seen in (told.out, made.run("status", url=made.owner).out, kept):
        assert b"recorder:recorder" not in seen
        assert secret.encode() not in seen


def test_the_read_model_is_named_after_database_and_schema(made: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    made.run("record", INTAKE)
    made.run("days")
    assert (made.folder / f"ledgers.{made.schema}.views.db").exists()
    monkeypatch.chdir(made.folder)
    assert run("--ledger", made.recorder, "--book", BOOK, "days").status == 0
    other = made.folder / "elsewhere"
    other.mkdir()
    asked = run("--book", BOOK, "days", env={"EPISODE_LEDGER": made.recorder, "EPISODE_VIEWS": str(other)})
    assert (asked.status, (other / f"ledgers.{made.schema}.views.db").exists()) == (0, True)


@pytest.mark.parametrize(
    ("url", "stem", "name"),
    [
        ("postgresql://u:p@h:5/pharmacy", "pharmacy", "postgresql://u@h:5/pharmacy"),
        ("postgres://h/a%2Fb%20..c", "a_b___c", "postgresql://h/a/b ..c"),
        ("postgresql://u:p%40x@h", "u", "postgresql://u@h/u"),
        ("postgresql:///?host=/run&dbname=d&password=p", "d", "postgresql:///run/d"),
        ("postgresql://h/d?options=-csearch_path%3Dwest", "d.west", "postgresql://h/d, schema west"),
    ],
)
def test_names_that_come_from_a_url_are_safe_and_bear_no_password(url: str, stem: str, name: str) -> None:
    assert (file_stem(url), shown(url)) == (stem, name)


# Several at once


def test_eight_writers_of_their_own_and_of_one_episode_lose_and_double_nothing(made: Place) -> None:
    with open_ledger(made.recorder, create=False) as ledger:
        Recorder(ledger).handle([line("a", opened())])
        writing = [started(EIGHTH, made.recorder, number) for number in range(8)]
        assert [process.wait(timeout=120) for process in writing] == [0] * 8
        entries = ledger.entries_of("EP-1")
        assert Counter(each.id for each in entries) == {"a": 1} | {f"{w}-{n}": 1 for w in range(8) for n in range(25)}
        assert [position for position, _ in ledger.follow(0)] == list(range(1, 1 + 8 * 26 + 1))
        assert made.run("verify").status == 0


EIGHTH = """
import sys
from commands.writing.handle import Recorder
from ledger.store import open_ledger
from tests.builders import SERVED, line, opened
name = sys.argv[2]
with open_ledger(sys.argv[1], create=False) as ledger:
    recorder = Recorder(ledger)
    recorder.handle([line("a", opened(), f"EP-own-{name}")])
    for number in range(25):
        recorder.handle([line(f"{name}-{number}", SERVED)])
"""


def test_two_writers_of_one_version_conflict_and_the_second_decides_afresh(made: Place) -> None:
    with open_ledger(made.recorder, create=False) as one, open_ledger(made.recorder, create=False) as other:
        one.append([entry(1)])
        other.append([entry(2)])
        with pytest.raises(RecordConflictError):
            one.append([entry(1, "EP-2"), entry(2)])
        assert (one.position(), one.entries_of("EP-2")) == (2, [])


def own(place: Place) -> str:
    """The recorder's URL with a name for its connections: a run's other tests are on the same server."""
    return f"{place.recorder}&application_name={place.schema}"


def connections(place: Place, what: str = "pid") -> list[tuple[object, ...]]:
    return place.sql(f"SELECT {what} FROM pg_stat_activity WHERE application_name = '{place.schema}'")


def test_a_ledger_that_is_read_holds_one_connection(made: Place) -> None:
    with open_ledger(own(made), create=False) as ledger:
        assert ledger.position() == 0
        time.sleep(0.3)  # one too many would be made in the background
        assert len(connections(made)) == 1


def test_a_connection_that_the_server_ended_is_replaced_unseen(made: Place) -> None:
    with open_ledger(own(made), create=False) as ledger:
        recorder = Recorder(ledger)
        recorder.handle([line("a", opened())])
        assert connections(made, "pg_terminate_backend(pid)")
        assert ledger.position() == 1
        assert connections(made, "pg_terminate_backend(pid)")
        again = recorder.handle([line("a", opened()), line("b", SERVED)])
        assert [type(each) for each in again] == [Duplicate, Recorded]


@pytest.fixture
def opened_only(made: Place) -> Iterator[postgres_pool.LedgerDatastore]:
    """A ledger that was looked at, as whoever opens one does, and not yet read."""
    datastore = postgres_pool.LedgerDatastore(own(made))
    yield datastore
    datastore.close()


def test_a_ledger_is_read_by_the_connection_by_which_it_was_looked_at(
    made: Place, opened_only: postgres_pool.LedgerDatastore
) -> None:
    """To make another costs the server more than to look."""
    looking = connections(made)
    assert opened_only.rows("SELECT pg_backend_pid()") == looking


def test_where_the_server_ended_that_one_before_it_was_read_by_it_is_replaced_unseen(
    made: Place, opened_only: postgres_pool.LedgerDatastore
) -> None:
    assert connections(made, "pg_terminate_backend(pid)") == [(True,)]
    assert opened_only.rows("SELECT max(position) FROM entries") == [(None,)]


def test_a_ledger_that_is_opened_and_never_read_leaves_no_connection(
    made: Place, opened_only: postgres_pool.LedgerDatastore
) -> None:
    assert len(connections(made)) == 1
    opened_only.close()
    until = time.monotonic() + 20
    while connections(made):
        assert time.monotonic() < until
