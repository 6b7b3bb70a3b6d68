"""An archive with fewer files: of each bucket one, whatever number of times it has grown."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from msgspec.structs import replace

from ledger.progress import Progress, silent
from projections.archive.commits import Commit
from projections.archive.folder import Folder
from projections.archive.grow import let_stand, new_path
from projections.archive.manifest import ACTS, ENTRIES, PAIRS, ArchivedFile, ArchiveManifest, archive_in
from projections.archive.reading import readers_of, rows_in
from projections.archive.segment import Bucketed, write_rows
from projections.archive.trouble import WrongArchive


def compact(folder: Folder, told: Progress = silent) -> ArchiveManifest:
    """Write every bucket as one file, and let these stand; readers under way keep what they read."""
    found = archive_in(folder)
    if found is None:
        raise WrongArchive(f"there is no archive in {folder.uri}")
    number, before, attempt = found.number + 1, found.manifest, secrets.token_hex(8)
    files: list[ArchivedFile] = []

    def write(kind: str, rows: Iterable[Bucketed]) -> None:
        files.append(write_rows(folder, new_path(number, attempt, len(files)), kind, rows))

    for bucket in range(before.buckets):
        readers = readers_of(folder, before.files, ENTRIES, bucket)
        write(ENTRIES, ((bucket, row) for row in rows_in(readers, bucket)))
        told(bucket + 1, before.buckets)
    for kind, buckets in ((PAIRS, before.buckets), (ACTS, 1)):
        readers = readers_of(folder, before.files, kind)
        write(kind, ((bucket, row) for bucket in range(buckets) for row in rows_in(readers, bucket)))
    manifest = replace(before, files=tuple(file for file in files if file.rows))
    let_stand(folder, Commit(number, manifest))
    return manifest
