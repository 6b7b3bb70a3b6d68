"""An archive made, or brought up to the ledger's last entry.

What is new since the manifest's position is written as further files, then a manifest that names all of them.
An entry stands under every patient its episode ever named, or who was merged with one: so every patient is complete
within one bucket, and nothing has to be sent between machines. Where an episode names somebody new, what it had before
is copied to them.

Where most is new, entries are read in the order of the archive (``in_order.py``); else in that of the ledger, as many
as there is memory for at a time, each lot a file of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import chain, islice
from typing import Final, NamedTuple

from ledger.facts.administration import HOUSE
from ledger.facts.entry import UnreadableEntry
from ledger.facts.stored import StoredRow
from ledger.keys.cipher import MasterKey
from ledger.progress import Progress, silent
from ledger.recorders.protocol import Entries
from ledger.store import EpisodeLedger
from projections.archive.commits import Commit, commit, numbered, read_manifest, remove_orphans
from projections.archive.folder import Folder
from projections.archive.in_order import NotAsCounted, Place, check_counted, places_in, rows_by_place
from projections.archive.manifest import (
    ACTS,
    ENTRIES,
    PAIRS,
    SCHEMA,
    ArchivedFile,
    ArchiveManifest,
    archive_in,
    paths_in,
)
from projections.archive.reading import bucket_of, pairs_in
from projections.archive.segment import ArchivedRow, Bucketed, write_rows
from projections.archive.trouble import WrongArchive

BUCKETS: Final = 64
SEGMENT_ROWS: Final = 1_000_000
"""Rows of a file, at most."""
LOT_ROWS: Final = 100_000
LOT_BYTES: Final = 32 << 20
"""So many rows, and bytes of their texts, are put in order in memory at a time, at most."""
_COPIED_AT_ONCE: Final = 100
_MARK_DIGITS: Final = 16


class Source(NamedTuple):
    """The ledger that is archived: open, and as it is stored, where envelopes are closed; with its master key."""

    ledger: EpisodeLedger
    stored: Entries
    master: MasterKey | None

    def mark(self, patient: str) -> str:
        """What stands for a patient in the archive."""
        return mark_of(patient, self.ledger.id, self.master)


def mark_of(patient: str, ledger: str, master: MasterKey | None) -> str:
    """The patient's name; where the ledger is encrypted, a number that only its master key makes of the name."""
    return master.mark(f"archive {ledger} {patient}")[:_MARK_DIGITS] if master else patient


def grow(folder: Folder, source: Source, buckets: int | None = None, told: Progress = silent) -> ArchiveManifest:
    """Archive what is new, and let it stand; the archive's manifest, the same as before if nothing was new."""
    found = archive_in(folder)
    before = found.manifest if found else _empty(source, buckets or BUCKETS)
    refuse_other(before, source.ledger, buckets)
    head = source.ledger.position()
    if found and head == before.position:
        return before
    number = found.number + 1 if found else 1
    growth = _Growth(folder, source, before, number, head, told)
    manifest = ArchiveManifest(
        SCHEMA, before.ledger, before.encrypted, head, source.ledger.seal_at(head), before.buckets,
        before.entries + growth.entries, (*before.files, *growth.files),
    )  # fmt: skip
    let_stand(folder, Commit(number, manifest))
    return manifest


def let_stand(folder: Folder, made: Commit[ArchiveManifest]) -> None:
    """The manifest committed, and what neither it nor the one before names taken away."""
    commit(folder, made.number, made.manifest, [*paths_in(made.manifest)])
    remove_orphans(
        folder, made.number, lambda each: [*paths_in(read_manifest(folder, each, ArchiveManifest))], keep=2
    )  # fmt: skip


def _empty(source: Source, buckets: int) -> ArchiveManifest:
    return ArchiveManifest(SCHEMA, source.ledger.id, source.ledger.encrypted, 0, "", buckets, 0, ())


def refuse_other(archive: ArchiveManifest, ledger: EpisodeLedger, buckets: int | None = None) -> None:
    """WrongArchive if it is not this ledger's archive, or the ledger is not what was archived any more."""
    if archive.ledger != ledger.id:
        raise WrongArchive("that is the archive of another ledger; name another folder with --out")
    if buckets not in (None, archive.buckets):
        raise WrongArchive(f"the archive has {archive.buckets} buckets; for another number make a new one")
    if archive.position > ledger.position() or ledger.seal_at(archive.position) != archive.seal:
        raise WrongArchive(
            f"the ledger is not the one that was archived up to position {archive.position}: it was put back, or"
            " changed; 'episode-ledger verify' looks at it"
        )


