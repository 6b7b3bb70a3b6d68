"""``backup`` and ``restore``: one file of one moment, proved before it is named; and nothing else passes for one."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from ledger.recorders.sqlite import backup as sqlite_backup
from ledger.recorders.sqlite import backup_file
from ledger.recorders.sqlite.backup_file import Held
from ledger.store import EpisodeLedger, open_ledger
from ledger.unfinished import left_behind, unfinished
from tests.command_line import SERVED, House, assert_plain, example, forked, lines_of, run, status_of, told
from tests.tampering import (
    alter,
)

pytestmark = pytest.mark.sqlite_file


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    assert made.tell(*example()).status == 0
    return made


@pytest.fixture
def backup(house: House) -> Path:
    file = house.folder / "one.backup"
    ended = house.run("backup", "--out", file)
    assert (ended.status, ended.out) == (0, b"")
    return file


def content(path: Path) -> tuple[object, ...]:
    with open_ledger(path, create=False) as ledger:
        return ledger.id, list(ledger.scan()), ledger.seal_at(ledger.position()), ledger.extents(ledger.position())


def test_a_restored_backup_is_the_ledger_with_its_id_and_seals(house: House, backup: Path) -> None:
    restored = house.folder / "restored.db"
    ended = house.run("restore", backup, "--out", restored)
    assert ended.status == 0
    assert "Restored into" in ended.err
    assert content(restored) == content(house.ledger)
    assert run("--ledger", restored, "verify", "--key", house.folder / "none").status == 0
    assert run("--ledger", restored, "--book", house.book, "days").out == house.run("days").out


def test_a_restored_ledger_can_be_carried_on(house: House, backup: Path) -> None:
    restored = house.folder / "restored.db"
    assert run("--ledger", restored, "restore", backup).status == 0
    more = lines_of([*example(), told("later", SERVED | {"date": "2026-02-20"})])
    outcomes = [row["outcome"] for row in run("--ledger", restored, "record", "-", stdin=more).rows]
    assert outcomes == ["duplicate"] * len(example()) + ["recorded"]


def test_a_backup_is_one_file_for_its_owner_alone(house: House, backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    beside = {file.name for file in house.folder.iterdir()} - {"ledger.db", "book"}
    assert beside == {"one.backup"}
    with closing(sqlite3.connect(backup)) as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_it_holds_what_stands_in_the_log_only(house: House) -> None:
    with open_ledger(house.ledger, create=False) as ledger:
        assert ledger.position() == len(example())  # while it is connected, nobody is the last to leave
        house.tell(told("in the log", SERVED | {"date": "2026-02-21"}))
        assert house.ledger.with_name("ledger.db-wal").stat().st_size > 0
        backup, plain = house.folder / "one.backup", house.folder / "plain.db"
        assert house.run("backup", "--out", backup).status == 0
        shutil.copyfile(house.ledger, plain)
        position = ledger.position()
    assert f"{position} entries" in house.run("restore", "--check", backup).err
    assert content(plain) != content(house.ledger)


def test_a_check_says_what_it_holds_and_leaves_nothing(house: House, backup: Path) -> None:
    before = sorted(house.folder.iterdir())
    ended = house.run("restore", "--check", backup)
    assert ended.status == 0
    assert f"The backup is good: {len(example())} entries of ledger " in ended.err
    assert sorted(house.folder.iterdir()) == before


def test_a_plain_copy_is_refused(house: House) -> None:
    plain = house.folder / "plain.db"
    shutil.copyfile(house.ledger, plain)
    for args in (["--check"], ["--out", house.folder / "restored.db"]):
        assert_plain(house.run("restore", plain, *args), 2, "a plain copy of a ledger's file, not a backup")
    assert not (house.folder / "restored.db").exists()


def test_the_ledger_itself_is_refused_as_a_backup(house: House) -> None:
    assert_plain(house.run("restore", "--check", house.ledger), 2, "a plain copy")


def test_a_restored_ledger_is_a_backup_no_more(house: House, backup: Path) -> None:
    restored = house.folder / "restored.db"
    house.run("restore", backup, "--out", restored)
    assert_plain(house.run("restore", "--check", restored), 2, "a plain copy")


def test_other_files_are_refused(house: House) -> None:
    other = house.folder / "other.db"
    with closing(sqlite3.connect(other)) as file:
        file.execute("CREATE TABLE t (a)")
    (house.folder / "text").write_text("no database")
    assert_plain(house.run("restore", "--check", other), 2, "another program's database")
    assert_plain(house.run("restore", "--check", house.folder / "text"), 2, "no SQLite file")
    assert_plain(house.run("restore", "--check", house.folder / "none"), 2, "there is no backup at")


def test_nothing_is_written_over(house: House, backup: Path) -> None:
    before = backup.read_bytes(), house.ledger.read_bytes()
    assert_plain(house.run("backup", "--out", backup), 2, "is there already")
    assert_plain(house.run("backup", "--out", house.ledger), 2, "is there already")
    assert_plain(house.run("restore", backup), 2, "is there already")
    assert (backup.read_bytes(), house.ledger.read_bytes()) == before


def test_a_file_that_appears_meanwhile_is_not_written_over(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    out = house.folder / "late.backup"
    proves = backup_file.restored

    def slowly(file: Path, to: Path, held: Held) -> None:
        proves(file, to, held)
        out.write_bytes(b"somebody's")

    monkeypatch.setattr(backup_file, "restored", slowly)
    assert_plain(house.run("backup", "--out", out), 2, "is there already")
    assert out.read_bytes() == b"somebody's"


def test_a_log_left_by_a_lost_ledger_is_not_taken_for_the_restored_ones(house: House, backup: Path) -> None:
    restored = house.folder / "restored.db"
    restored.with_name("restored.db-wal").write_bytes(b"entries")
    assert_plain(house.run("restore", backup, "--out", restored), 2, "restored.db-wal belongs to another ledger")
    assert not restored.exists()


def test_a_backup_that_another_program_opened_is_refused(house: House, backup: Path) -> None:
    backup.with_name(backup.name + "-wal").write_bytes(b"")
    assert_plain(house.run("restore", "--check", backup), 2, "another program left its -wal beside it")


def test_nobody_records_into_a_backup(house: House, backup: Path) -> None:
    before = backup.read_bytes()
    assert_plain(run("--ledger", backup, "record", "-", stdin=b""), 3, "is a backup; 'episode-ledger restore' makes")
    assert backup.read_bytes() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET state = replace(state, 'rn-1', 'rn-2')",
        "DELETE FROM entries WHERE position = (SELECT max(position) FROM entries)",
        "UPDATE backup SET value = '3' WHERE key = 'entries'",
        "UPDATE backup SET value = 'x' WHERE key = 'entries'",
        "UPDATE backup SET value = '' WHERE key = 'head'",
        "DELETE FROM backup",
        "PRAGMA application_id = 0",
        "DROP TABLE backup",
        "SELECT 1",
    ],
)
def test_an_altered_backup_is_found_and_not_restored(house: House, backup: Path, statement: str) -> None:
    alter(backup, statement)
    restored = house.folder / "restored.db"
    for args in (["--check"], ["--out", restored]):
        ended = house.run("restore", backup, *args)
        assert ended.status == 1
        assert "is damaged" in ended.err
        assert "nothing was restored" in ended.err
    assert not restored.exists()


def test_a_ledger_that_does_not_hold_gets_no_backup(house: House) -> None:
    alter_seal = "UPDATE entries SET seal = zeroblob(32) WHERE position = 3"
    with closing(sqlite3.connect(house.ledger, isolation_level=None)) as file:
        (guard,) = file.execute("SELECT sql FROM sqlite_master WHERE name = 'entries_update'").fetchone()
        file.execute("DROP TRIGGER entries_update")
        file.execute(alter_seal)
        file.execute(guard)
    ended = house.run("backup", "--out", house.folder / "one.backup")
    assert ended.status == 1
    assert "no backup was made" in ended.err
    assert not (house.folder / "one.backup").exists()


def test_an_empty_ledger_can_be_backed_up(tmp_path: Path) -> None:
    ledger, file = tmp_path / "ledger.db", tmp_path / "b"
    open_ledger(ledger, create=True).close()
    assert run("--ledger", ledger, "backup", "--out", file).status == 0
    assert run("restore", "--check", file).status == 0


def test_no_ledger_and_no_folder_are_said_plainly(house: House, tmp_path: Path) -> None:
    out = tmp_path / "x"
    assert_plain(run("--ledger", tmp_path / "none.db", "backup", "--out", out), 2, "there is no ledger")
    assert_plain(house.run("backup", "--out", tmp_path / "none" / "x"), 2, "does not exist")
    assert_plain(house.run("restore", "--check", out, "--out", out), 2, "leave out --out")


def test_a_read_model_beside_a_restored_ledger_is_built_anew(house: House) -> None:
    backup = house.folder / "old.backup"
    house.run("backup", "--out", backup)
    house.tell(told("later", SERVED | {"date": "2026-02-22"}))
    house.run("days")
    for ending in ("", "-wal", "-shm"):
        house.ledger.with_name(f"ledger.db{ending}").unlink(missing_ok=True)
    assert house.run("restore", backup).status == 0
    ended = house.run("days")
    assert "The read model is built anew: the ledger was put back to an earlier state" in ended.err
    assert "2026-02-22" not in ended.out.decode()


def test_a_disk_without_links_gets_its_backup_by_renaming(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", cannot)
    out = house.folder / "one.backup"
    assert house.run("backup", "--out", out).status == 0
    assert house.run("restore", "--check", out).status == 0


def test_the_ledger_goes_on_while_it_is_copied(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry recorded between two steps of the copy is not in it, and does not make it start again."""
    monkeypatch.setattr(sqlite_backup, "PAGES_AT_ONCE", 1)
    steps: list[int] = []

    def records(done: int, of: int) -> None:
        if not steps:
            assert house.tell(told("meanwhile", SERVED | {"date": "2026-02-23"})).status == 0
        steps.append(done)

    out = house.folder / "one.backup"
    held = sqlite_backup.backup(str(house.ledger), out, "2026-11-23T00:00:00Z", records)
    assert held.entries == len(example())
    assert steps == sorted(steps)
    with open_ledger(house.ledger, create=False) as ledger:
        assert isinstance(ledger, EpisodeLedger)
        assert ledger.position() == held.entries + 1


