"""The command line as people and programs meet it: how it ends, what it says on stderr, and to whom it prints what."""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from commands import cli
from commands.cli import Verbs
from commands.verbs import read
from commands.verbs import record as cli_record
from tests.command_line import (
    EXAMPLE,
    INTAKE,
    LIVE,
    OPENING,
    House,
    assert_plain,
    example,
    lines_of,
    ordinary_user,
    run,
    told,
)
from tests.stores import make

COMMANDS = Verbs().list_commands(click.Context(cli.cli))
SECRET = "Zoë Ångström 1961-04-12"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def recorded(house: House) -> House:
    assert house.run("record", INTAKE).status == 0
    return house


# How it ends


def counted(told: str) -> str:
    """What is said of the lines; before it stands that a ledger was made, where one was, and behind it the effect."""
    return next(line for line in told.splitlines() if "duplicate" in line)


def test_all_recorded(house: House) -> None:
    ended = house.run("record", INTAKE)
    assert (ended.status, counted(ended.err)) == (0, "11 recorded, 0 duplicate, 0 refused")
    again = house.run("record", INTAKE)
    assert (again.status, again.err) == (0, "0 recorded, 11 duplicate, 0 refused\n")
    assert [row["outcome"] for row in again.rows] == ["duplicate"] * 11


def test_a_refused_line_ends_with_1_and_the_others_land(house: House) -> None:
    ended = house.tell(told("1", OPENING), told("2", {"type": "DayServed"}), told("3"))
    assert (ended.status, counted(ended.err)) == (1, "2 recorded, 0 duplicate, 1 refused")
    assert [row["outcome"] for row in ended.rows] == ["recorded", "refused", "recorded"]


