"""Downstream forty branches can be told apart, every episode is a row, and a finding has a name of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.book import book_of_text, load_book
from projections.export.shapes import DATASETS
from tests.command_line import BOOK, OPENING, House, example, told
from tests.exports import export, rows_in
from tests.histories import LAKESIDE
from tests.kept import documented

PROVIDER = OPENING["provider"]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Two episodes of one provider, the later of which another one takes over; the first provider is a branch."""
    house = House(tmp_path)
    (file,) = [path for path in (house.book / "providers").glob("*.toml") if PROVIDER in path.read_text()]
    file.write_text(f'branch = "River North"\n{file.read_text()}')
    assert house.tell(*example(), *example("EP-2", "P-2")).status == 0
    return house


def rows_of(house: House, dataset: str, out: Path, *options: object) -> list[Any]:
    return rows_in(export(house, dataset, "jsonl", out, *options))


def test_a_day_or_line_is_of_the_branch_that_its_provider_is(house: House, tmp_path: Path) -> None:
    branches = {row["provider"]: row["branch"] for row in rows_of(house, "providers", tmp_path / "out")}
    assert branches == {PROVIDER: "River North"}
    for dataset in ("days", "lines"):
        assert {branches[row["provider"]] for row in rows_of(house, dataset, tmp_path / "out")} == {"River North"}


def test_an_episode_is_a_row_with_where_it_is_and_who_pays(house: House, tmp_path: Path) -> None:
    moved = {"type": "ProviderChanged", "provider": LAKESIDE, "from": "2026-02-03"}
    covered = {"type": "CoverageVerified", "payer": "prairie-blue", "member": "M-2", "from": "2026-01-01", "rank": 2}
    ended = house.tell(
        told("m", moved, episode="EP-2"), told("c", covered, episode="EP-2"),
        told("v", {"type": "EpisodeVoided", "reason": "opened twice"}),
        told("d", {"type": "Discharged", "date": "2026-02-03"}, episode="EP-2"),
    )  # fmt: skip
    assert ended.status == 0, ended
    one, two = rows_of(house, "episodes", tmp_path / "out")
    assert (one["episode"], one["voided"], one["payers"], one["branch"]) == ("EP-1", True, [], "River North")
    assert (two["patient"], two["provider"], two["branch"], two["zone"]) == ("P-2", LAKESIDE, None, OPENING["zone"])
    assert (two["discharged"], two["voided"], len(two["payers"])) == ("2026-02-03", False, 2)
    assert rows_of(house, "episodes", tmp_path / "then", "--known-at", "2026-02-01T00:00Z") == []
    (house.folder.parent / "keys").mkdir(exist_ok=True)
    key = house.folder.parent / "keys" / f"{tmp_path.name}.key"
    named = rows_of(house, "episodes", tmp_path / "research", "--deidentified", "--key", key)
    assert not {"zone", "branch", "opened"} & named[0].keys()


def test_a_branch_changes_no_verdict_and_no_book_that_names_none(house: House) -> None:
    plain, branched = load_book(BOOK), load_book(house.book)
    assert '"branch"' not in plain.text
    assert (branched.hash == plain.hash, book_of_text(branched.text).providers[PROVIDER].branch) == (
        False, "River North",
    )  # fmt: skip


def test_a_finding_has_one_name_and_keeps_it(tmp_path: Path) -> None:
    house = documented(tmp_path)
    first, again = (rows_of(house, "findings", tmp_path / out) for out in ("one", "two"))
    names = [row["finding"] for row in first]
    assert len(set(names)) == len(names) > 1
    assert names == [row["finding"] for row in again]
    place = export(house, "findings", "csv", tmp_path / "csv")
    schema = json.loads((place / "datapackage.json").read_text())["resources"][0]["schema"]
    kinds = {field["name"]: field["type"] for field in schema["fields"]}
    assert (schema["primaryKey"], kinds["finding"]) == (["finding"], "string")


def test_findings_that_differ_in_what_they_say_alone_have_names_of_their_own(tmp_path: Path) -> None:
    house = House(tmp_path)
    line = {"code": "S9325", "from": "2026-02-02", "to": "2026-02-03", "charge_cents": 9000}
    claim = {"type": "ClaimSubmitted", "claim": "C-1", "payer": "prairie-blue", "frequency": "1",
             "lines": [line | {"units": 5}, line | {"units": 6}, line | {"units": 6}]}  # fmt: skip
    assert house.tell(*example(), told("c", claim)).status == 0
    alike = [row for row in rows_of(house, "findings", tmp_path / "out") if row["rule"] == "claim_units"]
    assert [row["message"].split(" units")[0][-1] for row in alike] == ["5", "6", "6"]
    assert len({row["finding"] for row in alike}) == 3


def test_no_key_of_any_dataset_is_a_list() -> None:
    """No reader of tables takes one."""
    assert not [
        (name, column.name)
        for name, dataset in DATASETS.items()
        for column in dataset.columns
        if column.name in dataset.key and column.kind in ("texts", "dates")
    ]
