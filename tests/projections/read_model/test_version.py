"""The version of a read model names what makes a row, and nothing else: no page, no command, no comment of theirs."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.read_model import version
from projections.read_model.version import code_version, makes_the_same_rows, source_digest

ROOT = Path(__file__).resolve().parents[3]
INSIDE = (
    "ledger/facts/", "ledger/judge/", "ledger/book/claim_tables.py", "ledger/book/reference.py",
    "ledger/book/tables.py", "ledger/book/values.py", "ledger/day_set.py", "projections/rows/",
)  # fmt: skip
SOURCES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in ("ledger", "projections", "commands", "episode_ledger")
    for path in (ROOT / package).rglob("*")
    if path.is_file() and path.suffix != ".pyc"
)
MAKERS = [name for name in SOURCES if name.startswith(INSIDE)]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources that each test leaves as it was."""
    root = tmp_path_factory.mktemp("sources")
    for package in ("ledger", "projections", "commands", "episode_ledger"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def edited(copy: Path, name: str) -> str:
    """The digest while a file has one more line."""
    path = copy / name
    before = path.read_bytes()
    path.write_bytes(before + b"# one more line\n")
    try:
        return source_digest(copy)
    finally:
        path.write_bytes(before)


def test_the_parts_are_there() -> None:
    assert len(MAKERS) > 20
    assert all(any(name.startswith(part) for name in MAKERS) for part in INSIDE)
    assert len(SOURCES) > 10 * len(INSIDE) + len(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
def test_an_edit_of_what_makes_rows_counts(copy: Path, name: str) -> None:
    assert edited(copy, name) != code_version().split("/")[2]


def test_no_edit_elsewhere_counts(copy: Path) -> None:
    """All at once: none can count beside another that takes it back."""
    others = sorted(set(SOURCES) - set(MAKERS))
    before = {name: (copy / name).read_bytes() for name in others}
    for name in others:
        (copy / name).write_bytes(before[name] + b"# one more line\n")
    assert source_digest(copy) == code_version().split("/")[2]
    for name in others:
        (copy / name).write_bytes(before[name])
    assert len(others) > 200


def test_a_copy_has_the_version_of_the_original(copy: Path) -> None:
    release, shape, digest, _ = code_version().split("/")
    assert release
    assert shape
    assert digest == source_digest(copy)


@pytest.mark.parametrize("name", ["ledger/judge/more.py", "ledger/facts/deeper/more.py", "projections/rows/more.py"])
def test_a_new_file_that_makes_rows_counts_and_so_does_its_name(copy: Path, name: str) -> None:
    path = copy / name
    before = source_digest(copy)
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    found = source_digest(copy)
    moved = path.rename(path.with_name("other.py"))
    renamed = source_digest(copy)
    moved.unlink()
    assert len({before, found, renamed}) == 3
    assert source_digest(copy) == before


@pytest.mark.parametrize("name", ["projections/page/more.py", "ledger/more.py", "projections/rows.py"])
def test_a_new_file_elsewhere_does_not(copy: Path, name: str) -> None:
    path = copy / name
    before = source_digest(copy)
    path.write_text("")
    assert source_digest(copy) == before
    path.unlink()


def test_the_zones_count(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_version()
    monkeypatch.setattr(version, "zone_data_version", lambda: "2099.1")
    code_version.cache_clear()
    try:
        assert code_version() != before
        assert not makes_the_same_rows(before, code_version())
    finally:
        code_version.cache_clear()


def test_a_release_alone_changes_no_row() -> None:
    assert makes_the_same_rows("1.0.0/2/abc/2026.1", "1.1.0/2/abc/2026.1")
    for other in ("1.0.0/3/abc/2026.1", "1.0.0/2/abd/2026.1", "1.0.0/2/abc/2026.2", "1.0.0", ""):
        assert not makes_the_same_rows("1.0.0/2/abc/2026.1", other)
    assert not makes_the_same_rows(None, "1.0.0/2/abc/2026.1")


BORROWED = {
    "ledger.book",  # names what stands in its files, and no more
    "ledger.administration", "ledger.store",  # who is forgotten, and what they left
    "projections.reading.as_known",  # which entries a patient has
    "projections.reading.budget", "projections.reading.size",  # whoever costs too much has no rows
    "projections.reading.unjudged",  # nor has who cannot be judged
    "projections.words",  # a date as ISO 8601 writes it
}  # fmt: skip
"""What the makers of rows use from outside, each a thing that cannot give a row another value."""


def imported(name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in ("ledger", "projections", "commands"):
            yield str(node.module)


def test_what_makes_rows_borrows_next_to_nothing() -> None:
    own = tuple(part.removesuffix(".py").rstrip("/").replace("/", ".") for part in INSIDE)
    borrowed = {used for name in MAKERS for used in imported(name) if not used.startswith(own)}
    assert borrowed <= BORROWED
