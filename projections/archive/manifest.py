"""What an archive says of itself: whose it is, up to which position, and what is in each of its files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from msgspec import Struct

from projections.archive.commits import Commit, latest
from projections.archive.folder import Folder
from projections.archive.trouble import ArchiveError, WrongArchive

SCHEMA: Final = 1
ENTRIES: Final = "entries"
ACTS: Final = "acts"
PAIRS: Final = "pairs"
_AT_ONCE: Final = 8 << 20


class ArchivedFile(Struct, frozen=True):
    """One file of an archive.

    ``tail`` is how long its end is, which lists the groups of rows with their buckets and SHA-256: who reads one bucket
    checks that end by ``tail_sha256``, and the groups by it, without the rest of the file. ``buckets`` are the first
    and the last that it has rows of, where that was noted when it was made.
    """

    path: str
    kind: str
    rows: int
    bytes: int
    sha256: str
    tail: int
    tail_sha256: str
    buckets: tuple[int, int] | None = None

    def may_have(self, bucket: int) -> bool:
        """Whether rows of a bucket can be in it."""
        return self.buckets is None or self.buckets[0] <= bucket <= self.buckets[1]


class ArchiveManifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What an archive holds: every entry of a ledger up to a position, whose seal stands for all of them."""

    schema: int
    ledger: str
    encrypted: bool
    position: int
    seal: str
    buckets: int
    entries: int
    files: tuple[ArchivedFile, ...]

    def of_kind(self, kind: str, bucket: int | None = None) -> list[ArchivedFile]:
        """The files of entries, of acts of the house, or of who an episode ever named; those that may have rows of a
        bucket, or all."""
        return [file for file in self.files if file.kind == kind and (bucket is None or file.may_have(bucket))]


def archive_in(folder: Folder) -> Commit[ArchiveManifest] | None:
    """The archive that stands in a folder, if any; WrongArchive if it is of another version."""
    found = latest(folder, ArchiveManifest)
    if found and found.manifest.schema != SCHEMA:
        raise WrongArchive(f"the archive in {folder.uri} was made by another version of this program")
    return found


def check_whole(folder: Folder, file: ArchivedFile) -> None:
    """ArchiveError unless a whole file is what the manifest says."""
    found = hashlib.sha256()
    for start in range(0, file.bytes, _AT_ONCE):
        is_last = start + _AT_ONCE >= file.bytes
        found.update(folder.read(file.path, start, None if is_last else start + _AT_ONCE))
    if found.hexdigest() != file.sha256:
        raise damaged(file.path)


def damaged(path: str) -> ArchiveError:
    """What to say of a file that is not as its manifest says."""
    return ArchiveError(f"{path} is damaged: its content is not what was written")


class Measured:
    """A file as it is written: how long it is, and its SHA-256."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._whole, self._since = file, hashlib.sha256(), hashlib.sha256()
        self.bytes = 0
        self.closed = False

    def write(self, content: bytes) -> int:
        """Write on."""
        self._file.write(content)
        self._whole.update(content)
        self._since.update(content)
        size = memoryview(content).nbytes
        self.bytes += size
        return size

    def tell(self) -> int:
        """How long it is by now."""
        return self.bytes

    def writable(self) -> bool:
        """It is."""
        return True

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Whoever opened it closes it."""

    def piece(self) -> str:
        """The SHA-256 of what was written since this was last asked."""
        found, self._since = self._since.hexdigest(), hashlib.sha256()
        return found

    @property
    def sha256(self) -> str:
        """The SHA-256 of everything."""
        return self._whole.hexdigest()


def paths_in(manifest: ArchiveManifest) -> Iterator[str]:
    """The files that a manifest names."""
    return (file.path for file in manifest.files)
