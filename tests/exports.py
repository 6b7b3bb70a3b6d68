"""Exports made by the command line, and read back by everything that reads them downstream."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import polars

from projections.export.shapes import DATASETS
from projections.rows.columns import Column
from projections.words import utc_text
from tests import ROOT, kept
from tests.command_line import EXAMPLE, House
from tests.simulated import tell_simulated
from tests.stores import open_ledger

Row = dict[str, Any]
FORMS = ("parquet", "csv", "jsonl")


def told_house(folder: Path) -> House:
    """A house with both stories of the golden examples, which show every kind of value."""
    return kept.house(folder, "golden", _tell_golden)


def _tell_golden(house: House) -> None:
    for story in ("intake", "trouble"):
        house.run("record", EXAMPLE / f"{story}.jsonl")
    house.run("days")


def duck() -> Any:
    """DuckDB, loaded where it is asked for: at the end of a process that has it nothing can be left as it is
    (conftest.py)."""
    import duckdb

    return duckdb


def export(house: House, dataset: str, form: str, out: Path, *options: object) -> Path:
    """Where the export stands that was just made."""
    ended = house.run("export", dataset, "--format", form, "--out", out, *options)
    assert (ended.status, out / dataset) == (0, out / dataset), ended
    return out / dataset


def manifest_of(place: Path) -> dict[str, Any]:
    """The manifest, after each file was held against it."""
    manifest: dict[str, Any] = json.loads((place / "manifest.json").read_bytes())
    found = {path.relative_to(place).as_posix() for path in place.rglob("part-*")}
    assert found == {part["path"] for part in manifest["files"]}
    for part in manifest["files"]:
        text = (place / part["path"]).read_bytes()
        assert (len(text), hashlib.sha256(text).hexdigest()) == (part["bytes"], part["sha256"])
    assert sum(part["rows"] for part in manifest["files"]) == manifest["rows"]
    return manifest


def rows_in(place: Path) -> list[Row]:
    """Every row of an export in its order, as JSON Lines would have it."""
    manifest = manifest_of(place)
    columns = [column for column in DATASETS[manifest["dataset"]].columns if column.name in manifest["columns"]]
    read = {"parquet": _of_parquet, "csv": _of_csv, "jsonl": _of_jsonl}[manifest["format"]]
    return [row for part in manifest["files"] for row in read(place / part["path"], columns)]


def _of_jsonl(path: Path, columns: list[Column]) -> list[Row]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def _of_csv(path: Path, columns: list[Column]) -> Iterator[Row]:
    for row in csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")):
        yield {column.name: _cell(column, row[column.name]) for column in columns}


def _cell(column: Column, text: str) -> Any:
    if text == "":
        assert column.nullable
        return None
    if column.kind in ("texts", "dates"):
        return json.loads(text)
    if column.kind == "count":
        return int(text)
    if column.kind == "flag":
        return {"true": True, "false": False}[text]
    return text.removeprefix("'")


def _of_parquet(path: Path, columns: list[Column]) -> Iterator[Row]:
    for row in polars.read_parquet(path, hive_partitioning=False).rows(named=True):
        yield {name: _plain(cell) for name, cell in row.items()}


def _plain(cell: Any) -> Any:
    if isinstance(cell, list):
        return [_plain(part) for part in cell]
    if isinstance(cell, Decimal):
        exponent = cell.as_tuple().exponent
        assert exponent in (-2, -8)
        return str(cell) if exponent == -2 else format(cell.normalize(), "f")
    if isinstance(cell, datetime):
        return utc_text(cell)
    return cell.isoformat() if hasattr(cell, "isoformat") else cell


SIMULATE = ROOT / "scripts" / "simulate"


def simulated_house(folder: Path, episodes: int, seed: int = 3) -> House:
    """A house told simulated histories, in their own book."""
    name = f"{episodes} simulated, {seed}"
    return kept.house(folder, name, partial(_tell_simulated, episodes, seed), book="told/book")


def _tell_simulated(episodes: int, seed: int, house: House) -> None:
    told = house.folder / "told"
    command = [sys.executable, str(SIMULATE), "--episodes", str(episodes), "--seed", str(seed), "--out", str(told)]
    subprocess.run(command, check=True, capture_output=True)
    house.book = told / "book"
    with open_ledger(house.ledger, create=True) as ledger:
        recorded = list(tell_simulated(ledger, told))
    assert {outcome.code for outcome in recorded} <= {None, "told_ahead"}  # planted
    house.run("days")


def as_exported(row: Row) -> Row:
    """A row as a read command prints it, with its cents as dollars."""
    cents = {name for name, cell in row.items() if name.endswith("_cents") and cell is not None}
    dollars = {name: str(Decimal(cell).scaleb(-2)) if name in cents else cell for name, cell in row.items()}
    return {name.removesuffix("_cents"): cell for name, cell in dollars.items()}
