"""An archive read patient by patient: the sorted rows of its files, merged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Final

from projections.archive.folder import Folder
from projections.archive.manifest import ACTS, ENTRIES, PAIRS, ArchivedFile, ArchiveManifest
from projections.archive.segment import ArchivedRow, SegmentReader

_patient_of: Final = attrgetter("patient")
_place_of: Final = attrgetter("episode", "version")
OfPatient = tuple[str, list[ArchivedRow]]
"""A patient, or the mark that stands for one, and every row of theirs, by episode and version."""


def bucket_of(patient: str, buckets: int) -> int:
    """In which bucket a patient's entries are: the same wherever it is asked."""
    return int.from_bytes(hashlib.sha256(patient.encode("utf-8", "surrogateescape")).digest()[:8]) % buckets


def patients_in(folder: Folder, files: Sequence[ArchivedFile], bucket: int) -> Iterator[OfPatient]:
    """Everybody of a bucket, in order; of each file one group of rows is held, and of all one patient."""
    streams = [_by_patient(SegmentReader(folder, file).rows(bucket)) for file in files if file.kind == ENTRIES]
    for patient, parts in groupby(merge(*streams, key=itemgetter(0)), itemgetter(0)):
        rows = [row for _, part in parts for row in part]
        rows.sort(key=_place_of)
        yield patient, rows


def _by_patient(groups: Iterable[list[ArchivedRow]]) -> Iterator[OfPatient]:
    held: list[ArchivedRow] = []
    for group in groups:
        for patient, rows in groupby(group, _patient_of):
            if held and held[0].patient != patient:
                yield held[0].patient, held
                held = []
            held += rows
    if held:
        yield held[0].patient, held


def acts_in(folder: Folder, manifest: ArchiveManifest) -> list[tuple[int, str, int, str, str]]:
    """The acts of the house as they are stored, in order."""
    rows = (row for file in manifest.of_kind(ACTS) for group in SegmentReader(folder, file).rows() for row in group)
    found = [(row.position, row.episode, row.version, row.tag, as_text(row.text)) for row in rows]
    return sorted(found)


def pairs_in(folder: Folder, manifest: ArchiveManifest, bucket: int | None = None) -> Iterator[tuple[str, str]]:
    """Each episode with each patient, or mark, under whom its entries stand, in one bucket or all."""
    for file in manifest.of_kind(PAIRS):
        for group in SegmentReader(folder, file).rows(bucket):
            yield from ((row.episode, row.patient) for row in group)


def as_text(text: bytes) -> str:
    """A stored text as the ledger gives it."""
    return text.decode("utf-8", "surrogateescape")
