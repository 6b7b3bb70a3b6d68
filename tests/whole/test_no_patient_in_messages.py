"""Patients' data is in no message, log or temporary file: every field marked, every way to fail that we know of.

What was asked for (rows, pages) may hold it, on standard output or in the file that was named. One sentence names a
patient on purpose: who is set aside from a report (``rebuild --quarantine``).
"""

from __future__ import annotations

import json
import os
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.proof.signing import create_key
from projections.read_model import catch_up
from tests import kept
from tests.answered import PAID, TAKEN_IN
from tests.command_line import ANYWAY, Ended, House, Told, lines_of
from tests.every_command import commands_in, every_command
from tests.fire.power import notes_of
from tests.fire.stage import Arms, Stage
from tests.marked import (
    EP,
    MARK,
    history,
    marked,
    told,
)

NAMED_ON_PURPOSE = "is set aside and not shown"

READS: tuple[tuple[str, ...], ...] = (
    ("days",), ("findings",), ("lines",), ("lines", "--claimable"), ("lines", "--unclaimed"), ("status",),
    ("findings", "--format", "table"), ("lines", "--claimable", "--format", "table"),
    ("why", EP, "2026-11-02"), ("replay", EP),
    ("days", "--known-at", "2098-01-01T00:00Z"), ("diff", EP, "--claimed"),
    ("diff", EP, "--between", "2026-01-01T00:00Z", "2098-01-01T00:00Z"),
    ("page", EP, "--out", "page.html"), ("bundle", EP, "--out", "bundle.zip"), ("report",),
    ("close", "2026-10", *ANYWAY), ("close", "2026-10", "--check"), ("status", "--technical"),
    ("close", "--list"), ("restatements", "2026-10"), ("rebuild", "--check"), ("rebuild",),
    ("rebuild", "--processes", "2"), ("rebuild", "--quarantine"), ("days",), ("rebuild", "--back"),
    ("what-if", "--set", "alpha.pain_assessment_days=14"), ("export", "days", "--format", "jsonl", "--out", "exported"),
    ("export", "events", "--format", "cloudevents", "--out", "exported"), ("follow", "--once", "--since", "0"),
    ("verify",), ("checkpoint", "--out", "one.checkpoint"), ("backup", "--out", "one.backup"),
    ("restore", "--check", "one.backup"), ("restore", "--check", "ledger.db"), ("doctor",),
    ("tell", EP, "PainAssessed", "date=2026-02-03", "score=4", "--dry-run"),
    ("resolve", EP, "2026-11-02", "nothing", "--reason", "x", "--dry-run"),
    ("void-episode", EP, "--reason", "x", "--dry-run"), ("move-patient", EP, "P-9", "--reason", "x", "--dry-run"),
    ("payments",), ("payments", "--by", "line"), ("payments", "--unmatched"),
    ("claims", "list"), ("claims", "plan"), ("claims", "prepare"),
    ("claims", "write", "--out", "written", "--dry-run"), ("claims", "again", "NONE", "--out", "again.837"),
    ("worklist",), ("remit", "paid.835"), ("ack", "taken.277"), ("archive", "--out", "archive", "--in-the-open"),
)  # fmt: skip
ELSEWHERE = {
    "record": "every way to refuse a line is tried below",
    "import": "a spreadsheet is tried below",
    "serve": "tests/commands/web",
    "judge": "it reads an archive, and no ledger that could be damaged",
    "migrate": "PostgreSQL",
    **dict.fromkeys(("correct", "retract", "unretract"), "as tell and resolve, through the same door and effect"),
    **dict.fromkeys(("merge-patients", "part-patients", "forget"), "its patients are named by whoever asks"),
    **dict.fromkeys(("worklist assign", "worklist note", "worklist done-until", "access"), "test_identity_is_nowhere"),
    **dict.fromkeys(("claims read", "claims check", "assign-remittance"), "test_identity_is_nowhere"),
    **dict.fromkeys(("users add", "users disable", "users list", "users reset", "users role"), "no ledger"),
    **dict.fromkeys(("book check", "book diff", "book new", "book show"), "no ledger"),
    **dict.fromkeys(("master-key", "completion", "help"), "no ledger"),
}
"""Commands that are not run over a damaged ledger, and why."""