def test_no_message_repeats_what_a_line_says(house: House) -> None:
    opening = OPENING | {"patient": SECRET}
    house.tell(told("1", opening))
    hostile: list[Any] = [
        told("1", opening, by=SECRET),
        told("2", opening),
        told("3", {"type": SECRET}),
        told("4", {"type": "DayServed", SECRET: 1}),
        told("5", {"type": "DayServed", "order": "RX", "date": SECRET}),
        told(SECRET, {"type": "FactRetracted", "target_source": SECRET, "target_id": SECRET, "reason": SECRET}),
        told("6", episode=SECRET),
        {SECRET: SECRET},
        SECRET,
    ]
    for form in ("json", "csv", "table"):
        ended = house.tell(*hostile, options=("--format", form))
        assert ended.status == 1
        assert "9 refused" in ended.err
        shown = ended.out.decode() + ended.err
        assert not [word for word in SECRET.split() if word in shown]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["dasy"], ["No such command 'dasy'", "'episode-ledger --help'"]),
        (["days", "--bogus"], ["No such option", "'episode-ledger days --help'"]),
        (["days", "EP-1"], ["unexpected extra argument"]),
        (["days", "--format", "xml"], ["--format", "calendar"]),
        (["lines", "--format", "calendar"], ["--format"]),
        (["days", "--episode"], ["--episode", "requires an argument"]),
        (["days", "--from", "2026-02-30"], ["'--from'", "YYYY-MM-DD"]),
        (["days", "--from", "20260203"], ["'--from'", "YYYY-MM-DD"]),
        (["days", "--from", "2026-W06-2"], ["'--from'", "YYYY-MM-DD"]),
        (["lines", "--to", "2026-02-03T00:00Z"], ["'--to'", "YYYY-MM-DD"]),
        (["days", "--to", ""], ["'--to'", "YYYY-MM-DD"]),
        (["lines", "--from", "2026-02-03", "--to", "2026-02-02"], ["--to lies before --from", "lines --help"]),
        (["days", "--known-at", "2026-02-03"], ["'--known-at'", "bare date", "2026-11-02T16:00Z"]),
        (["findings", "--known-at", "2026-02-03T10:00"], ["'--known-at'", "offset"]),
        (["lines", "--known-at", "0001-01-01T00:00+23:00"], ["'--known-at'"]),
        (["days", "--payer", "a", "--payer", "b"], ["--payer is given twice", "'episode-ledger days --help'"]),
        (["claims", "prepare", "--payer=a", "--payer", "a"], ["--payer is given twice", "claims prepare --help"]),
        (["why", "EP-1"], ["Missing argument 'DATE'"]),
        (["why", "EP-1", "yesterday"], ["'DATE'", "YYYY-MM-DD"]),
        (["record"], ["Missing argument 'FILE...'"]),
        (["record", "nowhere.jsonl"], ["nowhere.jsonl", "No such file"]),
        (["record", "/"], ["'/'", "Is a directory"]),
        (["completion", "tcsh"], ["bash", "zsh", "fish"]),
        (["--book", "/nowhere", "days"], ["/nowhere", "no such folder", "--book"]),
        (["--book", "", "days"], ["--book is empty"]),
        (["--ledger", "nowhere.db", "days"], ["nowhere.db", "'episode-ledger record FILE'"]),
        (["days", "two\nlines \x1b[31mred"], ["two lines \ufffd[31mred"]),
    ],
)
def test_a_wrong_command_line_ends_with_2(
    recorded: House, monkeypatch: pytest.MonkeyPatch, args: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(recorded.folder)
    assert_plain(recorded.run(*args), 2, *words)


def test_no_command_shows_the_help(house: House) -> None:
    ended = run()
    assert (ended.status, ended.out) == (2, b"")
    assert "A first walk" in ended.err
    assert "Traceback" not in ended.err
    assert_plain(house.run(), 2, "Missing command", "'episode-ledger --help'")


@pytest.mark.parametrize("command", ["days", "lines", "findings", "status"])
def test_reading_makes_no_ledger(house: House, command: str) -> None:
    assert_plain(house.run(command), 2, "there is no ledger")
    assert sorted(path.name for path in house.folder.iterdir()) == ["book"]


def test_an_empty_file_is_no_ledger_yet(house: House) -> None:
    house.ledger.touch()
    assert_plain(house.run("days"), 2, "there is no ledger")
    assert house.run("record", INTAKE).status == 0
    assert len(house.run("days").rows) == 3


@pytest.mark.parametrize("text", ["rubbish = ", 'id = "x"\nmisspelt = 1\n', "\ufeff\ufeff", "[[terms]]"])
def test_an_unreadable_book_ends_with_2_and_names_the_file(recorded: House, text: str) -> None:
    (recorded.book / "payers" / "prairie.toml").write_text(text, encoding="utf-8")
    ended = recorded.run("days")
    first, *mistakes, hint = ended.err.splitlines()
    assert (ended.status, ended.out) == (2, b"")
    assert first.startswith("episode-ledger: ")
    assert "prairie.toml" in (mistakes or [first])[0]
    assert "None" not in ended.err
    assert hint.startswith("hint: ")
    assert "book" in hint


@pytest.mark.sqlite_file
@pytest.mark.parametrize("command", [["days"], ["status"], ["record", str(INTAKE)]])
def test_a_file_that_is_no_ledger_ends_with_3_and_stays_as_it_is(house: House, command: list[str]) -> None:
    house.ledger.write_bytes(b"not a ledger " * 100)
    assert_plain(house.run(*command), 3, "ledger.db is not a ledger")
    assert house.ledger.read_bytes() == b"not a ledger " * 100


@pytest.mark.sqlite_file
def test_a_damaged_ledger_ends_with_3(recorded: House) -> None:
    damaged = bytearray(recorded.ledger.read_bytes())
    damaged[4096:] = b"\xff" * (len(damaged) - 4096)
    recorded.ledger.write_bytes(damaged)
    for command in (["days"], ["days", "--known-at", "2026-11-02T16:00Z"], ["record", str(INTAKE)]):
        assert_plain(recorded.run(*command), 3)


@pytest.mark.sqlite_file
def test_an_entry_that_cannot_be_read_stops_whoever_reads_it(recorded: House) -> None:
    with sqlite3.connect(recorded.ledger) as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        connection.execute("DROP TRIGGER entries_update")
        connection.execute(f"UPDATE entries SET state = '{SECRET}' WHERE position = 4")
        connection.execute(dict(guards)["entries_update"])
    connection.close()
    ended = recorded.run("days")
    assert_plain(ended, 3, "an entry cannot be read", "version 4", "backup")
    assert SECRET not in ended.err


@pytest.mark.sqlite_file
@pytest.mark.parametrize("command", [["days"], ["record", str(INTAKE)]])
def test_a_folder_is_no_ledger(house: House, command: list[str]) -> None:
    house.ledger.mkdir()
    assert_plain(house.run(*command), 2, "not a file")


def test_a_ledger_in_no_folder(house: House) -> None:
    assert_plain(house.run("--ledger", house.folder / "no" / "ledger.db", "record", INTAKE), 2, "does not exist")


@pytest.mark.sqlite_file
def test_a_folder_where_nothing_may_be_written() -> None:
    with ordinary_user() as folder:
        ledger, views = folder / "ledger.db", folder / "ledger.views.db"
        os.chmod(folder, 0o500)
        book = ("--book", folder / "book")
        try:
            assert_plain(run("--ledger", ledger, *book, "days"), 3, "rights")
            assert_plain(run("--ledger", folder / "new.db", *book, "record", folder / "book" / ".." / "a.jsonl"), 2)
            assert_plain(run("--ledger", folder / "new.db", *book, "record", "-"), 3, "rights")
        finally:
            os.chmod(folder, 0o700)
        os.chmod(views, 0o000)
        assert_plain(run("--ledger", ledger, *book, "days"), 3, "read model", "Permission denied", "deleted")
        os.chmod(ledger, 0o000)
        assert_plain(run("--ledger", ledger, *book, "days"), 3, "rights")


@pytest.mark.sqlite_file
def test_a_read_model_that_is_none_is_healed_by_a_rebuild(recorded: House) -> None:
    recorded.views.write_bytes(b"rubbish" * 1000)
    assert_plain(
        recorded.run("days"), 3, "ledger.views.db", "read model", "it is no database", "episode-ledger rebuild"
    )
    assert recorded.run("rebuild").status == 0
    assert len(recorded.run("days").rows) == 3


def test_a_read_model_with_damage_inside_is_healed_by_a_rebuild(recorded: House) -> None:
    recorded.run("days")
    damaged = bytearray(recorded.views.read_bytes())
    damaged[4096:] = b"\xff" * (len(damaged) - 4096)
    recorded.views.write_bytes(damaged)
    assert_plain(recorded.run("days"), 3, "read model", "malformed", "episode-ledger rebuild")
    assert recorded.run("rebuild").status == 0
    assert len(recorded.run("days").rows) == 3


def test_somebody_elses_database_is_never_taken_for_a_read_model(recorded: House) -> None:
    with sqlite3.connect(recorded.views) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    before = recorded.views.read_bytes()
    ended = recorded.run("days")
    assert_plain(ended, 3, "another program's database")
    assert "deleted" not in ended.err
    assert recorded.views.read_bytes() == before


def test_a_fault_of_ours_is_one_line_without_data(recorded: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(read.queries, "day_rows", faulty)
    ended = recorded.run("days")
    assert_plain(ended, 3, "unforeseen", "RuntimeError", "test_cli.py:", "report")
    assert SECRET not in ended.err


def test_a_person_who_stops_it_gets_a_plain_end(recorded: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(read.queries, "day_rows", stopped)
    ended = recorded.run("days")
    assert ended.status == 1
    assert "stopped" in ended.err
    assert "Traceback" not in ended.err


def test_findings_checked(house: House) -> None:
    house.run("record", INTAKE)
    assert house.run("findings", "--check").status == 0
    house.run("record", EXAMPLE / "trouble.jsonl")
    assert house.run("findings").status == 0
    ended = house.run("findings", "--check")
    assert (ended.status, ended.err) == (1, "")
    assert {row["level"] for row in ended.rows} == {"hard", "soft"}
    assert house.run("findings", "--check", "--episode", "EP-1").status == 0
    assert house.run("findings", "--check", "--from", "2026-09-02", "--to", "2026-09-02").status == 1
    assert house.run("findings", "--check", "--known-at", "2020-01-01T00:00Z").status == 0
    assert [house.run(command).status for command in ("days", "lines")] == [0, 0]


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command: str) -> None:
    for asked in ("--help", "-h"):
        ended = run(command, asked)
        assert (ended.status, ended.err) == (0, "")
        assert re.search(rf"(?m)^  Examples?:\n(.*\n)*?    .*episode-ledger {command}\b", ended.out.decode())
        assert all(len(line) <= 100 for line in ended.out.decode().splitlines())


def test_the_first_help_names_every_command() -> None:
    ended = run("--help")
    assert ended.status == 0
    for word in (*COMMANDS, "EPISODE_LEDGER", "EPISODE_BOOK", "A first walk"):
        assert word in ended.out.decode()
    assert run("--version").out.startswith(b"episode-ledger, version ")


ENCRYPTED = ("master-key", "forget")
ASK_FIRST = ("merge-patients", "part-patients")  # tests/commands/verbs/test_patients.py
ON_CLAIMS = ("claims", "ack", "remit", "assign-remittance")  # tests/commands/verbs/test_claims_out.py, test_answers.py
AT_SCALE = ("archive", "judge")  # tests/commands/verbs/test_archive.py
NO_EXAMPLE_HERE = ("completion", "serve", "migrate", "import", *ENCRYPTED, *ASK_FIRST, *ON_CLAIMS, *AT_SCALE)
"""For a shell, endless, for PostgreSQL, of spreadsheets that are not here; and those with tests of their own."""


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in NO_EXAMPLE_HERE])
def test_every_example_works(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, command: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))  # where the signing key goes
    history = lines_of(entry | {"recorded_at": "2026-02-03T10:00Z"} for entry in example())
    assert house.run("record", "--keep-recorded-at", "-", stdin=history).status == 0
    assert house.run("days").status == 0  # so that a rebuild leaves something to go back to
    monkeypatch.chdir(house.folder)
    monkeypatch.setattr(cli_record, "record_stream", lambda *_, **__: iter(()))
    for name in ("intake.jsonl", "history.jsonl"):
        Path(name).write_bytes(INTAKE.read_bytes())
    if command in ("verify", "bundle"):
        assert house.run("checkpoint", "--init-key").status == 0
        for day in ("2026-11-20", "2026-11-23"):
            assert house.run("checkpoint", "--out", f"{day}.checkpoint").status == 0
    examples = re.findall(r"(?m)^    .*?episode-ledger ([a-z].*?)(?:  .*|&&.*)?$", run(command, "--help").out.decode())
    assert examples
    for line in examples:
        if "--witness" in line:  # tests/commands/verbs/test_proof_commands.py
            continue
        ended = house.run(*shlex.split(line.replace("/elsewhere", ".")))
        assert (ended.status, "episode-ledger:" in ended.err) == (0, False), (line, ended)


