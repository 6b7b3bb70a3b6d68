"""What exports look like, byte for byte: version 1 of the contract with those downstream (docs/reference/feed.md).

``golden/export/vN`` holds every dataset in every format, Parquet as its schema and rows in words. Within a version
columns are only added at the end. After a deliberate change:
``GOLDEN=write pytest tests/projections/export/test_golden_export.py``, and read the
difference; what fails ``only_added`` needs a new ``SCHEMA_VERSION`` and a folder of its own.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet
import pytest

from projections.export.as_parquet import schema_of
from projections.export.datapackage import package_of
from projections.export.manifest import ExportManifest
from projections.export.shapes import CHANGES_OF, DATASETS, SCHEMA_VERSION
from tests.answered import answered_house
from tests.command_line import EXAMPLE, House, told
from tests.exports import export, manifest_of, rows_in
from tests.stores import open_ledger

GOLDEN = EXAMPLE.parent / "export" / f"v{SCHEMA_VERSION}"
SCHEMA = GOLDEN / "schema.json"
RECORDED_AT = "2026-11-02T16:00:00Z"
ANSWERED = ("claims", "payments", "payment_changes", "remittances", "remittance_lines", "remittance_adjustments")
CASES = [(dataset, form) for dataset in DATASETS for form in ("csv", "jsonl", "parquet")] + [("events", "cloudevents")]
Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Both stories of the shared example, recorded at one instant, and what was learned after them."""
    house = House(tmp_path_factory.mktemp("golden"))
    for story in ("intake", "trouble"):
        lines = [
            json.loads(line) for line in (EXAMPLE / f"{story}.jsonl").read_bytes().splitlines() if line[:1] == b"{"
        ]
        fine = [entry | {"recorded_at": RECORDED_AT} for entry in lines if "recorded_at" not in entry]
        house.tell(*fine, options=["--keep-recorded-at"])
    assert house.run("follow", "--once").status == 0
    at: dict[str, Any] = {"recorded_at": "2026-11-03T09:30:00.25Z", "source": "chart"}
    gone = {"type": "FactRetracted", "target_source": "chart", "target_id": "dc", "reason": "not discharged"}
    died = {"type": "PatientDied", "date": "2026-02-02"}
    house.tell(told("dc-2", gone, **at), told("died", died, **at), options=["--keep-recorded-at"])
    return house


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The open example of claims, paid, cut, denied and corrected."""
    return answered_house(tmp_path_factory.mktemp("answered"))


def text_of(house: House, dataset: str, form: str, out: Path) -> bytes:
    """An export in one text, without what is drawn at random."""
    options: list[object] = []
    if dataset in CHANGES_OF:
        with open_ledger(house.ledger, create=False) as ledger:
            options = ["--since", 0 if dataset in ANSWERED else ledger.adoptions()[0][0]]
    place = export(house, dataset, form, out / form, *options)
    if form == "parquet":
        return parquet_in_words(place)
    parts = [(place / part["path"]).read_bytes() for part in manifest_of(place)["files"]]
    with open_ledger(house.ledger, create=False) as ledger:
        return b"".join(parts).replace(ledger.id.encode(), b"LEDGER")


def parquet_in_words(place: Path) -> bytes:
    """The schema as Arrow knows it, the physical types, and the rows."""
    path = next(place.rglob("*.parquet"))
    file = pyarrow.parquet.ParquetFile(path)
    rows = b"".join(msgspec.json.encode(row) + b"\n" for row in rows_in(place))
    kinds = [f"{file.schema.column(place).path}: {file.schema.column(place).physical_type}" for place in
             range(len(file.schema))]  # fmt: skip
    return "\n".join([str(file.schema_arrow.remove_metadata()), "", *kinds, "", ""]).encode() + rows


@pytest.mark.parametrize(("dataset", "form"), CASES)
def test_every_byte_is_as_it_was(house: House, answered: House, tmp_path: Path, dataset: str, form: str) -> None:
    golden = GOLDEN / f"{dataset}.{form}{'.txt' if form == 'parquet' else ''}"
    text = text_of(answered if dataset in ANSWERED else house, dataset, form, tmp_path)
    if os.environ.get("GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(text)
    assert text == golden.read_bytes()
    assert len(text.splitlines()) > (form == "csv"), "there is a row"


def tables() -> Tables:
    """The columns of every dataset as each format has them, and the keys of the manifest."""
    found: Tables = {}
    for name, dataset in DATASETS.items():
        arrow, fields = schema_of(dataset.columns), package_of(dataset, dataset.columns, [])
        assert fields["resources"] == []
        found[name] = [
            {"name": column.name, "kind": column.kind, "arrow": str(arrow.field(column.name).type),
             "nullable": column.nullable, "deidentified": column.deidentified}
            for column in dataset.columns
        ]  # fmt: skip
    found["manifest"] = [
        {"name": name, "kind": json.dumps(kind, sort_keys=True)}
        for name, kind in msgspec.json.schema_components([ExportManifest])[1]["ExportManifest"]["properties"].items()
    ]
    return found


def broken(old: Tables, new: Tables) -> list[str]:
    """What the new tables take from those who rely on the old: anything but columns added at the end."""
    found = []
    for name, columns in old.items():
        now = new.get(name, [])
        for place, column in enumerate(columns):
            if place >= len(now) or now[place] != column:
                found.append(f"{name}.{column['name']}: removed, renamed, moved or of another type")
    return found


def test_columns_are_only_added() -> None:
    if os.environ.get("GOLDEN") == "write":
        SCHEMA.write_text(json.dumps(tables(), indent=1) + "\n", encoding="utf-8")
    assert broken(json.loads(SCHEMA.read_text(encoding="utf-8")), tables()) == []


def test_the_golden_changes_are_of_every_kind_but_insert() -> None:
    kinds = {json.loads(line)["kind"] for line in (GOLDEN / "changes.jsonl").read_bytes().splitlines()}
    assert kinds == {"restate", "retract"}


BREAKING: dict[str, Callable[[Tables], Any]] = {
    "a dataset removed": lambda now: now.pop("lines"),
    "a column removed": lambda now: now["days"].pop(),
    "a column renamed": lambda now: now["days"][9].update(name="price"),
    "a column retyped": lambda now: now["days"][9].update(arrow="double"),
    "a column that may be null now": lambda now: now["lines"][7].update(nullable=True),
    "columns moved": lambda now: now["days"].reverse(),
    "a column added in the middle": lambda now: now["changes"].insert(3, {"name": "new"}),
    "a name no longer taken out": lambda now: now["days"][0].update(deidentified="kept"),
    "a key of the manifest removed": lambda now: now["manifest"].pop(0),
}


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING)
def test_it_refuses(change: Callable[[Tables], Any]) -> None:
    now = copy.deepcopy(tables())
    change(now)
    assert broken(tables(), now)


@pytest.mark.parametrize("name", [*DATASETS, "manifest"])
def test_it_takes_columns_added_at_the_end(name: str) -> None:
    now = copy.deepcopy(tables())
    now[name].append({"name": "new"})
    assert broken(tables(), now) == []
