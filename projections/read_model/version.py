"""Which program made a read model: its release, and what of it makes a row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ledger.facts.zones import zone_data_version
from projections.read_model.tables import SHAPE

ROOT: Final = Path(__file__).parents[2]
ROW_MAKERS: Final = (
    "ledger/facts",
    "ledger/judge",
    "ledger/book/__init__.py",
    "ledger/book/tables.py",
    "ledger/day_set.py",
    "projections/rows",
)
"""What makes a row: facts and how they are read, the book and its schema, the judge, and the rows."""


@cache
def code_version() -> str:
    """``release/shape/digest/zones``: the digest is of the sources that make a row, the zones those of ``tzdata``.

    So a judge that was changed without a new release is known as another one, and a changed page is not.
    """
    return f"{version('episode-ledger')}/{SHAPE}/{source_digest(ROOT)}/{zone_data_version()}"


def makes_the_same_rows(code: str | None, other: str) -> bool:
    """Whether two versions differ in their release at most."""
    return code is not None and code.partition("/")[2] == other.partition("/")[2]


def source_digest(root: Path) -> str:
    """A digest of the sources that make a row, by name and content, out of the folder that the packages are in."""
    digest = hashlib.sha256()
    for name, path in sorted(_sources(root)):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _sources(root: Path) -> Iterator[tuple[str, Path]]:
    for maker in ROW_MAKERS:
        place = root / maker
        for path in place.rglob("*.py") if place.is_dir() else [place]:
            yield path.relative_to(root).as_posix(), path