@pytest.mark.sqlite_file
def test_every_example_of_an_encrypted_ledger_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "ledger").mkdir()
    made, forget = (_examples(command) for command in ENCRYPTED)
    place = ("--ledger", str(tmp_path / "ledger" / "ledger.db"))
    assert run(*place, *(os.path.expanduser(part) for part in made[0])).status == 0
    env = {"EPISODE_MASTER_KEY_FILE": str(tmp_path / "keys" / "ledger.key")}
    told = lines_of(example() + example("EP-1001", "P-1001"))
    assert run(*place, "record", "-", stdin=told, env=env).status == 0
    assert run(*place, *forget[0], env=env).status == 2, "nobody can be asked here"
    assert [run(*place, *line, env=env).status for line in forget[1:]] == [0, 0]
    assert {row["patient"] for row in run(*place, "days", env=env).rows} >= {"P-1"}
    assert "P-1001" not in run(*place, "days", env=env).out.decode()


def _examples(command: str) -> list[list[str]]:
    found = re.findall(r"(?m)^    .*?episode-ledger ([a-z].*?)$", run(command, "--help").out.decode())
    return [shlex.split(line) for line in found]


# Where the ledger and the book are


@pytest.mark.sqlite_file
def test_the_environment_names_ledger_and_book(house: House) -> None:
    env = {"EPISODE_LEDGER": str(house.ledger), "EPISODE_BOOK": str(house.book)}
    assert run("record", INTAKE, env=env).status == 0
    assert [row["payer"] for row in run("days", env=env).rows] == ["prairie-blue"] * 3
    assert_plain(run("days", env=env | {"EPISODE_BOOK": "/nowhere"}), 2, "/nowhere")
    elsewhere = house.folder / "elsewhere.db"
    assert_plain(run("--ledger", elsewhere, "days", env=env), 2, "elsewhere.db")
    assert run("--book", house.book, "days", env=env | {"EPISODE_BOOK": "/nowhere"}).status == 0
    wide = {name: value for name, value in env.items() if name == "EPISODE_LEDGER"}
    assert run("days", env=wide).status == 0


