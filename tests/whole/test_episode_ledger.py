"""The one documented import, and the command's look at whether it can run where it was started."""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import commands
import episode_ledger
import ledger
import projections
from episode_ledger import check, names

ROOT = Path(__file__).resolve().parent.parent.parent
VERSION = [sys.executable, "-m", "episode_ledger", "--version"]
ON_WINDOWS = "import sys; sys.modules['fcntl'] = None; sys.platform = 'win32'; "


def run(*command: str, path: str = "", cwd: Path = ROOT / "docs") -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, with folders before ours on the path."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (path, str(ROOT))))}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder with another program's package of a name of ours, whose import must not happen."""
    package = tmp_path / "elsewhere" / "commands"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('the foreign package was imported')\n", encoding="utf-8")
    return package.parent


def test_the_documented_example_does_what_it_says() -> None:
    outcome = doctest.testmod(episode_ledger)
    assert outcome.attempted > 8
    assert outcome.failed == 0


def test_every_promised_name_is_documented_and_there() -> None:
    promise = str(episode_ledger.__doc__).partition("What there is:")[2]
    for name in names.__all__:
        assert getattr(episode_ledger, name) is getattr(names, name)
        assert re.search(rf"\b{name}\b", promise), f"{name} is promised but not described"


def test_what_is_not_promised_is_not_there() -> None:
    with pytest.raises(AttributeError):
        episode_ledger.House  # type: ignore[attr-defined]


def test_any_command_runs_without_a_process_of_its_own(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    intake = ROOT / "docs" / "examples" / "after-surgery.jsonl"
    ours = ["--ledger", str(tmp_path / "ledger.db")]
    assert episode_ledger.run([*ours, "record", "--keep-recorded-at", str(intake)]) == 0
    assert episode_ledger.run([*ours, "verify", "--format", "json"]) == 0
    assert json.loads(capfdbinary.readouterr().out.splitlines()[-1])


def test_the_command_starts_without_loading_what_it_is_not_asked_for() -> None:
    code = "import episode_ledger.__main__, sys; print(*sys.modules)"
    loaded = run(sys.executable, "-c", code).stdout.split()
    assert "episode_ledger.check" in loaded
    assert {"click", "eventsourcing", *check.PACKAGES}.isdisjoint(loaded)


def test_the_command_ends_without_looking_through_all_it_loaded() -> None:
    """What is left at the end goes with the process."""
    ended = (
        "import atexit, gc, sys; from episode_ledger.__main__ import main;"
        "atexit.register(lambda: print(gc.get_freeze_count() > 10_000)); sys.argv = ['episode-ledger', {}]; main()"
    )
    for asked in ("'--version'", "'no such verb'"):
        assert run(sys.executable, "-c", ended.format(asked)).stdout.splitlines()[-1] == "True"
    assert run(sys.executable, "-c", ended.format("''").replace("main()", "0")).stdout == "False\n"


def test_the_command_runs_here() -> None:
    ended = run(*VERSION)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("episode-ledger, version ")


def test_another_programs_package_is_named_and_not_imported(foreign: Path) -> None:
    ended = run(*VERSION, path=str(foreign))
    assert (ended.returncode, ended.stdout) == (2, "")
    first, hint = ended.stderr.splitlines()
    there = foreign / "commands" / "__init__.py"
    assert first == f"episode-ledger: the package 'commands' that Python finds is not Episode Ledger's own: {there}"
    assert hint.startswith("hint: install Episode Ledger in an environment of its own, such as 'pipx install .' makes;")


def test_another_programs_package_in_the_current_folder_is_named(foreign: Path) -> None:
    ended = run(*VERSION, cwd=foreign)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "'commands'" in ended.stderr


def test_a_folder_of_that_name_without_a_package_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "ledger").mkdir()
    assert run(*VERSION, cwd=tmp_path).returncode == 0


def test_another_programs_module_that_is_imported_already_is_named() -> None:
    code = "import sys, types; sys.modules['ledger'] = types.ModuleType('ledger'); from episode_ledger import Setup"
    ended = run(sys.executable, "-c", code)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("episode_ledger.check.CannotRun: the package 'ledger'")


def test_a_package_installed_over_ours_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in check.PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f'"""{check.MARK}"""\n', encoding="utf-8")
    monkeypatch.setattr(check, "HOME", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in check.PACKAGES:
        monkeypatch.delitem(sys.modules, name)
    check.check_can_run()
    (tmp_path / "projections" / "__init__.py").write_text("", encoding="utf-8")
    with pytest.raises(check.CannotRun, match="'projections'"):
        check.check_can_run()


@pytest.mark.parametrize("package", [ledger, projections, commands])
def test_our_packages_carry_the_mark(package: object) -> None:
    assert check.MARK in str(package.__doc__)


def test_on_windows_the_command_says_what_to_do_instead() -> None:
    ended = run(sys.executable, "-c", ON_WINDOWS + "from episode_ledger.__main__ import main; main()")
    assert (ended.returncode, ended.stdout) == (2, "")
    first, hint = ended.stderr.splitlines()
    assert first == "episode-ledger: Windows is not supported: Episode Ledger needs a POSIX system such as Linux"
    assert "WSL" in hint
    assert "'episode-ledger serve'" in hint


def test_on_windows_the_import_says_so_too() -> None:
    ended = run(sys.executable, "-c", ON_WINDOWS + "from episode_ledger import open_ledger")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("episode_ledger.check.CannotRun: Windows is not supported")
