"""The tests' own house rules: what tests share is beside them, and no test leans on another."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

from tests import ROOT
from tests.tiers import BY_FILE, TIERS, marked


def modules() -> list[tuple[str, str]]:
    return [(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in (ROOT / "tests").rglob("*.py")]


def imported(text: str) -> set[str]:
    """The modules that a module names in its imports."""
    nodes = list(ast.walk(ast.parse(text)))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    parts = [
        (node.module or "", alias.name) for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    return whole | {module for module, _ in parts} | {f"{module}.{name}" for module, name in parts}


def test_no_test_module_is_imported() -> None:
    """What two of them need is a builder, a fixture or a module of its own; also in programs that tests start."""
    tests = {name[:-3].replace("/", ".") for name, _ in modules() if Path(name).name.startswith("test_")}
    assert len(tests) > 80
    assert [(name, module) for name, text in modules() for module in imported(text) & tests] == []
    told = [name for name, text in modules() for module in tests if f"from {module} import" in text]
    assert told == []


def test_every_room_is_a_package() -> None:
    """Or two test modules of one name would be in each other's way."""
    assert [
        str(path.parent) for path in (ROOT / "tests").rglob("*.py") if not path.with_name("__init__.py").exists()
    ] == []


def test_every_test_is_in_one_tier(request: pytest.FixtureRequest) -> None:
    """Of those that are run now; with the whole suite, of all but ``soak``."""
    found = Counter(len(marked(item)) for item in request.session.items)
    assert found.keys() == {1}


def test_the_tiers_are_explained_where_pytest_shows_them(pytestconfig: pytest.Config) -> None:
    shown = [line.split(":")[0] for line in pytestconfig.getini("markers")]
    assert [name for name in shown if name in TIERS] == list(TIERS)


def test_every_tier_by_file_has_a_file(request: pytest.FixtureRequest) -> None:
    paths = [PurePosixPath(name) for name, _ in modules()]
    named = [file for files in BY_FILE.values() for file in files]
    assert [file for file in named if not any(path.match(file) for path in paths)] == []
