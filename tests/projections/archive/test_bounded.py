"""What archiving, and reading an archive, hold in memory: of each file a few rows, and one patient."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ledger.book import load_book
from projections.archive import grow, in_order, segment
from projections.archive.compact import compact
from projections.archive.folder import folder_at
from projections.archive.manifest import ENTRIES, ArchiveManifest, archive_in
from projections.archive.reading import patients_in
from projections.archive.segment import ArchivedRow, SegmentReader
from projections.reading.budget import Budget, budget, set_budget
from tests.archives import Archived
from tests.command_line import BOOK, example, told
from tests.harness import book_of
from tests.read_models import crowd, mixed

FEW_ROWS = 4
NOTE = {"type": "CoordinationNoted", "date": "2026-02-03", "note": "word " * 199 + "ended"}


@pytest.fixture
def house(tmp_path: Path) -> Archived:
    """Some twenty patients whose entries are mixed, not archived yet."""
    histories, tables = crowd(Random(4), 20)
    house = Archived(tmp_path, book_of(tables))
    house.tell(mixed(Random(4), histories))
    return house


def archived(house: Archived) -> ArchiveManifest:
    found = archive_in(folder_at(house.archive))
    assert found
    return found.manifest


def test_of_each_file_a_few_rows_are_decoded_before_they_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "READ_ROWS", FEW_ROWS, raising=False)
    histories, tables = crowd(Random(6), 12)
    house, entries = Archived(tmp_path, book_of(tables)), mixed(Random(6), histories)
    for start in range(0, len(entries), len(entries) // 8):
        house.tell(entries[start : start + len(entries) // 8])
        house.grow(1)
    files, decoded, plainly = archived(house).of_kind(ENTRIES), 0, SegmentReader.rows
    assert len(files) > 8

    def counting(reader: SegmentReader, bucket: int | None = None) -> Iterator[list[ArchivedRow]]:
        nonlocal decoded
        for rows in plainly(reader, bucket):
            decoded += len(rows)
            yield rows

    monkeypatch.setattr(SegmentReader, "rows", counting)
    given, largest, ahead = 0, 0, 0
    for patient in patients_in(folder_at(house.archive), files, 0, lambda row: True, 1 << 30):
        given, largest = given + len(patient.rows), max(largest, len(patient.rows))
        ahead = max(ahead, decoded - given)
    assert given == decoded == sum(file.rows for file in files)
    assert ahead <= FEW_ROWS * len(files) < given // 4
    assert largest < given // 4


def test_made_at_once_a_bucket_lies_together_and_its_worker_is_told_of_no_other_file(
    house: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grow, "SEGMENT_ROWS", 100)
    monkeypatch.setattr(in_order, "ENTRIES_AT_ONCE", 20, raising=False)  # episodes have more
    made = house.grow(7)
    files = made.of_kind(ENTRIES)
    assert len(files) > 7
    whole = sorted(group.bucket for file in files for group in SegmentReader(folder_at(house.archive), file).groups)
    assert [bucket for file in files for bucket in _buckets(house, file)] == whole  # from each on to the next
    for bucket in range(7):
        having = [file for file in files if bucket in _buckets(house, file)]
        assert made.of_kind(ENTRIES, bucket) == having
    assert house.check().differing == []
    assert house.judged() == house.built()


def _buckets(house: Archived, file: Any) -> list[int]:
    return [group.bucket for group in SegmentReader(folder_at(house.archive), file).groups]


def test_what_came_since_is_put_in_order_as_much_at_a_time_as_there_is_memory_for(
    house: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.grow(3)
    house.tell(later())
    monkeypatch.setattr(grow, "LOT_BYTES", 20_000)
    before = len(archived(house).of_kind(ENTRIES))
    made = house.grow()
    assert len(made.of_kind(ENTRIES)) - before >= 5
    assert house.check().differing == []
    compact(folder_at(house.archive))
    assert house.check().differing == []


def later() -> list[Any]:
    notes = [told(f"n{number}", NOTE, episode="EP-late") for number in range(100)]
    return [entry | {"recorded_at": "2027-03-01T10:00Z"} for entry in (*example("EP-late", "P-late"), *notes)]


def test_groups_of_rows_are_cut_by_their_bytes_too(house: Archived, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "GROUP_BYTES", 2_000)
    (file,) = house.grow(1).of_kind(ENTRIES)
    folder = folder_at(house.archive)
    reader = SegmentReader(folder, file)
    texts = [sum(len(row.text) for row in rows) for rows in reader.rows()]
    assert len(reader.groups) == len(texts) > 50
    assert max(texts) <= 2_000
    assert house.judged() == house.built()


def test_who_has_more_text_than_is_read_of_a_patient_is_set_aside_as_a_rebuild_does_and_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Archived(tmp_path, load_book(BOOK))
    notes = [told(f"n{number}", NOTE, episode="EP-2") for number in range(1_000)]
    entries = [*example("EP-1", "P-1"), *example("EP-2", "P-2"), *notes, *example("EP-3", "P-3")]
    house.tell([entry | {"recorded_at": "2026-03-01T10:00Z"} for entry in entries])
    usual = budget()
    set_budget(Budget(20, 12))
    try:
        house.grow(1)
        found = house.judged()
        assert found == house.built()
    finally:
        set_budget(usual)
    assert [aside.patient for aside in found[1]] == ["P-2"]
    files = archived(house).of_kind(ENTRIES)
    rows = {each.patient: len(each.rows) for each in patients_in(folder_at(house.archive), files, 0, lambda _: True, 1)}
    assert rows["P-1"] == rows["P-3"] > rows["P-2"] == 1
    assert house.judged() == house.built()
    assert house.judged()[1] == []
