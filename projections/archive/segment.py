"""A file of an archive: rows of entries by bucket, patient, episode and version, as Parquet.

Row groups are cut where a bucket ends, and the file's end lists them: which bytes each has, and their SHA-256. So one
bucket is read, and checked, without the rest.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final, NamedTuple

import msgspec
import pyarrow
from msgspec import Struct
from pyarrow import parquet

from projections.archive.folder import Folder
from projections.archive.manifest import ArchivedFile, Measured, damaged

GROUP_ROWS: Final = 8_192
GROUP_BYTES: Final = 2 << 20
"""Rows of a group, and bytes of their texts, at most; of one longer text its row alone. What a writer holds."""
PAGE_BYTES: Final = 1 << 17
READ_ROWS: Final = 256
"""A reader of a group holds its bytes as they are in the file, and so much of them decoded."""
_INDEX: Final = "episode_ledger"
_SCHEMA: Final = pyarrow.schema(
    [
        pyarrow.field("patient", pyarrow.string(), nullable=False),
        pyarrow.field("episode", pyarrow.string(), nullable=False),
        pyarrow.field("version", pyarrow.int32(), nullable=False),
        pyarrow.field("position", pyarrow.int64(), nullable=False),
        pyarrow.field("tag", pyarrow.string(), nullable=False),
        pyarrow.field("text", pyarrow.binary(), nullable=False),  # as it stands in the ledger, be it damaged
    ]
)


class ArchivedRow(NamedTuple):
    """One stored entry under one patient; in an encrypted archive ``patient`` is a mark that says nothing elsewhere."""

    patient: str
    episode: str
    version: int
    position: int
    tag: str
    text: bytes


class Group(Struct, frozen=True, array_like=True):
    """A group of rows of one bucket: where it stands in its file, and the SHA-256 of these bytes."""

    bucket: int
    rows: int
    start: int
    end: int
    sha256: str


Bucketed = tuple[int, ArchivedRow]


def write_rows(folder: Folder, path: str, kind: str, rows: Iterable[Bucketed]) -> ArchivedFile:
    """A new file of rows, which come by bucket and in order."""
    groups: list[Group] = []
    with folder.writing(path) as file:
        measured = Measured(file)
        with parquet.ParquetWriter(
            pyarrow.PythonFile(measured, mode="w"),
            _SCHEMA,
            compression="zstd",
            use_dictionary=["patient", "episode", "tag"],
            data_page_size=PAGE_BYTES,
        ) as writer:
            for bucket, of_bucket in groupby(rows, lambda row: row[0]):
                for some in _cut(row for _, row in of_bucket):
                    groups.append(_group(writer, measured, bucket, some))
            tail_from = measured.bytes if groups else 0
            measured.piece()
            writer.add_key_value_metadata({_INDEX: msgspec.json.encode(groups).decode()})
        tail_sha256 = measured.piece()
    return ArchivedFile(
        path, kind, sum(group.rows for group in groups), measured.bytes, measured.sha256, measured.bytes - tail_from,
        tail_sha256, (groups[0].bucket, groups[-1].bucket) if groups else None,
    )  # fmt: skip


def _cut(rows: Iterable[ArchivedRow]) -> Iterator[list[ArchivedRow]]:
    some: list[ArchivedRow] = []
    size = 0
    for row in rows:
        if len(some) == GROUP_ROWS or (some and size + len(row.text) > GROUP_BYTES):
            yield some
            some, size = [], 0
        some.append(row)
        size += len(row.text)
    if some:
        yield some


def _group(writer: parquet.ParquetWriter, measured: Measured, bucket: int, rows: list[ArchivedRow]) -> Group:
    measured.piece()
    start = measured.bytes
    columns = [pyarrow.array(cells, field.type) for cells, field in zip(zip(*rows, strict=True), _SCHEMA, strict=True)]
    writer.write_table(pyarrow.Table.from_arrays(columns, schema=_SCHEMA), row_group_size=GROUP_ROWS)
    return Group(bucket, len(rows), start, measured.bytes, measured.piece())


class SegmentReader:
    """A file of an archive whose end was checked, to read some of its groups."""

    def __init__(self, folder: Folder, file: ArchivedFile) -> None:
        self._folder, self._file = folder, file
        tail = folder.read(file.path, file.bytes - file.tail, file.bytes)
        if hashlib.sha256(tail).hexdigest() != file.tail_sha256:
            raise damaged(file.path)
        self._about = parquet.read_metadata(pyarrow.BufferReader(tail))
        self.groups = msgspec.json.decode(self._about.metadata[_INDEX.encode()], type=list[Group])

    def rows(self, bucket: int | None = None) -> Iterator[list[ArchivedRow]]:
        """The rows of one bucket, or all, a few at a time; ArchiveError where a group is not what was written."""
        for number, group in enumerate(self.groups):
            if bucket is None or group.bucket == bucket:
                yield from self._rows_of(number, group)

    def _rows_of(self, number: int, group: Group) -> Iterator[list[ArchivedRow]]:
        content = self._folder.read(self._file.path, group.start, group.end)
        if hashlib.sha256(content).hexdigest() != group.sha256:
            raise damaged(self._file.path)
        source = pyarrow.PythonFile(_Piece(content, group.start, self._file.bytes), mode="r")
        file = parquet.ParquetFile(source, metadata=self._about, pre_buffer=False)
        for batch in file.iter_batches(READ_ROWS, row_groups=[number], use_threads=False):
            columns = [column.to_pylist() for column in batch.columns]
            yield [ArchivedRow._make(cells) for cells in zip(*columns, strict=True)]


class _Piece(io.RawIOBase):
    """Some bytes of a file, to be read where they stand in it."""

    def __init__(self, content: bytes, start: int, size: int) -> None:
        self._content, self._start, self._size, self._at = content, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        first = self._at - self._start
        found = self._content[first : first + size] if size >= 0 else self._content[first:]
        self._at += len(found)
        return found
