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


class ByBook(Struct, frozen=True):
    """A book to judge by, as text, and where its rows go: a folder, under a number."""

    book: str
    out: str
    number: int


class Task(Struct, frozen=True):
    """One bucket of an archive, to be read once and judged by one book or several.

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
    known_at: str | None
    quarantine: bool
    budget: Budget
    by: tuple[ByBook, ...]
    key_file: str | None = None
    keys: tuple[WrappedKey, ...] = ()


class MadeFile(Struct, frozen=True):
    """A file of rows that an attempt made."""

    table: Table
    path: str
    rows: int
    bytes: int
    sha256: str


class Made(Struct, frozen=True):
    """What one book made of a bucket: its hash, the sums of the digests, who was set aside, the files of the rows."""

    book: str
    sums: tuple[str, str, str]
    patients: int
    set_aside: tuple[SetAside, ...]
    files: tuple[MadeFile, ...]


class Report(Struct, frozen=True):
    """What came of a bucket: by which code it was judged, and what each book made of it, in the order of the task."""

    bucket: int
    code: str
    made: tuple[Made, ...]
    memory_mb: int


Engine = Callable[[Callable[[Task], Report], Sequence[Task]], Iterable[Report]]
"""Has each task worked on, wherever and however often, and gives a report of each, in any order."""
