"""A hint that something was appended ends a wait sooner; without it, and in vain, a reader reads just the same."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import Any

import psycopg
import pytest

from ledger.recorders.by_name.naming import hint_of
from ledger.recorders.postgres import append as postgres_append
from ledger.recorders.postgres import hint as postgres_hint
from ledger.recorders.postgres.hint import CHANNEL, HINT, listening
from ledger.recorders.postgres.migrate import migrate
from ledger.recorders.postgres.schema import TAKE_TURN
from ledger.store import EpisodeLedger, RecordConflictError, open_ledger
from tests import stores
from tests.at_once import Started, under_way
from tests.builders import entry
from tests.command_line import BOOK, COMMAND, INTAKE, Told, lines_of, told
from tests.place import Place

WAIT_SECONDS = 20
NEVER = 600
"""An interval that no test waits for: what comes within it came by a hint."""
QUIET_SECONDS = 0.5
"""How long nothing must come for nothing to have come."""
OFTEN = 0.05
DEATH = {"type": "PatientDied", "date": "2026-02-02"}


@pytest.fixture
def example(made: Place) -> Place:
    assert made.run("record", INTAKE).status == 0
    return made


@pytest.fixture
def ledger(made: Place) -> Iterator[EpisodeLedger]:
    with open_ledger(made.recorder, create=False) as opened:
        yield opened


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process appends without telling."""
    monkeypatch.setattr(postgres_append, "_TAKE_TURN_AND_TELL", TAKE_TURN)


def change(place: Place, number: int) -> None:
    """Something that changes days: the patient has died, and then has not."""
    back = {"type": "FactRetracted", "target_source": "pump", "target_id": f"d{number - 1}", "reason": "no"}
    told_now: Told = told(f"d{number}", back if number % 2 else DEATH)
    assert place.run("record", "-", stdin=lines_of([told_now])).status == 0


@contextmanager
def following(place: Place, interval: float, url: str | None = None) -> Iterator[Started]:
    """``follow`` from the beginning, as a process of its own."""
    named = ["--ledger", url or place.recorder, "--book", BOOK]
    with under_way(COMMAND, *named, "follow", "--since", 0, "--interval", interval) as process:
        yield process


def something_comes(process: Started, seconds: float) -> bool:
    assert process.stdout
    return bool(select.select([process.stdout], [], [], seconds)[0])


def next_round(process: Started) -> list[dict[str, Any]]:
    """The rows that lead to the next position, and nothing after them."""
    rows: list[dict[str, Any]] = []
    while not rows or not rows[-1]["last"]:
        if not rows:
            assert something_comes(process, WAIT_SECONDS), "nothing came"
        assert process.stdout
        rows += [row for row in [json.loads(process.stdout.readline())] if "last" in row]
    return rows


LISTENERS = (
    "SELECT pid FROM pg_locks JOIN pg_database AS d ON d.oid = database AND d.datname = current_database()"
    " WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted"
    f" AND objid::bigint = ({postgres_hint._LISTENING})::bigint & 4294967295"
)


def listeners(place: Place) -> list[int]:
    """The server's processes that serve whoever listens to a ledger."""
    return [row[0] for row in place.sql(LISTENERS)]


def eventually(happens: Callable[[], object]) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while not happens():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.01)


def woken(hint: socket, seconds: float = WAIT_SECONDS) -> int:
    """How many hints there are, waited for."""
    return len(hint.recv(1_000_000)) if select.select([hint], [], [], seconds)[0] else 0


@contextmanager
def heard(url: str) -> Iterator[socket]:
    """Hints on a ledger, once they are listened to."""
    with listening(url) as hint:
        assert woken(hint) == 1, "it tells once when it has begun"
        yield hint


# What follows


def test_a_change_is_printed_long_before_the_next_look(example: Place) -> None:
    with following(example, NEVER) as process:
        first = next_round(process)[-1]["position"]
        eventually(lambda: listeners(example))
        positions = []
        for number in range(3):  # the first could be seen because listening has just begun
            change(example, number)
            positions.append(next_round(process)[-1]["position"])
        assert positions == [first + 1, first + 2, first + 3]


