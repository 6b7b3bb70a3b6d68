"""What breaks around a PostgreSQL server: each append ends recorded, refused or unknown, and is never doubled."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import psycopg
import pytest

from commands.writing.decide import Duplicate
from commands.writing.handle import Recorded, Recorder
from commands.writing.record import record
from ledger.facts.administration import MonthClosed
from ledger.facts.entry import Entry
from ledger.recorders import NotRecorded, StoreError, Unknown, reading_back
from ledger.recorders.postgres.migrate import migrate
from ledger.store import EpisodeLedger, open_ledger
from tests import ROOT, stores
from tests.builders import OCTOBER, SERVED, entry, line, opened
from tests.command_line import INTAKE, OPENING, assert_plain, lines_of, told
from tests.place import Place
from tests.proxy import LATE_SECONDS, Wire
from tests.tiers import in_proportion, many

SCRIPTS = ROOT / "scripts"


@pytest.fixture
def wire(made: Place) -> Iterator[Wire]:
    with Wire(made.recorder) as between:
        yield between


@pytest.fixture
def ledger(wire: Wire) -> Iterator[EpisodeLedger]:
    with open_ledger(wire.url, create=False) as opened_ledger:
        Recorder(opened_ledger).handle([line("a", opened())])
        yield opened_ledger


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked for long."""
    monkeypatch.setattr(reading_back, "DEADLINE_SECONDS", 0.3)


# The wire breaks around a COMMIT


def test_a_commit_whose_answer_was_lost_is_answered_recorded(ledger: EpisodeLedger, wire: Wire) -> None:
    recorder = Recorder(ledger)
    wire.break_("after")
    handled = recorder.handle([line("b", SERVED), line("c", SERVED)])
    assert wire.broken == 1
    assert [each.position for each in handled if isinstance(each, Recorded)] == [2, 3]
    assert [each.id for each in ledger.entries_of("EP-1")] == ["a", "b", "c"]
    assert len(recorder.handle([line("b", SERVED), line("d", SERVED)])) == 2
    assert ledger.position() == 4


