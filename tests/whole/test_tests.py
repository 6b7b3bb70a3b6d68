"""The tests' own house rules: what tests share is beside them, and no test leans on another."""

from __future__ import annotations

import ast
from pathlib import Path

from tests import ROOT


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
