"""An archive grown in steps is one made at once; compacted, or in an object store, it is the same archive."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from ledger.book import load_book
from ledger.facts.administration import PatientsMerged
from projections.archive.compact import compact
from projections.archive.folder import folder_at
from projections.archive.manifest import ENTRIES, archive_in
from projections.archive.reading import bucket_of
from projections.archive.segment import ArchivedRow, SegmentReader
from tests.archives import Archived
from tests.command_line import BOOK
from tests.encrypted_house import Locked
from tests.harness import book_of
from tests.histories import history
from tests.read_models import crowd, mixed


def rows_of(house: Archived) -> list[ArchivedRow]:
    """Every row of the archive's entries, in order."""
    folder = folder_at(house.archive)
    found = archive_in(folder)
    assert found
    readers = [SegmentReader(folder, file) for file in found.manifest.of_kind(ENTRIES)]
    return sorted(row for reader in readers for group in reader.rows() for row in group)


@pytest.mark.parametrize("seed", range(3))
def test_grown_in_steps_it_is_the_archive_made_at_once(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    if seed:
        entries, tables = history(rng, house=True)
    else:
        histories, tables = crowd(rng, 3)
        entries = mixed(rng, histories)
    house = Archived(tmp_path, book_of(tables))
    for start in range(0, len(entries), 17):
        house.tell(entries[start : start + 17])
        house.grow(7)
    assert house.grow() == house.grow()  # nothing new, nothing done
    grown = rows_of(house)
    house.archive = str(tmp_path / "at once")
    house.grow(7)
    assert rows_of(house) == grown
    found = archive_in(folder_at(house.archive))
    assert found
    assert found.manifest.entries == len({row[1:3] for row in grown})


def test_compacted_it_has_a_file_a_bucket_and_says_the_same(tmp_path: Path) -> None:
    histories, tables = crowd(Random(5), 5)
    entries = mixed(Random(5), histories)
    house = Archived(tmp_path, book_of(tables))
    for start in range(0, len(entries), 29):
        house.tell(entries[start : start + 29])
        house.grow(3)
    rows, found = rows_of(house), house.judged()
    made = compact(folder_at(house.archive))
    assert len(made.of_kind(ENTRIES)) == len({bucket_of(row.patient, 3) for row in rows}) > 1
    assert (rows_of(house), house.judged(), house.check().differing) == (rows, found, [])
    house.grow()  # readers of the archive before had their files until now
    compact(folder_at(house.archive))
    compact(folder_at(house.archive))
    assert rows_of(house) == rows


def test_in_an_object_store_it_is_the_same(tmp_path: Path) -> None:
    entries, tables = history(Random(8), house=True)
    house = Archived(tmp_path, book_of(tables))
    house.tell(entries)
    house.grow()
    found = house.judged()
    house.archive, house.out = f"memory://{tmp_path.name}/archive", f"memory://{tmp_path.name}/out"
    house.grow()
    assert house.judged() == found == house.built()
    assert house.judged() == found
    assert house.check().differing == []


# Encrypted


@pytest.fixture
def locked(tmp_path: Path) -> tuple[Locked, Archived]:
    """An encrypted ledger of some examples, archived."""
    house = Locked(tmp_path)
    for intake in sorted((Path(__file__).parents[3] / "docs" / "examples").glob("*.jsonl"))[:2]:
        assert house.run("record", "--keep-recorded-at", intake).status == 0
    archived = Archived(house.folder, load_book(BOOK), master=house.master, key_file=house.key)
    archived.grow(7)
    return house, archived


def test_an_encrypted_archive_is_judged_with_the_keys_of_its_ledger(locked: tuple[Locked, Archived]) -> None:
    _, archived = locked
    assert archived.judged() == archived.built()
    assert archived.check().differing == []
    names = {patient.encode() for _, patient, _, _ in archived.open().extents(10_000)}
    assert names
    assert not any(name in file.read_bytes() for name in names for file in Path(archived.archive).rglob("*.parquet"))


def test_who_was_forgotten_is_forgotten_by_the_archive_too(locked: tuple[Locked, Archived]) -> None:
    house, archived = locked
    with archived.open() as ledger:
        patient = sorted(patient for _, patient, _, _ in ledger.extents(ledger.position()))[0]
        before = ledger.position()
    known, made = archived.judged(), archived.grow()
    ended = house.run("forget", patient, "--reason", "asked in writing", "--by", "officer", "--yes")
    assert ended.status == 0, ended
    files = {path: path.read_bytes() for path in Path(archived.archive).rglob("*.parquet")}
    assert archived.judged(upto=before) == archived.built(upto=before) != known  # of an archive made before
    assert archived.grow().position == made.position + 1
    assert archived.judged() == archived.built()
    assert {path: path.read_bytes() for path in files} == files
    assert archived.check().differing == []


def test_merged_patients_of_an_encrypted_ledger_are_one_in_its_archive(locked: tuple[Locked, Archived]) -> None:
    """Their names in the act are under the keys of their episodes, which every bucket brings."""
    _, archived = locked
    with archived.open() as ledger:
        one, other, *_ = sorted({patient for _, patient, _, _ in ledger.extents(ledger.position())})
        at = datetime(2027, 1, 1, tzinfo=UTC)
        ledger.record_merging(PatientsMerged(at, "clerk", one, other, "one person", "0" * 32))
    before = archived.judged()
    archived.grow()
    assert archived.judged() == archived.built() != before
    assert archived.check().differing == []
