"""Datasette over a copy of the read model, with the metadata that comes along: rows yes, SQL and download no."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
import yaml

from projections.read_model.tables import TABLES
from tests import ROOT
from tests.command_line import House, run

DOCS = ROOT / "docs"
METADATA = DOCS / "datasette" / "metadata.yaml"
Ask = Callable[[str], Any]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Ask a Datasette over a copy, made as docs/how-to/explore.md says."""
    house = House(tmp_path_factory.mktemp("explore"))
    assert (
        run("--ledger", house.ledger, "record", "--keep-recorded-at", DOCS / "examples/cancer-palliative.jsonl").status
        == 0
    )
    assert run("--ledger", house.ledger, "status").status == 0
    copy = house.folder / "days.db"
    with closing(sqlite3.connect(house.views.resolve())) as live:
        live.execute("VACUUM INTO ?", (str(copy),))
        shown = live.execute("SELECT * FROM days ORDER BY patient, episode, date").fetchall()
    with closing(sqlite3.connect(copy)) as copied:
        copied.executescript((METADATA.parent / "days.sql").read_text(encoding="utf-8"))
        assert copied.execute("SELECT * FROM days ORDER BY rowid").fetchall() == shown
    from datasette.app import Datasette  # here: loading it takes a second of each test process

    datasette = Datasette(immutables=[str(copy)], config_dir=METADATA.parent)  # as `datasette serve docs/datasette -i`

    def get(path: str) -> Any:
        with ThreadPoolExecutor(1) as aside:  # where a browser is driven, this thread has a loop already
            return aside.submit(asyncio.run, _get(datasette, path)).result()

    return get


async def _get(datasette: Any, path: str) -> Any:
    await datasette.invoke_startup()
    return await datasette.client.get(path)


@pytest.mark.sqlite_file
def test_rows_can_be_filtered_and_looked_at(ask: Ask) -> None:
    answer = ask("/days/days.json?status=hold&episode=EP-2005&_shape=objects")
    assert answer.status_code == 200
    assert {row["reason"] for row in answer.json()["rows"]} == {"auth_exhausted"}
    page = ask("/days/days?_facet=reason")
    assert page.status_code == 200
    assert "what the day pays, in whole cents" in page.text
    assert ask("/days/days/1").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/days.json?sql=select+1",
        "/days?sql=select+patient+from+days",
        "/days/days?_where=1=1",
        "/days/-/query?sql=select+1",
    ],
)
def test_sql_of_ones_own_is_refused(ask: Ask, path: str) -> None:
    answer = ask(path)
    assert answer.status_code in (400, 403, 404)
    assert "EP-2005" not in answer.text


def test_the_file_cannot_be_fetched(ask: Ask) -> None:
    assert ask("/days.db").status_code == 403
    assert "days.db" not in ask("/days").text


@pytest.mark.sqlite_file
def test_the_fingerprints_are_out_of_sight(ask: Ask) -> None:
    hidden = {table["name"]: table["hidden"] for table in ask("/days.json").json()["tables"]}
    assert hidden["digests"] is True
    assert hidden["days"] is False


def test_every_column_is_described() -> None:
    tables = yaml.safe_load(METADATA.read_text(encoding="utf-8"))["databases"]["days"]["tables"]
    for table, columns in TABLES.items():
        assert list(tables[table]["columns"]) == list(columns)
