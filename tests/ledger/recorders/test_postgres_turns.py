"""Appenders in PostgreSQL take turns by a row that only they may lock: nobody else can keep them waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from time import monotonic, sleep

import psycopg
import pytest

from ledger.recorders import NotRecorded, StoreError
from ledger.recorders.postgres import pool as postgres_pool
from ledger.recorders.postgres.migrate import migrate
from ledger.recorders.postgres.schema import TAKE_TURN
from ledger.store import open_ledger
from tests import stores
from tests.builders import entry
from tests.command_line import INTAKE, SERVED, assert_plain, lines_of, told
from tests.place import Place

BYSTANDER = "bystander"

LOCKS = (
    "SELECT classid::bigint, objid::bigint, objsubid FROM pg_locks"
    " WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
)
MODES = ("ROW SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")


@pytest.fixture
def bystander(made: Place) -> str:
    """The URL of a role that may connect, and nothing else."""
    with suppress(psycopg.errors.DuplicateObject):
        made.as_owner(f"CREATE ROLE {BYSTANDER} LOGIN PASSWORD '{BYSTANDER}'")
    return stores.in_schema(stores.as_role(stores.server(), BYSTANDER), made.schema)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_pool, "SESSION", (*postgres_pool.SESSION, "SET lock_timeout = '300ms'"))


@contextmanager
def watched(made: Place) -> Iterator[list[tuple[int, int, int]]]:
    """The advisory locks that a bystander sees while somebody appends: the server shows them to every role."""
    seen: list[tuple[int, int, int]] = []
    with open_ledger(made.recorder, create=False) as ledger, psycopg.connect(made.owner) as holder:
        holder.execute(TAKE_TURN)
        appending = Thread(target=ledger.append, args=([entry(1)],))
        appending.start()
        until = monotonic() + 20
        while not made.sql("SELECT 1 FROM pg_locks WHERE NOT granted") and monotonic() < until:
            sleep(0.01)
        seen += made.sql(LOCKS)
        holder.rollback()
        appending.join()
    yield seen


@pytest.mark.usefixtures("impatient")
def test_who_may_only_connect_cannot_keep_appenders_waiting(made: Place, bystander: str) -> None:
    with watched(made) as seen, psycopg.connect(bystander) as other, open_ledger(made.recorder, create=False) as ledger:
        for class_, object_, kind in seen:
            assert kind == 1, "a lock of one number"
            key = int.from_bytes(((class_ << 32) + object_).to_bytes(8), signed=True)
            other.execute("SELECT pg_advisory_lock(%s)", (key,))
        for name in ("appending", "migrating", "listening"):
            other.execute(f"SELECT pg_advisory_lock(hashtext('episode-ledger {name} {made.schema}'))")
        other.commit()
        assert ledger.append([entry(2)]) == [2]


@pytest.mark.parametrize("role", ["bystander", "reader"])
def test_who_may_not_record_may_not_take_a_turn(made: Place, bystander: str, role: str) -> None:
    """Not by the row, and not by the table: neither who may only connect, nor who may read everything."""
    if role == "reader":
        made.as_owner(f"GRANT USAGE ON SCHEMA {made.schema} TO {BYSTANDER}")
        made.as_owner(f"GRANT SELECT ON ALL TABLES IN SCHEMA {made.schema} TO {BYSTANDER}")
    tries = [
        TAKE_TURN,
        *(f"LOCK TABLE {made.schema}.{table} IN {mode} MODE" for table in ("turn", "entries") for mode in MODES),
    ]
    for statement in tries:
        if role == "reader" and "ROW SHARE" in statement and "SHARE ROW" not in statement:
            continue  # it keeps nobody waiting
        refused = pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable))
        with refused, psycopg.connect(bystander) as other:
            other.execute(statement)  # type: ignore[call-overload]


@pytest.mark.usefixtures("impatient")
def test_a_turn_that_is_taken_is_waited_for(made: Place) -> None:
    """The control: whoever may lock the row is waited for."""
    with open_ledger(made.recorder, create=False) as ledger, psycopg.connect(made.recorder) as other:
        other.execute(TAKE_TURN)
        with pytest.raises(NotRecorded, match="kept locked"):
            ledger.append([entry(1)])
        other.rollback()
        assert ledger.append([entry(1)]) == [1]


@pytest.mark.parametrize("statement", ["UPDATE turn SET one = true", "DELETE FROM turn", "TRUNCATE turn"])
def test_the_row_that_is_locked_is_never_changed(made: Place, statement: str) -> None:
    for url in (made.owner, made.recorder):
        with pytest.raises((psycopg.errors.IntegrityError, psycopg.errors.InsufficientPrivilege)):
            made.sql(statement, url)


def test_without_the_row_nothing_is_recorded(made: Place) -> None:
    made.as_owner("ALTER TABLE turn DISABLE TRIGGER USER")
    made.as_owner("DELETE FROM turn")
    made.as_owner("ALTER TABLE turn ENABLE TRIGGER USER")
    with open_ledger(made.recorder, create=False) as ledger, pytest.raises(StoreError, match="the ledger was altered"):
        ledger.append([entry(1)])


def of_version_1(made: Place) -> None:
    """A ledger as the first version made it: turns were an advisory lock that anybody could take."""
    made.as_owner("DROP TABLE turn")
    made.as_owner("ALTER TABLE schema_versions DISABLE TRIGGER USER")
    made.as_owner("UPDATE schema_versions SET version = 1")
    made.as_owner("ALTER TABLE schema_versions ENABLE TRIGGER USER")


def test_a_ledger_of_version_1_is_brought_forward_with_its_roles_by_migrating(made: Place) -> None:
    assert made.run("record", INTAKE).status == 0
    of_version_1(made)
    before = made.sql("SELECT position, seal FROM entries ORDER BY 1")
    assert_plain(made.run("days"), 3, "tables have version 1", "run 'episode-ledger migrate'")
    ended = made.run("migrate", url=made.owner)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith(b"Brought the tables of the ledger forward: ")
    assert made.run("migrate", url=made.owner).out.startswith(b"The ledger is there already: ")
    assert made.sql("SELECT position, seal FROM entries ORDER BY 1") == before
    assert [row["outcome"] for row in made.run("record", INTAKE).rows] == ["duplicate"] * len(before)
    more = lines_of([told("later", SERVED | {"date": "2026-02-20"})])
    assert [row["outcome"] for row in made.run("record", "-", stdin=more).rows] == ["recorded"]
    assert made.sql("SELECT version FROM schema_versions ORDER BY 1") == [(1,), (2,)]


def test_who_may_not_make_tables_brings_nothing_forward(made: Place) -> None:
    of_version_1(made)
    assert_plain(made.run("migrate"), 3, "this user may not do that")
    assert migrate(made.owner).version == 2