def test_without_reading_back_it_would_be_refused_falsely(
    ledger: EpisodeLedger, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test before."""

    def believe(entries: object, stored: object, error: StoreError) -> list[int]:
        raise error

    monkeypatch.setattr("ledger.store.read_back", believe)
    wire.break_("after")
    with pytest.raises(StoreError):
        Recorder(ledger).handle([line("b", SERVED)])
    ledger._entries.rows_at([("EP-1", 2)], settled_within=10)  # the server may still be at work on the COMMIT
    assert [each.id for each in ledger.entries_of("EP-1")] == ["a", "b"]


def test_a_commit_that_was_never_heard_is_answered_refused(ledger: EpisodeLedger, wire: Wire) -> None:
    wire.break_("before")
    with pytest.raises(StoreError, match="connection to the ledger's server was lost") as caught:
        Recorder(ledger).handle([line("b", SERVED)])
    assert not isinstance(caught.value, Unknown)
    assert ledger.position() == 1
    assert isinstance(Recorder(ledger).handle([line("b", SERVED)])[0], Recorded)


def test_a_commit_that_is_heard_late_is_waited_for(ledger: EpisodeLedger, wire: Wire) -> None:
    """Whoever looks at once sees nothing, and would refuse what is recorded a moment later: the turn is waited for."""
    wire.break_("late")
    began = time.monotonic()
    (handled,) = Recorder(ledger).handle([line("b", SERVED)])
    assert isinstance(handled, Recorded)
    assert time.monotonic() - began >= LATE_SECONDS
    assert [each.id for each in ledger.entries_of("EP-1")] == ["a", "b"]


def test_an_act_of_the_house_is_read_back_too(ledger: EpisodeLedger, wire: Wire) -> None:
    wire.break_("after")
    assert ledger.record_closing(OCTOBER) == 2
    assert [act for _, act in ledger.closings()] == [OCTOBER]
    assert isinstance(OCTOBER, MonthClosed)


@pytest.mark.parametrize(("when", "stands"), [("after", 1), ("before", 0)])
def test_where_nobody_can_tell_it_is_unknown_and_a_repeat_never_doubles(
    made: Place,
    wire: Wire,
    impatient: None,
    when: str,
    stands: int,
) -> None:
    lines = lines_of([told("a", OPENING), {"a": 1}, told("b"), told("c")])
    wire.break_(when, for_good=True)  # type: ignore[arg-type]
    ended = made.run("record", "-", url=wire.url, stdin=lines)
    assert_plain(ended, 3, "it is unknown whether lines 1 to 4 were recorded", "a repeat never doubles")
    again = made.run("record", "-", stdin=lines)
    outcome = "duplicate" if stands else "recorded"
    assert [row["outcome"] for row in again.rows] == [outcome, "refused", outcome, outcome]
    with open_ledger(made.recorder, create=False) as ledger:
        assert [each.id for each in ledger.entries_of("EP-1")] == ["a", "b", "c"]


def test_a_line_that_falls_silent_while_it_is_asked_back_is_unknown_in_time(
    ledger: EpisodeLedger, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither side closes anything, so that nobody hears an end: the deadline is the reader's own."""
    monkeypatch.setattr(reading_back, "DEADLINE_SECONDS", 2.0)
    recorder = Recorder(ledger)
    wire.break_("after", swallows=b"FROM turn FOR UPDATE")
    began = time.monotonic()
    with pytest.raises(Unknown):
        recorder.handle([line("b", SERVED)])
    assert time.monotonic() - began < 10
    wire.swallows = b""
    assert [type(each) for each in Recorder(ledger).handle([line("b", SERVED)])] == [Duplicate]


def test_lines_that_were_answered_before_stay_answered(
    made: Place,
    wire: Wire,
    impatient: None,
) -> None:
    lines = BytesIO(lines_of([told("a", OPENING), *(told(str(number)) for number in range(5))]))
    answered = []

    def recorded_until_it_breaks(ledger: EpisodeLedger) -> None:
        for outcome in record(ledger, lines, batch=2):
            answered.append(outcome.position)
            if outcome.position == 4:
                wire.break_("before", for_good=True)

    with open_ledger(wire.url, create=False) as ledger, pytest.raises(Unknown, match="lines 5 to 6"):
        recorded_until_it_breaks(ledger)
    assert answered == [1, 2, 3, 4]


def test_what_fails_before_its_commit_is_refused_at_once(ledger: EpisodeLedger, made: Place) -> None:
    with psycopg.connect(made.owner, autocommit=True) as owner:
        owner.execute("REVOKE INSERT ON patients FROM recorder")
    began = time.monotonic()
    with pytest.raises(NotRecorded, match="this user may not do that"):
        ledger.append([entry(1, "EP-2")], [("P-2", "EP-2")])
    assert time.monotonic() - began < reading_back.DEADLINE_SECONDS / 2
    assert ledger.position() == 1


# The server is killed


def started(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def figures(process: subprocess.Popen[str]) -> dict[str, int]:
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    found: dict[str, int] = json.loads(out)
    return found


@pytest.mark.parametrize("kills", in_proportion(4, 20))
def test_a_server_killed_under_writers_loses_doubles_and_falsely_refuses_nothing(kills: int) -> None:
    """A plain ledger and an encrypted one; and writers who do not wait for the disk are found out by the same kills."""
    half = kills // 2
    fires = [started(str(SCRIPTS / "kill_postgres"), "--kills", str(half), *more) for more in ([], ["--encrypted"])]
    control = figures(started(str(SCRIPTS / "kill_postgres"), "--kills", "4", "--control"))
    for found in map(figures, fires):
        assert (found["kills"], found["lost"], found["doubled"], found["falsely_refused"]) == (half, 0, 0, 0)
        assert found["recorded"] > 2 * half
    assert control["lost"] > 0


def test_a_damaged_page_is_told_by_verify(tmp_path: Path) -> None:
    """The server's checksums find it; the walk says how far it came."""
    with stores.passing_server() as url:
        at = Place("public", url, url, tmp_path)
        migrate(url)
        at.run("record", INTAKE)
        ((folder, file),) = at.sql("SELECT current_setting('data_directory'), pg_relation_filepath('entries')")
        stores.stop(Path(folder).parent)
        page = Path(folder) / file
        page.write_bytes(page.read_bytes()[:-40] + b"\xff" * 40)
        stores.start(Path(folder).parent)
        told = at.run("verify")
        assert told.status == 1
        assert "the server cannot read the ledger from its beginning: it is damaged" in told.err.lower()
        assert_plain(at.run("days"), 3, "found its own data damaged")


# Readers


def test_a_reader_that_follows_eight_writers_with_held_commits_misses_nothing_and_the_control_does() -> None:
    entries = many(2_000, 4_000)
    found = figures(started(str(SCRIPTS / "tail_postgres"), "--entries", str(entries), "--url", stores.server()))
    assert (found["entries"], found["missed"], found["doubled"], found["out_of_order"]) == (entries, 0, 0, 0)
    assert found["control_missed"] > 0


# The server's log


@pytest.fixture(scope="module")
def own_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Path]]:
    """A server of its own with a ledger, and its log."""
    with stores.passing_server() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE recorder LOGIN PASSWORD 'recorder'")
            folder = Path(connection.execute("SHOW data_directory").fetchone()[0]).parent  # type: ignore[index]
        migrate(url, stores.ROLE)
        yield Place("public", url, stores.as_role(url), tmp_path_factory.mktemp("views")), folder / "log"