class _Growth:
    """The files of what is new, as they are written."""

    def __init__(
        self, folder: Folder, source: Source, before: ArchiveManifest, number: int, head: int, told: Progress
    ) -> None:
        self._folder, self._source, self._before, self._number, self._head = folder, source, before, number, head
        self._attempt, self._progress = secrets.token_hex(8), told
        self.files: list[ArchivedFile] = []
        self.entries = 0
        self._places = places_in(source.ledger, head, before.buckets, source.mark)
        self._known = set(pairs_in(folder, before))
        self._unopened: set[Place] = set()
        if not (head > 2 * before.position and self._written_in_order()):
            self._write_as_recorded()
        self._write_all(PAIRS, self._new_pairs())
        acts = (row for row in source.stored.rows_of([HOUSE], 0, head) if row[0] > before.position)
        self._write_all(ACTS, ((0, _row("", act)) for act in acts))

    def _written_in_order(self) -> bool:
        """Whether the ledger is as it should be, so that what is new could be read in the order of the archive."""
        ledger, after = self._source.ledger, self._before.position
        try:
            check_counted(ledger, self._places, self._head)
            self._write_all(ENTRIES, self._rows_in_order())
        except NotAsCounted:  # what was written counts for nothing
            self.files, self._attempt = [], secrets.token_hex(8)
            return False
        others = ledger.count_of_unjudged(self._head) - ledger.count_of_unjudged(after)
        self.entries = self._head - after - others
        return True

    def _rows_in_order(self) -> Iterator[Bucketed]:
        """The new entries under all their patients, and the older ones of episodes that name somebody new."""
        done, total = 0, sum(place.versions for place in self._places)
        for place, rows in rows_by_place(self._source.stored, self._places, self._head):
            after = self._before.position if (place.episode, place.mark) in self._known else 0
            yield from ((place.bucket, _row(place.mark, row)) for row in rows if row[0] > after)
            done += place.versions
            self._progress(done, total)

    def _write_as_recorded(self) -> None:
        """The same in the order of the ledger, lot by lot."""
        marks: dict[str, list[str]] = {}
        for place in self._places:
            marks.setdefault(place.episode, []).append(place.mark)
        for lot in _lots(self._rows_as_recorded(marks)):
            self._write(ENTRIES, sorted(lot))

    def _rows_as_recorded(self, marks: dict[str, list[str]]) -> Iterator[Bucketed]:
        source, after = self._source, self._before.position
        gone = source.ledger.forgotten()
        for done, row in enumerate(source.stored.scan(after, self._head), 1):
            if row[1] not in gone:
                self.entries += 1
                yield from self._under(row, marks.get(row[1]) or self._marks_of(row, marks))
            if not done % 1000:
                self._progress(done, self._head - after)
        if after:
            yield from self._copies(after)

    def _copies(self, after: int) -> Iterator[Bucketed]:
        new: dict[str, list[str]] = {}
        for place in chain(self._places, self._unopened):
            if (place.episode, place.mark) not in self._known:
                new.setdefault(place.episode, []).append(place.mark)
        episodes = sorted(new)
        for start in range(0, len(episodes), _COPIED_AT_ONCE):
            for row in self._source.stored.rows_of(episodes[start : start + _COPIED_AT_ONCE], 0, after):
                yield from self._under(row, new[row[1]])

    def _marks_of(self, row: StoredRow, marks: dict[str, list[str]]) -> list[str]:
        """Those of an episode whose first entry is gone: whoever judges its patients stops there."""
        patients = self._source.ledger.patients_of(row[1])
        if not patients:
            raise UnreadableEntry(row[1], row[2], row[0])
        found = marks[row[1]] = sorted({self._source.mark(patient) for patient in patients})
        self._unopened |= {Place(bucket_of(mark, self._before.buckets), mark, row[1], 0) for mark in found}
        return found

    def _under(self, row: StoredRow, marks: Iterable[str]) -> Iterator[Bucketed]:
        for mark in marks:
            yield bucket_of(mark, self._before.buckets), _row(mark, row)

    def _new_pairs(self) -> Iterator[Bucketed]:
        for place in merge(self._places, sorted(self._unopened)):
            if (place.episode, place.mark) not in self._known:
                yield place.bucket, ArchivedRow(place.mark, place.episode, 0, self._head, "", b"")

    def _write_all(self, kind: str, rows: Iterable[Bucketed]) -> None:
        """Rows in order, as many a file as one may have."""
        remaining = iter(rows)
        for first in remaining:
            self._write(kind, chain([first], islice(remaining, SEGMENT_ROWS - 1)))

    def _write(self, kind: str, rows: Iterable[Bucketed]) -> None:
        path = new_path(self._number, self._attempt, len(self.files))
        self.files.append(write_rows(self._folder, path, kind, rows))


def _lots(rows: Iterable[Bucketed]) -> Iterator[list[Bucketed]]:
    """As many rows at a time as there is memory for."""
    lot: list[Bucketed] = []
    size = 0
    for row in rows:
        lot.append(row)
        size += len(row[1].text)
        if len(lot) == LOT_ROWS or size >= LOT_BYTES:
            yield lot
            lot, size = [], 0
    if lot:
        yield lot


def new_path(number: int, attempt: str, place: int) -> str:
    """A file's path: two digits of chance come first, for stores that spread their load by how names begin."""
    return numbered(number, f"{attempt}-{place}", f"{attempt[(place * 2) % 14 :][:2]}/", ".parquet")


def _row(mark: str, row: StoredRow) -> ArchivedRow:
    position, episode, version, tag, text = row
    return ArchivedRow(mark, episode, version, position, tag, text.encode("utf-8", "surrogateescape"))