def test_without_names_the_ledger_is_here_and_the_book_is_the_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("record", INTAKE).status == 0
    assert [row["status"] for row in run("days").rows] == ["billable", "billable", "not_billable"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger.db", "ledger.views.1.db", "ledger.views.db"]
    assert {oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()} == {"0o600"}


def test_standard_input(house: House) -> None:
    ended = house.run("record", "-", stdin=b"\xef\xbb\xbf" + INTAKE.read_bytes())
    assert (ended.status, counted(ended.err)) == (0, "11 recorded, 0 duplicate, 0 refused")
    assert (house.run("record", "-", stdin=b"\n \n").status, house.run("record", "-").out) == (0, b"")


def test_history_keeps_its_own_times_only_when_told(house: House) -> None:
    then = {"recorded_at": "2026-02-03T10:00Z"}
    history = lines_of(entry | then for entry in example())
    refused = house.run("record", "-", stdin=history)
    assert refused.status == 1
    assert {row["code"] for row in refused.rows} == {"recorded_at_not_allowed", "not_opened"}
    kept = house.run("record", "--keep-recorded-at", "-", stdin=history)
    assert (kept.status, len(kept.rows)) == (0, 11)
    assert house.run("days", "--known-at", "2026-02-03T09:59Z").out == b""
    assert house.run("days", "--known-at", "2026-02-03T11:00+01:00").out == house.run("days").out


# To whom it prints what


def test_a_pipe_gets_json_and_a_terminal_a_table(recorded: House) -> None:
    for command in ("days", "findings", "lines"):
        assert recorded.run(command).out == recorded.run(command, "--format", "json").out
        assert recorded.run(command, tty=True).out == recorded.run(command, "--format", "table").out
    table = recorded.run("days", tty=True).out.decode()
    assert table.splitlines()[0].split() == [
        "patient", "episode", "date", "status", "reason", "code", "payer", "rate",
    ]  # fmt: skip
    assert "2026-02-04  not billable  not served" in table


def test_nothing_to_show_is_said_to_people_only(house: House) -> None:
    assert house.run("record", "-").status == 0
    for command, words in (("days", "No days."), ("findings", "No findings."), ("lines", "No claim lines")):
        assert house.run(command).out == b""
        assert house.run(command, "--format", "csv").out.count(b"\n") == 1
        assert house.run(command, "--format", "table").out.decode().startswith(words)
    assert house.run("days", "--format", "calendar").out.decode() == "No days.\n"


def test_people_see_of_a_file_only_what_was_refused(house: House) -> None:
    good = house.tell(told("1", OPENING), options=("--format", "table"))
    assert (good.status, good.out.decode()) == (0, "No line was refused.\n")
    bad = house.tell(told("2"), {"a": 1}, options=("--format", "table"))
    assert bad.status == 1
    header, _, *refused = bad.out.decode().splitlines()
    assert header.split() == ["line", "outcome", "code"]
    assert refused[0].split() == ["2", "refused", "malformed"]
    assert all(line.startswith("    ") for line in refused[1:]), "the message stands below its line"
    assert len(refused) > 1


def live(house: House, *args: str) -> list[str]:
    return [*LIVE, *house.named, *args]


def test_a_real_terminal_gets_a_table(recorded: House) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(live(recorded, "lines"), stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 10_000):
            shown += part
    except OSError:  # Linux says so when the other side is closed
        pass
    os.close(ours)
    _, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    line = shown.decode().splitlines()[2]
    assert line.split()[:2] == ["P-1", "EP-1"]
    assert "S9325  2026-02-02  2026-02-03" in line


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A ledger whose answers do not fit into a pipe."""
    house = House(tmp_path_factory.mktemp("many"))
    entries = []
    for number in range(60):
        entries += example(f"EP-{number}", f"P-{number}")
        last = {"type": "DayServed", "order": "RX-1", "date": "2026-10-31"}
        entries.append(told("last", last, episode=f"EP-{number}"))
        claimed = {"code": "S9325", "from": "2026-03-01", "to": "2026-11-30", "units": 275, "charge_cents": 1}
        claim = {"type": "ClaimSubmitted", "claim": "C", "payer": "prairie-blue", "frequency": "1", "lines": [claimed]}
        entries.append(told("claim", claim, episode=f"EP-{number}"))
    assert house.tell(*entries).status == 0
    assert house.run("days").status == 0
    return house


@pytest.mark.parametrize(
    "args",
    [["days"], ["days", "--format", "csv"], ["days", "--format", "table"], ["days", "--format", "calendar"],
     ["findings"]],
)  # fmt: skip
def test_a_reader_may_leave(many: House, args: list[str]) -> None:
    process = subprocess.Popen(live(many, *args), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    process.stderr.close()


def test_a_check_holds_though_its_reader_leaves(many: House) -> None:
    script = shlex.join(live(many, "findings", "--check")) + " | head -1; exit ${PIPESTATUS[0]}"
    ended = subprocess.run(["bash", "-c", script], capture_output=True)
    assert (ended.returncode, ended.stderr, ended.stdout.count(b"\n")) == (1, b"", 1)


def test_every_line_is_recorded_though_the_reader_of_the_outcomes_leaves(house: House) -> None:
    file = house.folder / "intake.jsonl"
    file.write_bytes(lines_of([told("0", OPENING), *(told(str(number)) for number in range(1, 9_000))]))
    make(house.ledger)
    script = shlex.join(live(house, "record", str(file))) + " | head -1; exit ${PIPESTATUS[0]}"
    ended = subprocess.run(["bash", "-c", script], capture_output=True)
    assert (ended.returncode, counted(ended.stderr.decode())) == (0, "9,000 recorded, 0 duplicate, 0 refused")
    assert ended.stdout == b'{"line":1,"outcome":"recorded","position":1,"code":null,"message":null}\n'


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("args", [["days"], ["days", "--format", "csv"], ["days", "--format", "table"], ["--help"]])
def test_an_output_that_takes_nothing_ends_with_2(recorded: House, args: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(live(recorded, *args), stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 2
    assert b"No space left" in ended.stderr


def test_a_terminal_without_our_letters_still_tells_a_hold_from_a_billable_day(recorded: House) -> None:
    env = os.environ | {"PYTHONIOENCODING": "latin-1"}
    ended = subprocess.run(live(recorded, "days", "--format", "calendar"), capture_output=True, env=env)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"\\u2713" in ended.stdout
    assert b"2026-02" in ended.stdout


# Completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    ended = run("completion", shell)
    assert ended.status == 0
    assert b"_EPISODE_LEDGER_COMPLETE" in ended.out
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=ended.out, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("typed", "offered"), [("da", "plain,days"), ("findings --ch", "plain,--check"), ("days --format c", "plain,csv")]
)
def test_completion_knows_verbs_and_options(typed: str, offered: str) -> None:
    words = f"episode-ledger {typed}"
    env = os.environ | {
        "_EPISODE_LEDGER_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1),
    }  # fmt: skip
    ended = subprocess.run([*LIVE], capture_output=True, env=env)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert offered in ended.stdout.decode().split()


def test_a_short_answer_loads_no_more_than_it_needs() -> None:
    script = "import sys, commands.cli; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.split()
    assert "sqlite_utils" not in loaded
    assert "tabulate" not in loaded
