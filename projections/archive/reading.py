"""An archive read patient by patient: the sorted rows of its files, merged."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain, groupby, islice
from operator import attrgetter
from typing import Final, NamedTuple

from ledger.recorders.protocol import FEW
from projections.archive.folder import Folder
from projections.archive.manifest import ACTS, ENTRIES, PAIRS, ArchivedFile, ArchiveManifest
from projections.archive.segment import ArchivedRow, SegmentReader

_patient_of: Final = attrgetter("patient")
_place_of: Final = attrgetter("patient", "episode", "version")


class OfPatient(NamedTuple):
    """A patient, or the mark that stands for one, and every row of theirs that is wanted, by episode and version; the
    first alone where they are too large."""

    patient: str
    rows: list[ArchivedRow]
    is_too_large: bool


def bucket_of(patient: str, buckets: int) -> int:
    """In which bucket a patient's entries are: the same wherever it is asked."""
    return int.from_bytes(hashlib.sha256(patient.encode("utf-8", "surrogateescape")).digest()[:8]) % buckets


def readers_of(
    folder: Folder, files: Iterable[ArchivedFile], kind: str, bucket: int | None = None
) -> list[SegmentReader]:
    """The files of a kind, or those that may have rows of a bucket, opened."""
    return [
        SegmentReader(folder, file) for file in files if file.kind == kind and (bucket is None or file.may_have(bucket))
    ]


def rows_in(readers: Sequence[SegmentReader], bucket: int) -> Iterator[ArchivedRow]:
    """The rows of a bucket by patient, episode and version; a few of each file are held."""
    streams = [chain.from_iterable(reader.rows(bucket)) for reader in readers]
    return streams[0] if len(streams) == 1 else merge(*streams, key=_place_of)


def patients_in(
    folder: Folder,
    files: Sequence[ArchivedFile],
    bucket: int,
    is_wanted: Callable[[ArchivedRow], bool],
    most_bytes: int,
) -> Iterator[OfPatient]:
    """Everybody of a bucket, in order, one at a time; of those whose texts have more bytes, nothing is held."""
    for patient, rows in groupby(rows_in(readers_of(folder, files, ENTRIES, bucket), bucket), _patient_of):
        yield _of_patient(patient, filter(is_wanted, rows), most_bytes)


def _of_patient(patient: str, rows: Iterator[ArchivedRow], most_bytes: int) -> OfPatient:
    held: list[ArchivedRow] = []
    size = 0
    while some := list(islice(rows, FEW)):
        held += some
        size += sum([len(row.text) for row in some])
        if size > most_bytes and len(held) > FEW:  # who has fewer is never asked for their size
            return OfPatient(patient, held[:1], True)
    return OfPatient(patient, held, False)


def acts_in(folder: Folder, manifest: ArchiveManifest) -> list[tuple[int, str, int, str, str]]:
    """The acts of the house as they are stored, in order."""
    rows = (row for reader in readers_of(folder, manifest.files, ACTS) for some in reader.rows() for row in some)
    found = [(row.position, row.episode, row.version, row.tag, as_text(row.text)) for row in rows]
    return sorted(found)


def pairs_in(folder: Folder, manifest: ArchiveManifest, bucket: int | None = None) -> Iterator[tuple[str, str]]:
    """Each episode with each patient, or mark, under whom its entries stand, in one bucket or all."""
    for reader in readers_of(folder, manifest.files, PAIRS, bucket):
        for some in reader.rows(bucket):
            yield from ((row.episode, row.patient) for row in some)


def as_text(text: bytes) -> str:
    """A stored text as the ledger gives it."""
    return text.decode("utf-8", "surrogateescape")
