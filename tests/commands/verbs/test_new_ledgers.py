"""A ledger is never made by mistake: in silence, in another place than was meant, or plain where it may not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import BOOK, INTAKE, assert_plain, run

VARIABLES = (
    "EPISODE_LEDGER", "EPISODE_BOOK", "EPISODE_VIEWS", "EPISODE_MASTER_KEY_FILE", "EPISODE_MASTER_KEY",
    "EPISODE_MUST_EXIST", "EPISODE_MUST_ENCRYPT",
)  # fmt: skip


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = tmp_path / "keys" / "ledger.key"
    assert run("master-key", made).status == 0
    return made


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, in which commands are run."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_that_is_set_and_empty_is_an_error_and_nothing_is_made(here: Path, name: str) -> None:
    for command in (["record", INTAKE], ["days"]):
        assert_plain(run(*command, env={name: ""}), 2, name, "empty")
    assert list(here.iterdir()) == []


def test_so_is_the_empty_variable_of_the_signing_key(here: Path) -> None:
    assert run("record", INTAKE).status == 0
    for command in (["checkpoint"], ["doctor"], ["verify"], ["checkpoint", "--init-key"]):
        assert_plain(run(*command, env={"EPISODE_LEDGER_KEY": ""}), 2, "EPISODE_LEDGER_KEY", "empty")


@pytest.mark.parametrize("option", ["--ledger", "--book", "--views", "--master-key"])
def test_so_is_an_empty_option(here: Path, option: str) -> None:
    assert_plain(run(option, "", "record", INTAKE), 2, option)
    assert list(here.iterdir()) == []


def test_an_option_wins_over_its_empty_variable(here: Path, key: Path) -> None:
    ended = run("--master-key", key, "record", INTAKE, env={"EPISODE_MASTER_KEY_FILE": ""})
    assert ended.status == 0
    assert "encrypted under master key" in ended.err


def test_record_says_once_that_it_made_a_ledger_where_and_that_it_is_not_encrypted(here: Path) -> None:
    ended = run("--ledger", "new.db", "record", INTAKE)
    assert ended.status == 0
    assert f"Made a new ledger: {here / 'new.db'}, not encrypted." in ended.err.splitlines()
    assert "Made" not in run("--ledger", "new.db", "record", INTAKE).err
    assert "Made" not in run("--ledger", "new.db", "days").err


def test_record_says_that_it_made_an_encrypted_one(here: Path, key: Path) -> None:
    ended = run("record", INTAKE, env={"EPISODE_MASTER_KEY_FILE": str(key)})
    assert f"Made a new ledger: {here / 'ledger.db'}, encrypted under master key" in ended.err
    assert "Made" not in run("record", INTAKE, env={"EPISODE_MASTER_KEY_FILE": str(key)}).err


@pytest.mark.parametrize("how", ["option", "variable"])
def test_where_a_ledger_must_exist_none_is_made(here: Path, how: str) -> None:
    named, env = (["--must-exist"], {}) if how == "option" else ([], {"EPISODE_MUST_EXIST": "1"})
    assert_plain(run(*named, "--ledger", "wrong.db", "record", INTAKE, env=env), 2, "there is no ledger", "must-exist")
    assert list(here.iterdir()) == []
    assert run("record", INTAKE).status == 0
    assert run(*named, "record", INTAKE, env=env).status == 0
    assert run(*named, "days", env=env).status == 0


@pytest.mark.parametrize("how", ["option", "variable"])
def test_where_a_ledger_must_be_encrypted_a_plain_one_is_neither_made_nor_used(here: Path, key: Path, how: str) -> None:
    named, env = (["--must-encrypt"], {}) if how == "option" else ([], {"EPISODE_MUST_ENCRYPT": "true"})
    assert_plain(run(*named, "record", INTAKE, env=env), 2, "must-encrypt")
    assert list(here.iterdir()) == []
    assert run("record", INTAKE).status == 0
    for command in (["record", INTAKE], ["days"], ["status"], ["page", "EP-1"], ["doctor"]):
        ended = run(*named, *command, env=env)
        assert (ended.status, "must-encrypt" in ended.err + str(ended.out)) == (1 if command == ["doctor"] else 2, True)
    under = env | {"EPISODE_MASTER_KEY_FILE": str(key)}
    assert run(*named, "--ledger", "kept.db", "record", INTAKE, env=under).status == 0
    assert run(*named, "--ledger", "kept.db", "--book", BOOK, "days", env=under).status == 0


def test_where_a_ledger_must_be_encrypted_no_plain_backup_is_restored(here: Path, key: Path) -> None:
    under = {"EPISODE_MASTER_KEY_FILE": str(key)}
    assert run("record", INTAKE).status == 0
    assert run("backup", "--out", "plain.backup").status == 0
    assert_plain(run("--must-encrypt", "restore", "plain.backup", "--out", "again.db"), 2, "must-encrypt")
    assert not (here / "again.db").exists()
    assert run("--ledger", "kept.db", "record", INTAKE, env=under).status == 0
    assert run("--ledger", "kept.db", "backup", "--out", "kept.backup", env=under).status == 0
    assert run("--must-encrypt", "restore", "kept.backup", "--out", "again.db").status == 0


@pytest.mark.parametrize("rest", ["", "s3cret", "/s3cret", "//s3cret/x"])
@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "POSTGRESQL", "sqlite", "http", "postgresql+psycopg"])
def test_a_name_that_looks_like_a_url_names_no_file(here: Path, scheme: str, rest: str) -> None:
    if scheme in ("postgresql", "postgres") and rest.startswith("//"):
        return  # that is one
    for command in (["record", INTAKE], ["days"], ["restore", "kept.backup"], ["verify"]):
        ended = run("--ledger", f"{scheme}:{rest}", *command)
        assert_plain(ended, 2)
        assert "s3cret" not in ended.err
    assert list(here.iterdir()) == []


def test_a_file_with_a_colon_in_its_name_is_named_by_its_path(here: Path) -> None:
    assert run("--ledger", "./alpha:2026.db", "record", INTAKE).status == 0
    assert run("--ledger", here / "alpha:2026.db", "days").status == 0
    assert run("--ledger", "2026-11-28T10:00.db", "record", INTAKE).status == 0
