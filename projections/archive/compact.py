"""An archive with fewer files: of each bucket one, whatever number of times it has grown."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from msgspec.structs import replace

from ledger.progress import Progress, silent
from projections.archive.commits import Commit
from projections.archive.folder import Folder
from projections.archive.grow import let_stand, new_path
from projections.archive.manifest import ACTS, ENTRIES, PAIRS, ArchivedFile, ArchiveManifest, archive_in
from projections.archive.reading import patients_in
from projections.archive.segment import Bucketed, SegmentReader, write_rows
from projections.archive.trouble import WrongArchive


def compact(folder: Folder, told: Progress = silent) -> ArchiveManifest:
    """Write every bucket as one file, and let these stand; readers under way keep what they read."""
    found = archive_in(folder)
    if found is None:
        raise WrongArchive(f"there is no archive in {folder.uri}")
    number, before, attempt = found.number + 1, found.manifest, secrets.token_hex(8)
    files: list[ArchivedFile] = []
    for bucket in range(before.buckets):
        rows = ((bucket, row) for _, rows in patients_in(folder, before.files, bucket) for row in rows)
        files.append(write_rows(folder, new_path(number, attempt, len(files)), ENTRIES, rows))
        told(bucket + 1, before.buckets)
    for kind in (PAIRS, ACTS):
        files.append(
            write_rows(folder, new_path(number, attempt, len(files)), kind, sorted(_all(folder, before, kind)))
        )
    manifest = replace(before, files=tuple(file for file in files if file.rows))
    let_stand(folder, Commit(number, manifest))
    return manifest


def _all(folder: Folder, manifest: ArchiveManifest, kind: str) -> Iterator[Bucketed]:
    for file in manifest.of_kind(kind):
        reader = SegmentReader(folder, file)
        for group, rows in zip(reader.groups, reader.rows(), strict=True):
            yield from ((group.bucket, row) for row in rows)
