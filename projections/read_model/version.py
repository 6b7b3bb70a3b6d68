"""Which program made a read model: its release, and what of it makes a row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from ledger.facts.zones import zone_data_version
from ledger.judge import EDITION
from ledger.release import RELEASE
from projections.read_model.tables import SHAPE

ROOT: Final = Path(__file__).parents[2]
ROW_MAKERS: Final = (
    "ledger/facts",
    "ledger/judge",
    "ledger/book/claim_tables.py",
    "ledger/book/reference.py",
    "ledger/book/tables.py",
    "ledger/book/values.py",
    "ledger/day_set.py",
    "projections/rows",
)
"""What makes a row: facts and how they are read, the book and its schema, the judge, and the rows."""


@cache
def code_version() -> str:
    """``release/edition.shape/digest/zones``: the edition is the rulebook's, the digest of the sources that make a row,
    the zones those of ``tzdata``.

    So a judge that was changed without a new release is known as another one, and a changed page is not.
    """
    return f"{RELEASE}/{EDITION}.{SHAPE}/{source_digest(ROOT)}/{zone_data_version()}"


def makes_the_same_rows(code: str | None, other: str) -> bool:
    """Whether two versions differ in their release at most."""
    return code is not None and code.partition("/")[2] == other.partition("/")[2]


class Made(NamedTuple):
    """A version taken apart. Edition 1 named neither itself nor its zones, which were those of the machine."""

    release: str
    edition: str
    digest: str
    zones: str

    @classmethod
    def by(cls, code: str) -> Made:
        """The parts of a version, as far as it has them."""
        release, shape, digest, zones = (*code.split("/"), "", "", "", "")[:4]
        edition, dot, _ = shape.partition(".")
        return cls(release, edition if dot else "1", digest, zones)


def what_changed(before: str, after: str) -> tuple[str, ...]:
    """What makes rows differ between two versions, in words; nothing if both make the same."""
    if makes_the_same_rows(before, after):
        return ()
    old, new = Made.by(before), Made.by(after)
    words = []
    if old.edition != new.edition:
        words.append(f"edition {new.edition} of the rulebook instead of edition {old.edition}")
    elif old.digest != new.digest:
        words.append(f"another version of the judge ({new.digest} instead of {old.digest})")
    if old.zones != new.zones:
        words.append(f"zone data {new.zones or 'of the machine'} instead of {old.zones or 'those of the machine'}")
    return tuple(words) or (f"read models of another shape ({after} instead of {before})",)


def differs_by_zones_alone(before: str, after: str) -> bool:
    """Whether the zone data are all that makes rows differ between two versions."""
    old, new = Made.by(before), Made.by(after)
    return (old.edition, old.digest) == (new.edition, new.digest) and old.zones != new.zones


def source_digest(root: Path, makers: Sequence[str] = ROW_MAKERS) -> str:
    """A digest of the sources that make a row, by name and content, out of the folder that the packages are in."""
    digest = hashlib.sha256()
    for name, path in sorted(_sources(root, makers)):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _sources(root: Path, makers: Sequence[str]) -> Iterator[tuple[str, Path]]:
    for maker in makers:
        place = root / maker
        for path in place.rglob("*.py") if place.is_dir() else [place]:
            yield path.relative_to(root).as_posix(), path
