"""Which program made a read model: its release, and what of it makes a row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import ledger
import projections
from ledger.facts.zones import zone_data_version
from projections.read_model.tables import SHAPE

ROW_MAKERS: Final = {
    "ledger": ("facts", "judge", "book/__init__.py", "book/reference.py", "book/tables.py", "day_set.py"),
    "projections": ("rows",),
}
"""What makes a row, in each package: facts and how they are read, the book and its schema, the judge, and the rows."""


@cache
def code_version() -> str:
    """``release/shape/digest/zones``: the digest is of the sources that make a row, the zones those of ``tzdata``.

    So a judge that was changed without a new release is known as another one, and a changed page is not.
    """
    folders = {package.__name__: Path(package.__path__[0]) for package in (ledger, projections)}
    return f"{version('episode-ledger')}/{SHAPE}/{source_digest(folders)}/{zone_data_version()}"


def makes_the_same_rows(code: str | None, other: str) -> bool:
    """Whether two versions differ in their release at most."""
    return code is not None and code.partition("/")[2] == other.partition("/")[2]


def source_digest(folders: dict[str, Path]) -> str:
    """A digest of the sources that make a row, by name and content, out of the packages' folders."""
    digest = hashlib.sha256()
    for name, path in sorted(_sources(folders)):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _sources(folders: dict[str, Path]) -> Iterator[tuple[str, Path]]:
    for package, makers in ROW_MAKERS.items():
        for maker in makers:
            place = folders[package] / maker
            for path in place.rglob("*.py") if place.is_dir() else [place]:
                yield f"{package}/{path.relative_to(folders[package]).as_posix()}", path
