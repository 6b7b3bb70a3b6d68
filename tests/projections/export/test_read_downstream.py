"""What those downstream read the feed with: its packages are valid, its events are events, and no row is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from projections.export.shapes import DATASETS
from tests.answered import answered_house, check_files
from tests.command_line import House, example, told
from tests.encrypted_house import Locked
from tests.exports import duck, export, manifest_of, told_house


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> list[House]:
    """Every kind of row: both golden stories, one of them restated since, and claims that were answered."""
    told_of = told_house(tmp_path_factory.mktemp("told"))
    assert told_of.run("follow", "--once").status == 0
    told_of.tell(told("death", {"type": "PatientDied", "date": "2026-02-02"}))
    answered = answered_house(tmp_path_factory.mktemp("answered"))
    answered.run("remit", *check_files(tmp_path_factory.mktemp("checks")))  # findings that are no patient's
    forgetful = Locked(tmp_path_factory.mktemp("forgetful"))
    forgetful.tell(*example(), *example("EP-2", "P-2"))
    assert forgetful.run("forget", "P-1", "--reason", "asked", "--by", "officer", "--yes").status == 0  # rows that stay
    return [told_of, answered, forgetful]


def exports(houses: list[House], form: str, out: Path) -> Iterator[Path]:
    """Each dataset of each house; and that each has rows in one of them."""
    for dataset in DATASETS:
        places = [export(house, dataset, form, out / str(number)) for number, house in enumerate(houses)]
        assert any(manifest_of(place)["rows"] for place in places), dataset
        yield from places


def test_frictionless_finds_every_package_valid(houses: list[House], tmp_path: Path) -> None:
    from frictionless import Package  # here: loading it takes a quarter of a second of each test process

    for place in exports(houses, "csv", tmp_path):
        package = Package(str(place.resolve() / "datapackage.json"))
        report = package.validate()
        assert report.flatten(["type", "note", "rowNumber", "fieldName"]) == []
        assert report.stats["tasks"] == len(manifest_of(place)["files"])
        assert sum(len(resource.read_rows()) for resource in package.resources) == manifest_of(place)["rows"]


def test_frictionless_would_find_a_cell_that_is_not_what_its_column_says(houses: list[House], tmp_path: Path) -> None:
    from frictionless import Package

    place = export(houses[0], "days", "csv", tmp_path).resolve()
    for part in place.rglob("part-*"):  # which is found first depends on the file system
        part.write_bytes(part.read_bytes().replace(b"90.00", b"ninety", 1))
    found = Package(str(place / "datapackage.json")).validate().flatten(["type"])
    assert ["type-error"] in found


def test_every_event_is_one_to_its_own_library(houses: list[House], tmp_path: Path) -> None:
    for number, house in enumerate(houses):
        lines = (export(house, "events", "cloudevents", tmp_path / str(number)) / "part-0.jsonl").read_bytes()
        for line in lines.splitlines():
            event, told = JSONFormat().read(CloudEvent, line), json.loads(line)
            assert (event.get_id(), event.get_type(), event.get_subject()) == (
                told["id"],
                told["type"],
                told["subject"],
            )
            assert (event.get_data(), event.get_extension("sequence")) == (told["data"], told["sequence"])


def test_duckdb_and_polars_read_every_row_and_cent_of_every_dataset(houses: list[House], tmp_path: Path) -> None:
    for place in exports(houses, "parquet", tmp_path):
        manifest = manifest_of(place)
        paths = [str(place / part["path"]) for part in manifest["files"]]
        if not paths:
            continue
        frame = polars.concat(
            [polars.read_parquet(path, hive_partitioning=False) for path in paths], how="vertical_relaxed"
        )
        table = duck().read_parquet(paths, hive_partitioning=False)
        assert frame.columns == table.columns == list(manifest["columns"])
        assert frame.height == len(table) == manifest["rows"]
        columns = {column.name: column.kind for column in DATASETS[manifest["dataset"]].columns}
        for name, said in manifest["totals"].items():
            if columns.get(name) == "money":
                (by_duckdb,) = table.aggregate(f'coalesce(sum("{name}"), 0)').fetchall()[0]
                assert by_duckdb == (frame[name].sum() or 0) == Decimal(said)
