"""A result held against another one, or against a read model: the same rows for everybody, or for whom not, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow
from msgspec import Struct
from pyarrow import parquet

from projections.archive.folder import folder_at
from projections.archive.manifest import damaged
from projections.archive.trouble import ArchiveError, WrongArchive
from projections.distributed.run import FINGERPRINTS, ResultManifest, result_in
from projections.read_model.version import makes_the_same_rows
from projections.read_model.views import open_views
from projections.rows.digests import Digests, Sums

Cause = Literal["another position", "known at another instant", "new book", "new code version"]


class ChangedPatient(Struct, frozen=True):
    """Somebody whose rows differ, and in which tables."""

    patient: str
    tables: tuple[str, ...]


class ResultCertificate(Struct, frozen=True):
    """Two results of one ledger side by side: equal, or for whom not.

    Where they were made of the same entries by the same book and code and differ all the same, it is ``unexplained``.
    """

    outcome: Literal["equal", "explained", "unexplained"]
    causes: tuple[Cause, ...]
    ledger: str
    position_before: int
    position_after: int
    fingerprints_before: dict[str, str]
    fingerprints_after: dict[str, str]
    patients: int
    changed: tuple[ChangedPatient, ...]


class Side(NamedTuple):
    """What was made of a ledger, of what, and everybody's digests."""

    ledger: str
    position: int
    code: str
    book: str
    known_at: str | None
    fingerprints: dict[str, str]
    digests: dict[str, Digests]


def side_of(name: str) -> Side:
    """What is compared: a read model's file, or the result in a folder or URI, as it stands now."""
    return _of_views(Path(name)) if Path(name).is_file() else _of_result(name)


def against(before: Side, after: Side) -> ResultCertificate:
    """A result held against what was made before."""
    if before.ledger != after.ledger:
        raise WrongArchive("what it is compared with was made of another ledger")
    changed = tuple(_changed(before.digests, after.digests))
    causes = tuple(_causes(before, after))
    outcome: Literal["equal", "explained", "unexplained"] = "explained" if causes else "unexplained"
    return ResultCertificate(
        outcome if changed else "equal", causes if changed else (), after.ledger, before.position, after.position,
        before.fingerprints, after.fingerprints, len(after.digests), changed,
    )  # fmt: skip


def _changed(before: dict[str, Digests], after: dict[str, Digests]) -> Iterator[ChangedPatient]:
    for patient in sorted(before.keys() | after.keys()):
        old, new = before.get(patient), after.get(patient)
        if old != new:
            pairs = zip(FINGERPRINTS, old or (None,) * 3, new or (None,) * 3, strict=True)
            yield ChangedPatient(patient, tuple(table for table, one, two in pairs if one != two))


def _causes(before: Side, after: Side) -> Iterator[Cause]:
    if before.position != after.position:
        yield "another position"
    if before.known_at != after.known_at:
        yield "known at another instant"
    if before.book != after.book:
        yield "new book"
    if not makes_the_same_rows(before.code, after.code):
        yield "new code version"


def _of_result(uri: str) -> Side:
    made = result_in(uri).manifest
    return _as_noted(
        Side(
            made.ledger, made.position, made.code_version, made.book, made.known_at, made.fingerprints,
            dict(digests_in(uri, made)),
        ),
        uri,
    )  # fmt: skip


def _of_views(file: Path) -> Side:
    with closing(open_views(file)) as views, views.reading():
        noted = views.noted()
        rows = views.connection.execute("SELECT patient, days, lines, findings FROM digests")
        digests = {patient: (days, lines, findings) for patient, days, lines, findings in rows}
        found = noted.get("ledger", ""), int(noted.get("position", "0")), noted.get("code", ""), noted.get("book", "")
        return _as_noted(Side(*found, None, views.fingerprints(), digests), str(file))


def _as_noted(side: Side, where: str) -> Side:
    """ArchiveError unless the digests add up to the fingerprints that are noted with them."""
    sums = Sums()
    for digests in side.digests.values():
        sums.add(digests)
    if sums.texts() != [side.fingerprints[table] for table in FINGERPRINTS]:
        raise ArchiveError(f"{where} is damaged: its digests do not add up to its fingerprints")
    return side


def digests_in(uri: str, made: ResultManifest) -> Iterator[tuple[str, Digests]]:
    """Everybody's digests; ArchiveError if a file of them is not what was written."""
    folder = folder_at(uri)
    for file in made.files:
        if file.table == "digests":
            content = folder.read(file.path)
            if hashlib.sha256(content).hexdigest() != file.sha256:
                raise damaged(file.path)
            # In this thread: another could let go of the bytes while Python ends, which is the end of the process.
            file_of = parquet.ParquetFile(pyarrow.BufferReader(content), pre_buffer=False)
            columns = file_of.read(use_threads=False).columns
            for patient, days, lines, findings in zip(*(column.to_pylist() for column in columns), strict=True):
                yield patient, (days, lines, findings)