MARKER = "MARKED"


def marked(version: int, name: str) -> Entry:
    return entry(version, f"{MARKER}-EP-{name}")


def provoke(url: str, name: str) -> Counter[str]:
    """Every way we know in which a statement of ours ends in an error that the server writes down."""
    seen: Counter[str] = Counter()
    pair = [(f"{MARKER}-P", f"{MARKER}-EP-{name}")]
    with open_ledger(url, create=False) as one, open_ledger(url, create=False) as other:
        one.append([marked(1, name)], pair)
        other.append([marked(2, name)], pair)
        for attempt in (
            lambda: one.append([marked(2, name)], pair),  # a conflict
            lambda: one._entries.insert_events([stored(other, marked(1, name))]),
            lambda: one._entries.insert_events([stored(other, marked(9, name))]),
            lambda: within(one, "SET LOCAL statement_timeout = 1", "SELECT pg_sleep(1), %s", name),
            lambda: within(one, "SET LOCAL lock_timeout = 1", "UPDATE entries SET state = %s", name),
            lambda: within(one, "SELECT 1", "INSERT INTO ledger VALUES (%s, 'x')", name),
            lambda: within(one, "SELECT 1", "SELECT * FROM no_such_table WHERE a = %s", name),
            lambda: within(one, "SELECT pg_backend_pid()", "SELECT pg_terminate_backend(pg_backend_pid()), %s", name),
        ):
            try:
                attempt()
            except Exception as error:
                seen[type(error).__name__] += 1
    return seen


def stored(ledger: EpisodeLedger, what: Entry) -> object:
    return ledger.mapper.to_stored_event(what)


def within(ledger: EpisodeLedger, first: str, then: str, name: str) -> None:
    with ledger._entries.datastore.get_connection() as connection, connection.transaction():
        connection.execute(first)
        connection.execute(then, (f"{MARKER}-{name}",))


def test_no_patient_data_is_in_the_servers_log_whatever_goes_wrong(own_log: tuple[Place, Path]) -> None:
    server, log = own_log
    assert sum(provoke(server.recorder, "plain").values()) >= 7
    written = log.read_text()
    assert written.count("ERROR:") >= 6
    assert MARKER not in written


def test_one_who_has_every_statement_logged_leaves_the_values_out(own_log: tuple[Place, Path]) -> None:
    """An administrator may log every statement with its values; the setting of docs/how-to/postgresql.md for the role
    leaves them out, and without it they are there: the log is really looked at.
    """
    server, log = own_log
    server.as_owner("ALTER SYSTEM SET log_statement = 'all'")
    server.as_owner("SELECT pg_reload_conf()")
    while server.sql("SHOW log_statement") != [("all",)]:
        pass
    server.as_owner("ALTER ROLE recorder SET log_parameter_max_length = 0")
    provoke(server.recorder, "quiet")
    assert MARKER not in log.read_text()
    server.as_owner("ALTER ROLE recorder RESET log_parameter_max_length")
    provoke(server.recorder, "loud")
    assert MARKER in log.read_text()