def test_every_command_is_tried_or_said_to_be_needless() -> None:
    assert every_command() - commands_in(READS) == ELSEWHERE.keys()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A ledger with every fact, marked, caught up; the working folder and the folder for passing files are its own."""
    made = kept.house(tmp_path, "marked", _tell_marked)
    passing = tmp_path / "passing"
    passing.mkdir()
    monkeypatch.chdir(tmp_path)
    for name, file in (("paid.835", PAID), ("taken.277", TAKEN_IN)):
        (tmp_path / name).write_bytes(file.read_bytes().replace(b"EXAMPLE", MARK.encode()))
    monkeypatch.setenv("TMPDIR", str(passing))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path.parent / "settings"))
    monkeypatch.setenv("HOME", str(tmp_path.parent / "nobody"))
    monkeypatch.setattr("tempfile.tempdir", None)
    return made


def _tell_marked(house: House) -> None:
    assert house.tell(*history(), options=("--identity-in-the-open",)).status == 0
    assert house.run("days").status == 0


def assert_silent(ended: Ended, *, also_output: bool = False) -> None:
    """No message holds the mark; where nothing was to be shown, the output neither."""
    messages = [line for line in ended.err.splitlines() if NAMED_ON_PURPOSE not in line]
    assert MARK.lower() not in "\n".join(messages).lower()
    assert "Traceback" not in ended.err
    assert "unforeseen" not in ended.err
    if also_output or ended.status in (2, 3):
        assert MARK.lower().encode() not in ended.out.lower()


def test_every_field_that_takes_text_is_marked() -> None:
    texts = json.dumps(history())
    for name in ("patient", "member", "order", "note", "reason", "item", "hold", "stay", "claim", "rx", "drug", "plan"):
        assert f"{MARK} fact.{name}" in texts


WHO = ("last", "first", "middle", "address", "address2", "city")
WHO_THEY_ARE = (*(f"{MARK} fact.{name}" for name in WHO), "1948-05-06", "1950-01-31", "55802", "558021234")
"""What says who somebody is, in the marked history: in no output, page, bundle, export, message or file."""


def test_who_somebody_is_is_shown_nowhere(house: House) -> None:
    assert all(each in json.dumps(history()) for each in WHO_THEY_ARE)
    who = next(line for line in history() if line["fact"]["type"] == "PatientIdentified")
    target = {"target_source": who["source"], "target_id": who["id"], "reason": "misspelt"}
    assert house.tell(told({"type": "FactCorrected", **target, "fact": who["fact"]}, "mended")).status == 0
    before = {path for path in house.folder.rglob("*") if path.is_file()}
    key = house.folder.parent / "settings" / f"{house.folder.name}.key"
    create_key(key, "house.example/l")
    signed = ("bundle", EP, "--out", "signed.zip", "--key", key)
    for command in (*READS, ("payments",), ("claims", "list"), signed):
        ended = house.run(*command)
        shown = ended.out.decode() + ended.err
        assert [each for each in WHO_THEY_ARE if each in shown] == [], command
    made = {path for path in house.folder.rglob("*") if path.is_file()} - before
    holds_entries = ("one.backup",)
    written = [path for path in [*made, house.views.resolve()] if path.name not in holds_entries]
    assert {"page.html", "signed.zip"} <= {path.name for path in written}
    for path in written:
        content = path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as bundle:
                content = b"".join(bundle.read(name) for name in bundle.namelist())
        assert [each for each in WHO_THEY_ARE if each.encode() in content] == [], path.name


def refused() -> Iterator[tuple[str, list[Told] | bytes, tuple[str, ...]]]:
    """A line for each way to be refused."""
    first = history()[0]
    later = told(marked({"type": "DayServed", "order": "x", "date": "2026-11-02"}), "new")
    retracted = {"type": "FactRetracted", "target_source": MARK, "target_id": MARK, "reason": MARK}
    opening = first["fact"]
    bring = ("--keep-recorded-at",)
    yield "identity_reused", [told(later["fact"] | {"date": "2026-11-03"}, first["id"])], ()
    yield "not_opened", [later | {"episode": f"{MARK}-2"}], ()
    yield "already_opened", [told(opening, "again")], ()
    yield "recorded_at_not_allowed", [later | {"recorded_at": "2026-11-02T00:00Z"}], ()
    yield "clock_backwards", [later | {"recorded_at": "2020-11-02T00:00Z"}], bring
    yield "clock_future", [later | {"recorded_at": "2090-11-02T00:00Z"}], bring
    yield "no_target", [told(retracted, "r")], ()
    target = retracted | {"target_source": first["source"], "target_id": first["id"]}
    yield "target_not_correctable", [told(target, "r")], ()
    own = {"type": "ServiceBilledSeparately", "code": "S9325", "from": "2026-11-02", "billed_by": opening["provider"]}
    yield "own_per_diem", [told(own, "o")], ()
    yield "malformed", [later | {"fact": later["fact"] | {MARK: MARK}}], ()
    yield "malformed", lines_of([later])[:-9] + b"\n", ()
    yield "malformed", lines_of([later]).replace(b"DayServed", MARK.encode()), ()
    yield "too_large", [later | {"by": MARK * 10_000}], ()


@pytest.mark.parametrize(("code", "lines", "options"), list(refused()))
@pytest.mark.parametrize("form", ["json", "table", "csv"])
def test_no_refusal_repeats_what_was_told(
    house: House, code: str, lines: list[Told] | bytes, options: tuple[str, ...], form: str
) -> None:
    stdin = lines if isinstance(lines, bytes) else lines_of(lines)
    ended = house.run("record", "-", *options, "--format", form, stdin=stdin)
    assert ended.status == 1
    assert code.encode() in ended.out
    assert_silent(ended, also_output=True)


SHEET_ROWS = (
    f"{MARK},{MARK},1/2/2026,{MARK},CONFIRMED,", f"{EP},{MARK},1/2/2026,1/3/2026,{MARK},", f"{EP},{MARK}",
    f'{EP},"{MARK}"{MARK},1/2/2026,1/3/2026,CONFIRMED,', f"{EP},{MARK * 99},1/2/2026,1/3/2026,CONFIRMED,{MARK}",
    f"{EP},,1/2/2026,1/3/2026,CONFIRMED,{MARK}", f"{EP},T,1/3/2026,1/2/2026,CONFIRMED,yes", f'{EP},"{MARK}',
)  # fmt: skip
SHEET_MAP = """
source = "s"
episode = "{Episode}"
[tables.t]
"A" = "b"
[[sheets]]
[[sheets.facts]]
type = "DaysServed"
id = "{Ticket}"
[sheets.facts.fields]
order = { text = "{Ticket}", table = "t" }
from = "{From}"
to = "{To}"
infused = "{Infused}"
"""


@pytest.mark.parametrize("form", ["json", "table", "csv"])
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_no_refused_row_of_a_spreadsheet_is_repeated(house: House, form: str, dry: tuple[str, ...]) -> None:
    sheet, mapping = house.folder / "sheet.csv", house.folder / "map.toml"
    sheet.write_text("\n".join(["Episode,Ticket,From,To,Status,Infused", *SHEET_ROWS]), encoding="utf-8")
    mapping.write_text(SHEET_MAP)
    ended = house.run("import", sheet, "--map", mapping, "--format", form, *dry, "--refused", house.folder / "mend")
    assert ended.status == 1
    assert "0 recorded, 0 duplicate, 8 refused" in ended.err
    assert_silent(ended, also_output=True)


def test_columns_in_vain_and_two_rows_under_one_id_are_told_without_data(house: House) -> None:
    sheet, mapping = house.folder / "sheet.csv", house.folder / "map.toml"
    header = "Episode,Ticket,From,To,Status,Infused\n"
    sheet.write_text(f"{MARK} {header}", encoding="utf-8")
    mapping.write_text(SHEET_MAP)
    ended = house.run("import", sheet, "--map", mapping)
    assert ended.status == 2
    assert 'has no column "Episode"' in ended.err
    mapping.write_text(SHEET_MAP.replace(', table = "t"', ""))
    sheet.write_text(header + f"{EP},{MARK},1/2/2026,1/3/2026,C,\n{EP},{MARK},1/2/2026,1/4/2026,C,\n")
    ended = house.run("import", sheet, "--map", mapping, "--yes")
    assert ended.status == 1
    assert "row 3: tells otherwise what row 2 tells" in ended.err
    assert_silent(ended)


def plant(file: Path, statement: str) -> None:
    """A change by somebody who drops the guards first, and puts them back."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA ignore_check_constraints = 1")
        connection.execute(statement)
        for _, sql in guards:
            connection.execute(sql)


