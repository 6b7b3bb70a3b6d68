"""docs/why/promises.md and security.md name tests and scripts that are there; no promise is left without one."""

from __future__ import annotations

import re

import pytest

from tests import ROOT

PAGES = ("promises.md", "security.md")


def page(name: str) -> str:
    return (ROOT / "docs" / "why" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_the_files_that_are_named_are_there(name: str) -> None:
    named = set(re.findall(r"`((?:tests|scripts)/[\w./]+)", page(name)))
    assert len(named) > 5
    assert {each for each in named if not (ROOT / each).exists()} == set()


def test_the_tests_that_are_named_are_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", page("promises.md")))
    there = "".join(each.read_text(encoding="utf-8") for each in (ROOT / "tests" / "fire").glob("test_*.py"))
    assert len(named) == 13
    assert {each for each in named if f"def {each}(" not in there} == set()


def test_every_promise_has_a_test() -> None:
    promised = page("promises.md").split("## What is not promised")[0]
    blocks = [block for block in promised.split("\n\n") if block.startswith("| Promise")]  # others are measurements
    rows = [line.split(" | ") for block in blocks for line in block.splitlines() if line.startswith("| ")]
    tables = [row for row in rows if not row[0].startswith("| Promise")]
    assert len(tables) > 15
    assert [row[0] for row in tables if "test" not in row[1]] == []


def test_every_fire_of_the_script_is_promised() -> None:
    kinds = set(
        re.findall(r'^    "(\w+)": Kind\(', (ROOT / "scripts" / "fire").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert kinds == set(re.findall(r"\(`(\w+)`(?:, `\1 \w+`)?\)", page("promises.md")))
