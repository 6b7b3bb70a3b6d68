"""What one machine is asked for a bucket, and what it reports; plain values, that every engine can send."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from msgspec import Struct

from ledger.facts.stored import StoredRow
from ledger.keys.cipher import WrappedKey
from projections.archive.manifest import ArchivedFile
from projections.read_model.trouble import SetAside
from projections.reading.budget import Budget

Table = Literal["days", "lines", "findings", "digests"]


class Task(Struct, frozen=True):
    """One bucket of an archive, to be judged by a book; the rows go to a folder, under a number.

    Of an encrypted archive it brings the keys of the bucket's episodes as the ledger keeps them, wrapped. The master
    key is never in it: ``key_file`` is where whoever works on it finds that key, mounted as a secret.
    """

    archive: str
    ledger: str
    bucket: int
    buckets: int
    files: tuple[ArchivedFile, ...]
    acts: tuple[StoredRow, ...]
    upto: int
    book: str
    known_at: str | None
    quarantine: bool
    budget: Budget
    out: str
    number: int
    key_file: str | None = None
    keys: tuple[WrappedKey, ...] = ()


class MadeFile(Struct, frozen=True):
    """A file of rows that an attempt made."""

    table: Table
    path: str
    rows: int
    bytes: int
    sha256: str


class Report(Struct, frozen=True):
    """What came of a bucket: by which code and book it was judged, the sums of its digests, the files of its rows."""

    bucket: int
    code: str
    book: str
    sums: tuple[str, str, str]
    patients: int
    set_aside: tuple[SetAside, ...]
    files: tuple[MadeFile, ...]
    memory_mb: int


Engine = Callable[[Callable[[Task], Report], Sequence[Task]], Iterable[Report]]
"""Has each task worked on, wherever and however often, and gives a report of each, in any order."""
