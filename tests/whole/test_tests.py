"""The tests' own house rules: what tests share is beside them, and no test leans on another."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections import Counter
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from tests import ROOT
from tests.tiers import BY_FILE, DEAR, MEASURED, ONE_OF, TIERS, marked


@cache
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
    assert [(name, module) for name, text in modules() for module in imported_of(text, tests)] == []
    told = [(name, module) for name, text in modules() for module in re.findall(r"from (tests[\w.]+) import", text)]
    assert [(name, module) for name, module in told if module in tests] == []


def imported_of(text: str, tests: set[str]) -> set[str]:
    """The test modules that a module imports; one that names none is not parsed."""
    names = {module.rpartition(".")[2] for module in tests}
    return imported(text) & tests if names.intersection(re.findall(r"\btest_\w+", text)) else set()


@pytest.mark.parametrize("text", ["import tests.whole.test_a", "from tests.whole import (\n    other,\n    test_a,\n)"])
def test_an_import_of_a_test_module_would_be_found(text: str) -> None:
    assert imported_of(text, {"tests.whole.test_a", "tests.whole.test_b"}) == {"tests.whole.test_a"}


def test_no_test_is_quick_by_a_mark_of_its_own() -> None:
    """Of the files of other tiers none is loaded for the quick tests (conftest.py)."""
    assert [name for name, text in modules() if "mark." + "quick" in text] == []


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


def test_what_coverage_is_measured_of_is_there() -> None:
    """Every file, and every test that is passed over: a name that was changed would be measured again, or no more."""
    paths = {PurePosixPath("/", name): text for name, text in modules() if Path(name).name.startswith("test_")}
    assert [file for file in MEASURED if not any(path.match(file) for path in paths)] == []
    measured = {path: text for path, text in paths.items() if any(path.match(file) for file in MEASURED)}
    found = {path.name: re.findall(r"def (test_\w+)", text) for path, text in measured.items()}
    assert [
        dear for file, names in DEAR.items() for dear in names if not fnmatch.filter([*found[file], "*"], dear)
    ] == []
    assert ONE_OF.keys() <= {name for names in found.values() for name in names}
