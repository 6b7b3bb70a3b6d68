"""An archive held against its ledger: the same entries, under the patients that it says, and not one beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from ledger.facts.administration import HOUSE
from ledger.progress import Progress, silent
from projections.archive.folder import Folder
from projections.archive.grow import Source, refuse_other
from projections.archive.manifest import ACTS, ENTRIES, ArchiveManifest, archive_in, checked
from projections.archive.reading import pairs_in
from projections.archive.segment import ArchivedRow, SegmentReader
from projections.archive.trouble import WrongArchive

_MODULUS: Final = 2**64


class Checked(NamedTuple):
    """What was found: the archive's manifest, how many rows, and the episodes that differ, by name."""

    manifest: ArchiveManifest
    rows: int
    differing: list[str]


class _Sum:
    """How many rows there are of each episode, and the sum of their digests: in whatever order they come."""

    def __init__(self) -> None:
        self.of: dict[str, tuple[int, int]] = {}
        self.rows = 0

    def add(self, episode: str, version: int, position: int, tag: str, text: bytes, times: int = 1) -> None:
        count, number = self.of.get(episode, (0, 0))
        about = f"{version} {position} {tag} ".encode()
        found = int.from_bytes(hashlib.sha256(about + text).digest()[:8])
        self.of[episode] = count + times, (number + found * times) % _MODULUS
        self.rows += times


def check(folder: Folder, source: Source, told: Progress = silent) -> Checked:
    """Hold an archive against its ledger; ArchiveError if a file is damaged, WrongArchive if it is another's."""
    found = archive_in(folder)
    if found is None:
        raise WrongArchive(f"there is no archive in {folder.uri}")
    manifest = found.manifest
    refuse_other(manifest, source.ledger)
    archived, standing = _Sum(), _Sum()
    for row in _archived(folder, manifest, told):
        archived.add(*row[1:])
    times: dict[str, int] = {}
    for episode, _ in pairs_in(folder, manifest):
        times[episode] = times.get(episode, 0) + 1
    for position, episode, version, tag, text in source.stored.scan(0, manifest.position):
        if episode in times:
            standing.add(episode, version, position, tag, text.encode("utf-8", "surrogateescape"), times[episode])
        elif episode not in source.ledger.forgotten():
            standing.add(episode, version, position, tag, b"")
    for position, _, version, tag, text in source.stored.rows_of([HOUSE], 0, manifest.position):
        standing.add(HOUSE, version, position, tag, text.encode("utf-8", "surrogateescape"))
    names = archived.of.keys() | standing.of.keys()
    return Checked(manifest, archived.rows, sorted(n for n in names if archived.of.get(n) != standing.of.get(n)))


def _archived(folder: Folder, manifest: ArchiveManifest, told: Progress) -> Iterator[ArchivedRow]:
    files = [*manifest.of_kind(ENTRIES), *manifest.of_kind(ACTS)]
    for done, file in enumerate(files, 1):
        checked(folder, file)
        for group in SegmentReader(folder, file).rows():
            yield from group
        told(done, len(files))
