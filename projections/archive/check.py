"""An archive held against its ledger: the same entries, under the patients that it says, and not one beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from ledger.facts.administration import HOUSE
from ledger.progress import Progress, silent
from projections.archive.folder import Folder
from projections.archive.grow import Source, refuse_other
from projections.archive.manifest import ACTS, ENTRIES, ArchiveManifest, archive_in, check_whole
from projections.archive.reading import pairs_in
from projections.archive.segment import ArchivedRow, SegmentReader
from projections.archive.trouble import WrongArchive

_ONE_ROW: Final = 2**128


class Checked(NamedTuple):
    """What was found: the archive's manifest, how many rows, and the episodes that differ, by name."""

    manifest: ArchiveManifest
    rows: int
    differing: list[str]


class _Sums:
    """What the rows of each episode come to, in whatever order they come: how many they are, and the sum of their
    digests, of those that stand taken from those that were archived. Nothing is left of an episode whose rows are
    alike."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}

    def add(self, episode: str, version: int, position: int, tag: str, text: bytes, times: int = 1) -> None:
        about = f"{version} {position} {tag} ".encode()
        found = _ONE_ROW + int.from_bytes(hashlib.sha256(about + text).digest()[:8])
        self.of[episode] = self.of.get(episode, 0) + found * times


def check(folder: Folder, source: Source, told: Progress = silent) -> Checked:
    """Hold an archive against its ledger; ArchiveError if a file is damaged, WrongArchive if it is another's."""
    found = archive_in(folder)
    if found is None:
        raise WrongArchive(f"there is no archive in {folder.uri}")
    manifest = found.manifest
    refuse_other(manifest, source.ledger)
    sums, rows = _Sums(), 0
    for row in _archived(folder, manifest, told):
        sums.add(*row[1:])
        rows += 1
    times: dict[str, int] = {}
    for episode, _ in pairs_in(folder, manifest):
        times[episode] = times.get(episode, 0) + 1
    for position, episode, version, tag, text in source.stored.scan(0, manifest.position):
        if episode in times:
            sums.add(episode, version, position, tag, text.encode("utf-8", "surrogateescape"), -times[episode])
        elif episode not in source.ledger.forgotten():
            sums.add(episode, version, position, tag, b"", -1)
    for position, _, version, tag, text in source.stored.rows_of([HOUSE], 0, manifest.position):
        sums.add(HOUSE, version, position, tag, text.encode("utf-8", "surrogateescape"), -1)
    return Checked(manifest, rows, sorted(episode for episode, left in sums.of.items() if left))


def _archived(folder: Folder, manifest: ArchiveManifest, told: Progress) -> Iterator[ArchivedRow]:
    files = [*manifest.of_kind(ENTRIES), *manifest.of_kind(ACTS)]
    for done, file in enumerate(files, 1):
        check_whole(folder, file)
        for some in SegmentReader(folder, file).rows():
            yield from some
        told(done, len(files))