def _overwrite(file: Path) -> None:
    for ending in ("-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
    file.write_bytes(f"{MARK} is no database\n".encode() * 500)


def _tear(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096 : 4096 + 600] = (MARK.encode() * 60)[:600]
    file.write_bytes(content)


LAST = "(SELECT max(position) FROM entries)"
DAMAGES: dict[str, Callable[[House], None]] = {
    "a text cut off": lambda h: plant(
        h.ledger, f"UPDATE entries SET state = substr(state, 1, 150) WHERE position = {LAST}"
    ),
    "a text that is no UTF-8": lambda h: plant(
        h.ledger, f"UPDATE entries SET state = CAST(CAST(state AS BLOB) || x'ff' AS TEXT) WHERE position = {LAST}"
    ),
    "a text of another schema": lambda h: plant(
        h.ledger, f"UPDATE entries SET state = json_set(state, '$.schema', '{MARK}') WHERE position = {LAST}"
    ),
    "a fact of an unknown type": lambda h: plant(
        h.ledger, f"UPDATE entries SET topic = '{MARK}' WHERE position = {LAST}"
    ),
    "another episode": lambda h: plant(
        h.ledger, f"UPDATE entries SET originator_id = '{MARK}' WHERE position = {LAST}"
    ),
    "an opening that is gone": lambda h: plant(h.ledger, "DELETE FROM entries WHERE position = 1"),
    "a seal that does not fit": lambda h: plant(h.ledger, "UPDATE entries SET seal = zeroblob(32) WHERE position = 3"),
    "a patient that is no UTF-8": lambda h: plant(
        h.ledger, "UPDATE patients SET patient = CAST(CAST(patient AS BLOB) || x'ff' AS TEXT)"
    ),
    "an episode that is no UTF-8": lambda h: plant(
        h.ledger, f"UPDATE patients SET episode = CAST('{MARK}' || x'ff' AS TEXT)"
    ),
    "a guard that is gone": lambda h: _execute(h.ledger, "DROP TRIGGER entries_update"),
    "a marked guard": lambda h: _execute(
        h.ledger, f"CREATE TRIGGER {MARK} AFTER INSERT ON entries BEGIN SELECT 1; END"
    ),
    "a file that is no database": lambda h: _overwrite(h.ledger),
    "a torn page": lambda h: _tear(h.ledger),
    "rows that are no UTF-8": lambda h: _execute(
        h.views.resolve(), "UPDATE day_runs SET patient = CAST(CAST(patient AS BLOB) || x'ff' AS TEXT)"
    ),
    "a read model that is no database": lambda h: _overwrite(h.views.resolve()),
    "a torn read model": lambda h: _tear(h.views.resolve()),
}


NAMES_AN_EPISODE = ("a marked guard", "another episode", "an episode that is no UTF-8")
"""There the mark is no patient's: episodes are named, and what somebody added to the file."""


def _execute(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(statement)


@pytest.mark.sqlite_file
@pytest.mark.parametrize("damage", DAMAGES)
def test_no_command_over_a_damaged_file_names_a_patient(house: House, damage: str) -> None:
    DAMAGES[damage](house)
    for command in READS:
        ended = house.run(*command)
        shows = command[0] in ("verify", "checkpoint", "backup", "restore", "doctor")
        if damage not in NAMES_AN_EPISODE:
            assert_silent(ended, also_output=shows)
    ended = house.tell(told({"type": "DayServed", "order": MARK, "date": "2026-11-02"}, "new"))
    if damage not in NAMES_AN_EPISODE:
        assert_silent(ended)
    assert list((house.folder / "passing").iterdir()) == []


@pytest.mark.parametrize("error", [ValueError(MARK), KeyError(MARK), AssertionError(MARK), TypeError({MARK: 1})])
def test_a_fault_of_ours_does_not_repeat_what_it_was_about(
    house: House, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(catch_up, "load_patient", fails)
    assert house.tell(told({"type": "DayServed", "order": MARK, "date": "2026-11-03"}, "new")).status == 0
    ended = house.run("days")
    assert ended.status == 3
    assert MARK not in ended.err


def test_passing_files_hold_nothing_of_a_patient(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write to the folder for passing files is noted while the commands run."""
    monkeypatch.chdir(tmp_path)  # some of them write what they are told to write
    passing, notes = tmp_path / "passing", tmp_path / "notes"
    os.environ["TMPDIR"] = str(passing)
    with Stage(tmp_path, shim=True) as stage:
        for command in READS:
            args = ["--ledger", str(house.ledger), "--book", str(house.book), *command]
            stage.run("command", Arms(f"{passing}/", str(notes)), args=args)
            assert not any(MARK.encode() in note.data for note in notes_of(notes) if note.kind != "A"), command
    assert list(passing.iterdir()) == []


def test_files_beside_the_ledger_are_for_its_owner_alone(house: House) -> None:
    before = os.umask(0)
    try:
        for command in READS:
            house.run(*command)
    finally:
        os.umask(before)
    made = [path for path in house.folder.glob("ledger*") if path.is_file() and not path.is_symlink()]
    assert len(made) > 1
    assert {oct(path.stat().st_mode & 0o777) for path in made} == {"0o600"}
