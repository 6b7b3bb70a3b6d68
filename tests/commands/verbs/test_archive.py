"""``archive`` and ``judge``: the ledger as files, and what an engine of many machines makes of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.command_line import House, assert_plain
from tests.encrypted_house import Locked
from tests.exports import duck
from tests.kept import documented
from tests.read_models import three_patients_house

AFTER_SURGERY = ROOT / "docs" / "examples" / "after-surgery.jsonl"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return three_patients_house(tmp_path)


@pytest.fixture
def archived(house: House) -> House:
    assert house.run("archive", "--out", house.folder / "archive", "--in-the-open", "--buckets", "3").status == 0
    return house


def judged(house: House, *more: object, out: str = "judged") -> list[str]:
    """The fingerprints that it prints."""
    ended = house.run("judge", "--archive", house.folder / "archive", "--out", house.folder / out, *more)
    assert ended.status == 0, ended
    return ended.out.decode().splitlines()


def test_it_comes_to_what_a_rebuild_comes_to_and_says_so(archived: House) -> None:
    lines = judged(archived, "--against", archived.views)
    status = archived.run("status", "--format", "json").rows[0]
    assert lines == [*(f"{table} {found}" for table, found in status["fingerprints"].items()),
                     "equal: 0 of 3 patients differ"]  # fmt: skip


def test_what_is_new_is_added_and_the_archive_checked_and_compacted(archived: House) -> None:
    place = archived.folder / "archive"
    assert archived.run("archive", "--out", place, "--check").out.startswith(b"The archive is the ledger up to")
    archived.tell({"episode": "EP-2", "source": "pump", "id": "more", "by": "rn-1",
                   "fact": {"type": "DayServed", "order": "RX-1", "date": "2026-02-03"}})  # fmt: skip
    assert archived.run("archive", "--out", place, "--check").out.endswith(b"The ledger has gone on since.\n")
    assert_plain(archived.run("archive", "--out", place), 2, "--in-the-open")
    archived.run("archive", "--out", place, "--in-the-open")
    assert archived.run("archive", "--out", place, "--compact").status == 0
    archived.run("days")  # catches the read model up
    assert judged(archived, "--against", archived.views)[-1].startswith("equal")


def test_what_differs_is_named_with_its_cause(archived: House) -> None:
    judged(archived)
    place, other = archived.folder / "archive", archived.folder / "judged"
    command = ["judge", "--archive", place, "--out", archived.folder / "tried", "--against", other]
    row = archived.run("lines").rows[0]
    ended = archived.run(*command, "--set", f"{row['payer']}.rate_cents.{row['code']}=1", "--format", "json")
    assert ended.status == 1
    found = ended.out.decode().splitlines()[-1]
    assert '"outcome":"explained"' in found
    assert '"causes":["new book"]' in found
    ended = archived.run(*command, "--position", "12")
    assert (ended.status, b"explained" in ended.out, b"another position" in ended.out) == (1, True, True)
    ended = archived.run(*command, "--known-at", "2026-01-01T00:00Z")
    assert b"known at another instant" in ended.out


def test_two_books_are_judged_in_one_pass_each_into_its_own_folder(archived: House) -> None:
    row = archived.run("lines").rows[0]
    dearer = f"{row['payer']}.rate_cents.{row['code']}=1"
    plain, other = judged(archived, out="plain"), judged(archived, "--set", dearer, out="other")
    both = judged(archived, "--out-b", archived.folder / "tried", "--set", dearer)
    assert both[:6] == plain + other
    assert both[6].startswith("explained: ")
    assert both[6].endswith("patients differ (new book)")
    assert judged(archived, "--against", archived.folder / "tried", "--set", dearer)[-1].startswith("equal")


def test_the_rows_are_those_that_are_exported(tmp_path: Path) -> None:
    archived = documented(tmp_path)
    archived.run("archive", "--out", tmp_path / "archive", "--in-the-open")
    judged(archived)
    for dataset in ("days", "lines", "findings"):
        assert archived.run("export", dataset, "--format", "parquet", "--out", archived.folder / "feed").status == 0
        exported = f"'{archived.folder}/feed/{dataset}/**/*.parquet'"
        made = f"'{archived.folder}/judged/{dataset}/*.parquet'"
        rows = [
            duck().sql(f"SELECT * FROM read_parquet({each}, hive_partitioning = false) ORDER BY ALL").fetchall()
            for each in (exported, made)
        ]
        assert rows[0] == rows[1]
        assert rows[0]


def test_what_cannot_be_asked_is_refused_plainly(archived: House, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = archived.folder
    command = ["judge", "--archive", folder / "archive", "--out", folder / "judged"]
    assert_plain(archived.run(*command, "--position", "999"), 2, "the archive ends at position 33")
    assert_plain(archived.run(*command, "--master", "local[2]"), 2, "--engine spark")
    assert_plain(archived.run(*command, "--book-b", folder), 2, "--book-b is for --out-b")
    assert_plain(archived.run(*command, "--out-b", folder / "tried"), 2, "either with --book-b DIR or with --set")
    assert_plain(archived.run(*command, "--out-b", folder / "judged", "--book-b", folder), 2, "name one place")
    assert_plain(archived.run("judge", "--archive", folder / "none", "--out", folder / "judged"), 2, "no archive")
    assert_plain(archived.run(*command, "--against", folder / "none"), 2, "no result")
    assert_plain(archived.run("archive", "--out", folder / "archive", "--check", "--compact"), 2, "one of them")
    assert_plain(archived.run("archive", "--out", "nowhere://x", "--in-the-open"), 2, "cannot be reached")
    monkeypatch.setitem(sys.modules, "projections.distributed.spark", None)
    assert_plain(archived.run(*command, "--engine", "spark"), 2, "episode-ledger[spark]")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert_plain(archived.run(*command), 2, "episode-ledger[archive]")


def test_a_file_that_is_not_as_it_was_written_is_named(archived: House) -> None:
    (file, *_) = (archived.folder / "archive").glob("??/*-0.parquet")
    file.write_bytes(file.read_bytes()[:-1])
    command = ["judge", "--archive", archived.folder / "archive", "--out", archived.folder / "judged"]
    assert_plain(archived.run(*command), 3, file.name, "damaged")
    assert_plain(archived.run("archive", "--out", archived.folder / "archive", "--check"), 3, file.name)


# Encrypted


def test_what_was_judged_of_an_encrypted_ledger_goes_when_somebody_is_forgotten(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    assert house.run("record", "--keep-recorded-at", AFTER_SURGERY).status == 0
    house.run("archive", "--out", house.folder / "archive", "--buckets", "2")
    out = house.folder / "judged"
    judged(house)
    judged(house, "--against", out)
    tried = house.folder / "tried"
    judged(house, "--out-b", tried, "--set", "prairie-blue.auth_required=true")
    patient = house.run("days").rows[0]["patient"]
    ended = house.run("forget", patient, "--reason", "asked in writing", "--by", "officer", "--yes")
    assert (ended.status, f"Removed {out}." in ended.err) == (0, True), ended
    assert not [path for each in (out, tried) for path in each.rglob("*") if path.is_file()]
    house.run("archive", "--out", house.folder / "archive")
    house.run("days")
    judged(house, "--against", house.views)
    (out / "letter.txt").write_text("somebody's own")
    ended = house.run("forget", house.run("days").rows[-1]["patient"], "--reason", "asked", "--by", "officer", "--yes")
    assert (ended.status, f"{out} is not as this program wrote it any more" in ended.err) == (1, True)


def test_an_encrypted_result_stays_where_it_can_be_taken_back(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    assert house.run("record", "--keep-recorded-at", AFTER_SURGERY).status == 0
    house.run("archive", "--out", house.folder / "archive")
    command = ["judge", "--archive", house.folder / "archive", "--out"]
    assert_plain(house.run(*command, "memory://judged"), 2, "into a folder")
    itself = {"EPISODE_MASTER_KEY": house.key.read_text().strip()}
    assert_plain(house.run(*command, house.folder / "judged", env=itself), 2, "--master-key FILE")
