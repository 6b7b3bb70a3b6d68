"""What is installed: the packages listed by name, their data, and a wheel that holds all of it and runs by itself."""

from __future__ import annotations

import email.message
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_string
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ledger.release import RELEASE

ROOT = Path(__file__).resolve().parent.parent.parent
TOP = ("ledger", "projections", "commands", "episode_ledger")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def sources() -> set[str]:
    """Every file in the folders that are packages; also those behind a link to a folder."""
    found = (
        Path(folder, name)
        for top in TOP
        for folder, _, names in os.walk(ROOT / top, followlinks=True)
        for name in names
    )
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}


def test_the_list_of_packages_is_that_of_the_tree() -> None:
    listed = project()["tool"]["setuptools"]["packages"]
    in_the_tree = {Path(name).parent.as_posix().replace("/", ".") for name in sources() if name.endswith(".py")}
    assert sorted(in_the_tree - set(listed)) == [], "in the tree and not listed in pyproject.toml: not installed"
    assert sorted(set(listed) - in_the_tree) == [], "listed in pyproject.toml and not in the tree"
    assert listed == sorted(listed)
    assert [name for name in listed if f"{name.replace('.', '/')}/__init__.py" not in sources()] == []


def test_the_same_pythons_are_named_everywhere() -> None:
    about = project()["project"]
    classified = [name.rpartition(" ")[2] for name in about["classifiers"] if re.search(r":: 3\.\d+$", name)]
    assert tuple(classified) == PYTHONS
    assert about["requires-python"] == ">=3.11,<3.15"
    for name in ("README.md", "scripts/environment.sh", "scripts/test"):
        assert f"{PYTHONS[0]} to {PYTHONS[-1]}" in (ROOT / name).read_text(encoding="utf-8"), name


def test_the_tests_need_every_extra() -> None:
    extras = project()["project"]["optional-dependencies"]
    ours = next(each for each in extras["test"] if each.startswith("episode-ledger["))
    theirs = {"test", "mutation", "spark", "test-spark"}
    assert set(re.findall(r"\w+", ours.partition("[")[2])) == set(extras) - theirs
    assert set(extras["test-spark"]) < set(extras["spark"])  # the short test needs less of it; the long ones are soak


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """A wheel built from a copy of the sources, so that nothing is left in the checkout."""
    copy = tmp_path_factory.mktemp("source")
    for name in TOP:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-c", f"from setuptools import build_meta; build_meta.build_wheel({str(out)!r})"]
    subprocess.run(build, cwd=copy, check=True, capture_output=True, timeout=60)
    (path,) = out.glob("episode_ledger-*-py3-none-any.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert sorted(sources() - held) == [], "in the tree and not in the wheel"
    assert sorted(held - sources()) == []
    for name in ("ledger/codes.toml", "projections/templates/episode.html", "commands/web/templates/base.html"):
        assert name in held  # whatever else changes, these kinds of data are there


def described(wheel: zipfile.ZipFile) -> email.message.Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_string(wheel.read(name).decode())


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    about = described(wheel)
    assert about["Version"] == RELEASE
    assert about["License-Expression"] == "LicenseRef-Proprietary"
    assert about.get_all("License-File") == ["LICENSE"]
    assert about["Author"] == "The Episode Ledger team"
    assert about["Description-Content-Type"] == "text/markdown"
    assert "Operating System :: POSIX" in about.get_all("Classifier", [])
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel.namelist())


def test_the_wheel_runs_by_itself(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Recorded, judged with the book in the wheel, and shown by its template, with no checkout on the path."""
    wheel.extractall(tmp_path / "installed")
    shutil.copy(ROOT / "docs" / "examples" / "after-surgery.jsonl", tmp_path)

    def run(*arguments: str) -> bytes:
        command = [sys.executable, "-m", "episode_ledger", *arguments]
        env = {"PYTHONPATH": str(tmp_path / "installed"), "PATH": os.environ["PATH"]}
        ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=True, timeout=60)
        return ended.stdout

    run("record", "--keep-recorded-at", "after-surgery.jsonl")
    run("page", "EP-2002", "--out", "page.html")
    assert "EP-2002" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert json.loads(run("status"))["position"] > 0
