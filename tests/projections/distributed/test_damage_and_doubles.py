"""What a result rests on: every file as it was written, one report a bucket by one code, and a manifest that says which
files count."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pyarrow import parquet

from ledger.book import load_book
from ledger.facts.entry import UnreadableEntry
from projections.archive.commits import commit
from projections.archive.folder import folder_at
from projections.archive.manifest import ENTRIES
from projections.archive.trouble import ArchiveError, WrongArchive
from projections.distributed.local import local_engine
from projections.distributed.run import ResultManifest, result_in
from projections.distributed.task import Report, Task
from projections.read_model.trouble import NotNow
from tests.archives import Archived
from tests.command_line import BOOK, example, told
from tests.tampering import WRONG, plant

Work = Callable[[Task], Report]
BUCKETS = 7


def dated(entries: list[Any]) -> list[Any]:
    return [entry | {"recorded_at": "2026-03-01T10:00Z"} for entry in entries]


@pytest.fixture
def house(tmp_path: Path) -> Archived:
    """Three patients, not archived yet."""
    house = Archived(tmp_path, load_book(BOOK))
    house.tell(dated([entry for number in (1, 2, 3) for entry in example(f"EP-{number}", f"P-{number}")]))
    return house


@pytest.fixture
def archived(house: Archived) -> Archived:
    """Three patients in an archive."""
    house.grow(BUCKETS)
    return house


def rows_in(out: str, manifest: ResultManifest) -> list[Any]:
    """Every row of the days that the manifest names."""
    paths = [Path(out) / file.path for file in manifest.files if file.table == "days"]
    return [tuple(row.values()) for path in paths for row in parquet.read_table(path).to_pylist()]


# Damaged or missing


def test_whatever_was_damaged_in_the_ledger_stops_here_too_with_the_same_words(house: Archived) -> None:
    house.tell(dated([told("later", episode="EP-2")]))
    whole = house.path.read_bytes()
    for what in sorted(WRONG.keys() - {"another episode"}):
        house.path.write_bytes(whole)
        shutil.rmtree(house.archive, ignore_errors=True)
        plant(house.path, WRONG[what][0], 15)
        house.grow(BUCKETS)
        with pytest.raises(UnreadableEntry) as built:
            house.built()
        with pytest.raises(UnreadableEntry) as judged:
            house.judged()
        assert str(judged.value) == str(built.value), what
        found = house.judged(quarantine=True)
        assert found == house.built(quarantine=True), what
        assert [aside.patient for aside in found[1]] == ["P-2"], what


def test_an_entry_of_nobody_is_not_archived(house: Archived) -> None:
    plant(house.path, WRONG["another episode"][0], 15)
    with pytest.raises(UnreadableEntry, match="position 15"):
        house.grow(BUCKETS)


def test_a_changed_byte_anywhere_in_an_archive_stops_whoever_reads_it(archived: Archived) -> None:
    (file,) = archived.grow().of_kind(ENTRIES)
    path = Path(archived.archive) / file.path
    whole = path.read_bytes()
    before = archived.judge().manifest
    for place in range(10, len(whole), len(whole) // 25):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ArchiveError, match=path.name):
            archived.judge()
        with pytest.raises(ArchiveError, match=path.name):
            archived.check()
    assert result_in(archived.out).manifest == before  # what stood, stands
    path.write_bytes(whole)
    assert archived.judge().manifest.fingerprints == before.fingerprints


def test_rows_cut_off_or_a_file_gone_stop_it_and_are_named(archived: Archived) -> None:
    (file,) = archived.grow().of_kind(ENTRIES)
    path = Path(archived.archive) / file.path
    about = parquet.read_table(path)
    parquet.write_table(about.slice(0, about.num_rows - 1), path)  # a good file, but for the row
    with pytest.raises(ArchiveError, match=path.name):
        archived.judge()
    path.unlink()
    with pytest.raises(ArchiveError, match=f"{path.name} is missing"):
        archived.judge()


def test_the_check_names_the_episodes_that_are_not_as_in_the_ledger(archived: Archived) -> None:
    assert archived.check().differing == []
    plant(archived.path, "UPDATE entries SET state = state || ' ' WHERE originator_id = 'EP-2'")
    assert archived.check().differing == ["EP-2"]


# Whose it is


def test_an_archive_takes_no_other_ledger_and_none_that_was_put_back(archived: Archived, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Archived(tmp_path / "other", archived.book)
    other.archive = archived.archive
    with pytest.raises(WrongArchive, match="another ledger"):
        other.grow()
    with pytest.raises(WrongArchive, match="has 7 buckets"):
        archived.grow(8)
    plant(archived.path, "UPDATE entries SET seal = zeroblob(32) WHERE position = (SELECT max(position) FROM entries)")
    with pytest.raises(WrongArchive, match="put back, or changed"):
        archived.grow()


def test_a_folder_of_something_else_is_left_alone(house: Archived, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "letter.txt").write_text("dear")
    with pytest.raises(WrongArchive, match="other files"):
        house.grow()


def test_of_two_writers_the_second_is_refused(archived: Archived) -> None:
    made = archived.grow()
    with pytest.raises(NotNow):
        commit(folder_at(archived.archive), 1, made, ())


# One report a bucket


def changing(change: Callable[[Report], Report]) -> Callable[[Work, Sequence[Task]], Iterator[Report]]:
    """An engine one of whose workers reports otherwise."""

    def run(work: Work, tasks: Sequence[Task]) -> Iterator[Report]:
        for report in map(work, tasks):
            yield change(report) if report.bucket == 3 else report

    return run


def by_another_book(report: Report) -> Report:
    """As a worker reports whose program reads a book otherwise."""
    return replace(report, made=tuple(replace(made, book="0" * 64) for made in report.made))


OTHERWISE: dict[str, Callable[[Report], Report]] = {
    "other code": lambda report: replace(report, code="0.1.0/2.4/other/2026a"),
    "another book": by_another_book,
    "a bucket twice": lambda report: replace(report, bucket=2),
}


@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_other_code_another_book_or_a_bucket_reported_twice_is_refused(archived: Archived, otherwise: str) -> None:
    before = archived.judge().manifest
    with pytest.raises((NotNow, ArchiveError)):
        archived.judge(engine=changing(OTHERWISE[otherwise]))
    assert result_in(archived.out).manifest == before


def test_a_bucket_that_was_not_reported_is_missed(archived: Archived) -> None:
    def forgetful(work: Work, tasks: Sequence[Task]) -> Iterator[Report]:
        yield from map(work, tasks[:-1])

    with pytest.raises(ArchiveError, match="not every bucket"):
        archived.judge(engine=forgetful)


def test_buckets_tried_twice_leave_files_that_nobody_names_and_rows_count_once(archived: Archived) -> None:
    plainly = archived.judge()
    doubled: list[str] = []

    def twice(work: Work, tasks: Sequence[Task]) -> Iterator[Report]:
        for task in tasks:
            doubled.extend(file.path for file in work(task).made[0].files)  # its worker was lost after it had written
            yield work(task)
        standing = Path(archived.out) / "days"
        again = [row for path in standing.glob("00000002-*") for row in parquet.read_table(path).to_pylist()]
        assert len(again) == 2 * plainly.manifest.rows["days"]  # without the manifest, rows would be double

    made = archived.judge(engine=twice)
    assert made.manifest.fingerprints == plainly.manifest.fingerprints
    assert set(doubled) <= set(made.orphans)
    rows = rows_in(archived.out, made.manifest)
    assert len(rows) == len({row[:3] for row in rows}) == made.manifest.rows["days"] > 0
    assert not [path for path in folder_at(archived.out).paths() if path in doubled]


def test_a_run_that_ends_in_between_leaves_the_result_that_stood(archived: Archived) -> None:
    before = archived.judge()
    rows = rows_in(archived.out, before.manifest)

    def killed(work: Work, tasks: Sequence[Task]) -> Iterator[Report]:
        yield work(tasks[0])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archived.judge(engine=killed)
    assert rows_in(archived.out, result_in(archived.out).manifest) == rows
    assert archived.judge().manifest.files != before.manifest.files
    named = {file.path for file in result_in(archived.out).manifest.files}
    assert {path for path in folder_at(archived.out).paths() if not path.startswith("manifests/")} == named


@pytest.mark.process
def test_two_processes_come_to_the_same(archived: Archived) -> None:
    assert archived.judge(engine=local_engine(2)).manifest.fingerprints == archived.judge().manifest.fingerprints