def test_an_append_that_does_not_tell_is_found_at_the_next_look(example: Place, silent: None) -> None:
    with following(example, NEVER) as waits_long, following(example, OFTEN) as looks_often:
        for process in (waits_long, looks_often):
            next_round(process)
        eventually(lambda: len(listeners(example)) == 2)
        time.sleep(QUIET_SECONDS)  # the look of when listening began is over
        change(example, 0)
        assert len(next_round(looks_often)) > 0
        assert not something_comes(waits_long, QUIET_SECONDS)


def test_a_hint_without_an_entry_prints_nothing_and_what_comes_after_it_is_whole(example: Place) -> None:
    with following(example, NEVER) as process:
        rows = next_round(process)
        eventually(lambda: listeners(example))
        for _ in range(50):
            example.sql(f"SELECT pg_notify({CHANNEL}, '')")
        assert not something_comes(process, QUIET_SECONDS)
        change(example, 0)
        rows = next_round(process)
        before = rows[-1]["position"] - 1
        assert rows == example.run("follow", "--since", before, "--once").rows[1:]


def test_it_follows_a_burst_to_its_end(example: Place) -> None:
    with following(example, NEVER) as process:
        rows = next_round(process)
        eventually(lambda: listeners(example))
        for number in range(9):
            change(example, number)
        with open_ledger(example.recorder, create=False) as ledger:
            head = ledger.position()
        while rows[-1]["position"] < head:
            rows += next_round(process)
        ends = [row["position"] for row in rows if row["last"]]
        assert ends == sorted(set(ends))
        statuses = {(row["episode"], row["date"]): row["new_status"] for row in rows if row["kind"] != "retract"}
        whole = example.run("follow", "--since", "0", "--once").rows[1:]
        assert statuses == {(row["episode"], row["date"]): row["new_status"] for row in whole}


def test_one_that_lost_its_listening_connection_goes_on_and_says_nothing(example: Place) -> None:
    with following(example, OFTEN) as process:
        next_round(process)
        eventually(lambda: listeners(example))
        for listener in listeners(example):
            example.sql(f"SELECT pg_terminate_backend({listener})")
        eventually(lambda: not listeners(example))
        change(example, 0)
        next_round(process)
        process.interrupt()
        assert process.wait(WAIT_SECONDS) == 0
        assert process.stderr
        assert process.stderr.read() == b""


def test_one_that_may_not_have_a_second_connection_looks_by_itself(example: Place) -> None:
    role = f"single_{example.schema}"
    example.as_owner(f"CREATE ROLE {role} LOGIN PASSWORD '{role}' CONNECTION LIMIT 1")
    migrate(example.owner, role)
    with following(example, OFTEN, stores.as_role(example.owner, role)) as process:
        for number in range(3):
            next_round(process)
            change(example, number)
        next_round(process)
        assert listeners(example) == []
        assert process.returncode is None


def test_it_ends_when_nobody_reads_any_more_or_it_is_stopped_however_long_it_would_wait(example: Place) -> None:
    with following(example, NEVER) as left, following(example, NEVER) as stopped:
        for process in (left, stopped):
            next_round(process)
        eventually(lambda: len(listeners(example)) == 2)
        assert left.stdout
        left.stdout.close()
        stopped.interrupt()
        for process in (left, stopped):
            assert process.wait(WAIT_SECONDS) == 0
            assert process.stderr
            assert process.stderr.read() == b""
    eventually(lambda: not listeners(example))


def test_once_nobody_is_listened_to(example: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_hint, "listening", None)  # it would fail
    assert len(example.run("follow", "--since", "0", "--once").rows) > 1


# What a hint is


def test_an_append_is_heard_when_it_is_committed(made: Place, ledger: EpisodeLedger) -> None:
    with heard(made.recorder) as hint:
        seen = []

        def patients() -> Iterator[tuple[str, str]]:
            """They are asked for inside the transaction."""
            seen.append(woken(hint, QUIET_SECONDS))
            yield "P-1", "EP-1"

        ledger.append([entry(1)], patients())
        assert (seen, woken(hint)) == ([0], 1)
        ledger.append([entry(2), entry(3), entry(4)])
        assert woken(hint) == 1, "a batch is one hint"


