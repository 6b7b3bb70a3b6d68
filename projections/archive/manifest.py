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


class ArchivedFile(Struct, frozen=True):
    """One file of an archive.

    ``tail`` is how long its end is, which lists the groups of rows with their buckets and SHA-256: who reads one bucket
    checks that end by ``tail_sha256``, and the groups by it, without the rest of the file.
    """

    path: str
    kind: str
    rows: int
    bytes: int
    sha256: str
    tail: int
    tail_sha256: str


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

    def of_kind(self, kind: str) -> list[ArchivedFile]:
        """The files of entries, of acts of the house, or of who an episode ever named."""
        return [file for file in self.files if file.kind == kind]


def archive_in(folder: Folder) -> Commit[ArchiveManifest] | None:
    """The archive that stands in a folder, if any; WrongArchive if it is of another version."""
    found = latest(folder, ArchiveManifest)
    if found and found.manifest.schema != SCHEMA:
        raise WrongArchive(f"the archive in {folder.uri} was made by another version of this program")
    return found


def checked(folder: Folder, file: ArchivedFile) -> bytes:
    """A whole file that is what the manifest says; ArchiveError if it is not."""
    content = folder.read(file.path)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise damaged(file.path)
    return content


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
