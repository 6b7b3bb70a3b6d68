"""``episode-ledger help``: the pages, in a checkout and as they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from commands.cli import Verbs, cli
from commands.verbs.help import topics
from commands.verbs.verb_list import VERBS
from tests import ROOT
from tests.command_line import assert_plain, run

DOCS = ROOT / "docs"


def test_it_lists_every_page_with_its_title() -> None:
    ended = run("help")
    listed = {
        line.split()[0]: line.split(maxsplit=1)[1] for line in ended.out.decode().splitlines() if line[:2] == "  "
    }
    pages = set(DOCS.rglob("*.md")) - {DOCS / "README.md"}
    assert ended.status == 0
    assert {path.resolve() for path in topics().values()} == pages
    assert len(topics()) == len(pages), "two pages of one name"
    assert listed.keys() == topics().keys()
    assert listed["rulebook"] == "The rulebook, edition 2"


@pytest.mark.parametrize(
    ("topic", "file"), [("first-episode", "start/first-episode.md"), ("examples", "examples/README.md")]
)
def test_it_prints_a_page_plainly_in_a_pipe(topic: str, file: str) -> None:
    ended = run("help", topic)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.decode().rstrip("\n") == (DOCS / file).read_text(encoding="utf-8").rstrip("\n")


def test_a_page_goes_through_the_pager_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    paged: list[str] = []
    monkeypatch.setattr(click, "echo_via_pager", paged.append)
    assert run("help", "verify", tty=True).out == b""
    assert paged == [(DOCS / "how-to" / "verify.md").read_text(encoding="utf-8")]


def test_a_command_without_a_page_shows_its_options() -> None:
    ended = run("help", "days")
    assert ended.status == 0
    assert ended.out.startswith(b"Usage: episode-ledger days [OPTIONS]")


@pytest.mark.parametrize(("topic", "nearest"), [("recrod", "record"), ("Rule-Book", "rulebook"), ("dayz", "days")])
def test_an_unknown_topic_names_the_nearest(topic: str, nearest: str) -> None:
    assert_plain(run("help", topic), 2, f"the nearest is '{nearest}'", "'episode-ledger help' lists all")


def test_the_pages_are_installed_with_the_program(tmp_path: Path) -> None:
    """What ``build_py`` makes is what a wheel contains; it is run from there, away from the checkout."""
    for package in {path.parent for path in ROOT.glob("*/__init__.py")} - {ROOT / "tests"}:
        shutil.copytree(package, tmp_path / package.name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(DOCS, tmp_path / "docs")
    for path in filter(Path.is_file, ROOT.glob("[!.]*")):
        shutil.copy(path, tmp_path)
    build = [
        sys.executable,
        "-c",
        "from setuptools import setup; setup()",
        "-q",
        "build_py",
        "--build-lib",
        "installed",
    ]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    shutil.rmtree(tmp_path / "docs")
    command = [sys.executable, "-c", "from commands.cli import main; main()", "help"]
    where = {"cwd": tmp_path / "installed", "env": os.environ | {"PYTHONPATH": str(tmp_path / "installed")}}
    listed = subprocess.run(command, check=True, capture_output=True, text=True, **where).stdout  # type: ignore[call-overload]
    page = subprocess.run([*command, "terms"], check=True, capture_output=True, text=True, **where).stdout  # type: ignore[call-overload]
    assert listed == run("help").out.decode()
    assert page.rstrip("\n") == (DOCS / "reference" / "terms.md").read_text(encoding="utf-8").rstrip("\n")


@pytest.mark.parametrize("name", VERBS)
def test_the_list_of_verbs_says_of_each_what_its_own_help_says_first(name: str) -> None:
    verb = Verbs().get_command(click.Context(cli), name)
    assert verb is not None
    assert verb.get_short_help_str(1_000) == VERBS[name].does


def test_the_list_of_verbs_is_the_one_that_click_would_write() -> None:
    own, theirs = (click.HelpFormatter(width=80) for _ in range(2))
    Verbs.format_commands(cli, click.Context(cli), own)
    click.Group.format_commands(cli, click.Context(cli), theirs)
    assert own.getvalue() == theirs.getvalue()


def test_the_list_of_verbs_loads_none_of_them() -> None:
    """But for the master key's, whose options are the command's own."""
    ended = subprocess.run(
        [sys.executable, "-c", "import sys\nfrom commands.cli import run\nrun(['--help'])\nprint(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = {name for name in ended.stdout.split() if name.startswith("commands.verbs.")}
    assert loaded == {"commands.verbs.master_key", "commands.verbs.verb_list"}