def test_what_was_not_recorded_is_not_told(made: Place, ledger: EpisodeLedger) -> None:
    ledger.append([entry(1)])
    with heard(made.recorder) as hint:
        with pytest.raises(RecordConflictError):
            ledger.append([entry(1)])
        assert woken(hint, QUIET_SECONDS) == 0


def test_ledgers_of_one_database_do_not_wake_each_other(made: Place, ledger: EpisodeLedger) -> None:
    other = stores.in_schema(stores.server(), f"{made.schema}_other")
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {made.schema}_other")  # type: ignore[call-overload]
    migrate(other)
    with heard(made.recorder) as ours, heard(other) as theirs:
        with open_ledger(other, create=False) as second:
            second.append([entry(1)])
        assert woken(theirs) == 1
        assert woken(ours, QUIET_SECONDS) == 0
        ledger.append([entry(1)])
        assert woken(ours) == 1
        assert woken(theirs, QUIET_SECONDS) == 0


def test_who_was_cut_off_listens_again_and_is_told_at_once(
    made: Place, ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_hint, "AGAIN_SECONDS", 0.3)
    with heard(made.recorder) as hint:
        (listener,) = listeners(made)
        made.sql(f"SELECT pg_terminate_backend({listener})")
        eventually(lambda: not listeners(made))
        assert woken(hint, 0.1) == 0, "a loss is not told: the server may be about to end, which no look needs to see"
        ledger.append([entry(1)])  # nobody listens
        assert woken(hint) == 1
        ledger.append([entry(2)])
        assert woken(hint) == 1


def test_a_reader_that_looks_away_for_long_is_still_told_afterwards(made: Place, ledger: EpisodeLedger) -> None:
    with heard(made.recorder) as hint:
        with psycopg.connect(made.recorder, autocommit=True) as connection:
            for _ in range(1_000):
                connection.execute(f"SELECT pg_notify({CHANNEL}, '')")  # type: ignore[call-overload]
        time.sleep(QUIET_SECONDS)
        assert 0 < woken(hint) < 1_000, "no more than there is room for, and nobody waited"
        ledger.append([entry(1)])
        assert woken(hint) == 1


def test_nobody_listens_any_more_when_the_reader_has_left(made: Place) -> None:
    with heard(made.recorder):
        assert len(listeners(made)) == 1
    eventually(lambda: not listeners(made))


def told_by(statement: str, url: str) -> bool:
    """Whether a statement, made by one connection, is heard by another."""
    with psycopg.connect(url, autocommit=True) as ear, psycopg.connect(url, autocommit=True) as mouth:
        (channel,) = ear.execute(f"SELECT {CHANNEL}").fetchone() or ("",)  # type: ignore[call-overload]
        ear.execute(f'LISTEN "{channel}"')
        mouth.execute(statement)  # type: ignore[call-overload]
        return bool(list(ear.notifies(timeout=QUIET_SECONDS)))


def test_an_append_tells_only_while_somebody_listens(made: Place) -> None:
    assert not told_by(f"SELECT {HINT}", made.recorder)
    with heard(made.recorder):
        assert told_by(f"SELECT {HINT}", made.recorder)


def test_an_append_does_not_tell_while_the_servers_queue_fills_up(made: Place) -> None:
    """A full one refuses the commit of whoever tells: a stand-in says how full it is."""
    stands_in = f"{made.owner}%2Cpg_catalog"  # the stand-in is found before the server's own function
    with heard(made.recorder):
        for usage, tells in ((0.49, True), (0.5, False)):
            made.as_owner(
                f"CREATE OR REPLACE FUNCTION pg_notification_queue_usage() RETURNS double precision LANGUAGE sql"
                f" AS 'SELECT {usage}::double precision'"
            )
            assert told_by(f"SELECT {HINT}", stands_in) == tells


def test_a_file_gives_no_hint(tmp_path: Path) -> None:
    with hint_of(os.fspath(tmp_path / "ledger.db")) as hint:
        assert hint is None
