"""What an export says of itself: what it was made of, and what is in each of its files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from ledger.store import EpisodeLedger
from projections.words import utc_text

MANIFEST: Final = "manifest.json"
PACKAGE: Final = "datapackage.json"
"""What describes the files of an export as CSV, beside the manifest."""


class ExportedFile(Struct, frozen=True):
    """One file of an export, by its path within it."""

    path: str
    rows: int
    bytes: int
    sha256: str


class Origin(Struct, frozen=True):
    """What an export was made of. No clock is asked: equal origins give equal files.

    ``seal`` is the ledger's seal at ``position`` and stands for every entry up to there; ``recorded_until`` is when the
    last of them was recorded.
    """

    ledger: str
    position: int
    seal: str
    recorded_until: str | None
    since: int | None
    known_at: str | None
    book_hash: str | None
    code_version: str


class ExportManifest(Struct, frozen=True):
    """The manifest of one export: what it holds, its origin, its files.

    ``totals`` are sums over all rows, to check one's own reading against.
    """

    dataset: str
    format: str
    schema_version: str
    deidentified: bool
    ledger: str
    position: int
    seal: str
    recorded_until: str | None
    since: int | None
    known_at: str | None
    book_hash: str | None
    code_version: str
    patients_set_aside: int
    columns: tuple[str, ...]
    rows: int
    totals: dict[str, int | str]
    files: tuple[ExportedFile, ...]


def recorded_until(ledger: EpisodeLedger, position: int) -> str | None:
    """When the last entry up to a position was recorded; acts of the house are no entries."""
    for last in range(position, 0, -1):
        for _, entry in ledger.follow(last - 1, last):
            return utc_text(entry.recorded_at)
    return None


def part_of(folder: Path, path: Path, rows: int) -> ExportedFile:
    """A written file as the manifest lists it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ExportedFile(path.relative_to(folder).as_posix(), rows, path.stat().st_size, digest)


def text_of(document: object) -> bytes:
    """A document for people and programs: JSON, indented, its keys in their order."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def read_manifest(folder: Path) -> ExportManifest | None:
    """The manifest in a folder; None if there is none that can be read."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=ExportManifest)
    except (OSError, msgspec.MsgspecError):
        return None