def killed(house: House, when: str, *args: object) -> Path:
    """A command that is killed once it has made a copy, and the folder it leaves."""

    def act() -> int:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(backup_file, when, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
            return house.run(*args).status

    assert status_of(forked(act)) == -signal.SIGKILL
    (left,) = left_behind(house.folder)
    assert any(left.iterdir())
    return left


COMMANDS = {
    "a backup": ("backup", "--out", "{folder}/two.backup"),
    "a restore": ("restore", "{folder}/one.backup", "--out", "{folder}/two.db"),
    "a check": ("restore", "--check", "{folder}/one.backup"),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_what_a_killed_one_left_is_found_by_doctor_and_swept_by_the_next(house: House, backup: Path, what: str) -> None:
    args = [arg.format(folder=house.folder) for arg in COMMANDS[what]]
    left = killed(house, "refuse_unlike", *args)
    found = [row for row in house.run("doctor").rows if row["check"] == "left behind"]
    assert [(row["state"], str(left) in row["says"]) for row in found] == [("warn", True)]
    assert house.run("restore", "--check", backup).status == 0
    assert not left.exists()
    (row,) = [row for row in house.run("doctor").rows if row["check"] == "left behind"]
    assert row["state"] == "ok"


def test_what_a_running_one_works_in_is_not_swept(house: House, backup: Path) -> None:
    with unfinished(house.folder / "other.backup") as folder:
        (folder / "backup").write_bytes(b"half of it")
        assert left_behind(house.folder) == []
        assert house.run("restore", "--check", backup).status == 0
        assert (folder / "backup").exists()


def test_a_folder_in_which_something_else_lies_is_nobodys_to_sweep(house: House, backup: Path) -> None:
    stranger = house.folder / ".photographs.unfinished-a1b2c3d4"
    stranger.mkdir()
    (stranger / "holiday.jpg").write_bytes(b"")
    assert house.run("restore", "--check", backup).status == 0
    assert (stranger / "holiday.jpg").exists()


def test_doctor_looks_where_it_is_told_that_backups_are_made(house: House, tmp_path: Path) -> None:
    left = tmp_path / "elsewhere" / ".one.backup.unfinished-a1b2c3d4"
    left.mkdir(parents=True)
    said = [row["says"] for row in house.run("doctor", "--backups", left.parent).rows if row["check"] == "left behind"]
    assert said == [f"{left}: of a backup or restore that was killed"]


def test_where_nothing_can_be_locked_a_backup_is_made_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("ledger.unfinished.locked", cannot)
    assert house.run("backup", "--out", house.folder / "one.backup").status == 0
    assert left_behind(house.folder) == []
