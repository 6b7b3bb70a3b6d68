"""Claims, payments and remittances in the feed: what the commands print, joined, and their money to the cent."""

from __future__ import annotations

import json
from decimal import Decimal
from operator import itemgetter
from pathlib import Path

import pytest

from projections.export.shapes import DATASETS
from tests.answered import answered_house
from tests.command_line import House
from tests.exports import FORMS, Row, as_exported, export, manifest_of, rows_in

PARTS = ("remittance_lines", "remittance_adjustments")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return answered_house(tmp_path_factory.mktemp("answered"))


def exported(house: House, dataset: str, folder: Path, form: str = "jsonl", *options: object) -> list[Row]:
    return rows_in(export(house, dataset, form, folder / form, *options))


def dollars(rows: list[Row], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows if row[column] is not None), Decimal())


NAMED = {"patient": "patient_owes"}
"""What a column of the command is called where a patient's name stands beside it."""


def names_each_row(place: Path, rows: list[Row]) -> bool:
    """Whether the key that the package names is another in every row."""
    schema = json.loads((place / "datapackage.json").read_bytes())["resources"][0]["schema"]
    return len({tuple(row[name] for name in schema["primaryKey"]) for row in rows}) == len(rows)


PRINTED = {"claims": ("claims", "list"), "payments": ("payments",)}


def as_printed(row: Row) -> Row:
    return {
        NAMED.get(name, name): cell or ("none" if name == "code" else cell) for name, cell in as_exported(row).items()
    }


def test_every_format_holds_the_same_and_what_the_commands_print(house: House, tmp_path: Path) -> None:
    for dataset in ("claims", "payments", "remittances", *PARTS):
        rows, *others = (exported(house, dataset, tmp_path, form) for form in FORMS)
        assert rows
        assert all(other == rows for other in others)
        assert names_each_row(tmp_path / "csv" / dataset, rows)
        if command := PRINTED.get(dataset):
            shown = [as_printed(row) for row in house.run(*command).rows]
            found = [{name: row[name] for name in shown[0]} for row in rows]
            key = itemgetter(*DATASETS[dataset].order[1:])
            assert sorted(found, key=key) == sorted(shown, key=key)


def test_rows_join_and_their_money_is_that_of_the_answers(house: House, tmp_path: Path) -> None:
    claims, days, answers, lines, adjustments = (
        exported(house, name, tmp_path) for name in ("claims", "payments", "remittances", *PARTS)
    )
    known = {(row["patient"], row["episode"], row["claim"]) for row in claims}
    assert {(row["patient"], row["episode"], row["claim"]) for row in (*days, *answers)} <= known
    by_answer = {(row["episode"], row["answer"]): row for row in answers}
    assert {(row["episode"], row["answer"]) for row in (*lines, *adjustments)} <= set(by_answer)
    numbers = {(row["answer"], row["number"]) for row in lines}
    assert {(row["answer"], row["line_number"]) for row in adjustments if row["line_number"]} <= numbers
    assert dollars(claims, "paid") == dollars(days, "paid") == dollars(answers, "paid") > 0
    for row in answers:
        of_it = [each for each in adjustments if each["answer"] == row["answer"]]
        adds_up = dollars([row], "charge") - dollars(of_it, "amount") == dollars([row], "paid")
        assert row["balanced"] is adds_up
    assert manifest_of(tmp_path / "jsonl" / "payments")["totals"]["paid"] == str(dollars(days, "paid"))


def test_an_answer_that_was_taken_back_stands_no_longer(house: House, tmp_path: Path) -> None:
    answers = exported(house, "remittances", tmp_path)
    taken = next(row for row in answers if row["status"] == "22")
    first = next(row for row in answers if row["status"] != "22" and row["payer_control"] == taken["payer_control"])
    assert (first["stands"], taken["stands"]) == (False, False)
    assert any(row["stands"] for row in answers)
    answered = {row["claim"]: row["answered_on"] for row in exported(house, "claims", tmp_path)}
    for claim in {row["claim"] for row in answers}:
        standing = [row["paid_on"] for row in answers if row["claim"] == claim and row["stands"]]
        assert answered[claim] == max(standing, default=None)


def test_without_names_rows_still_join(house: House, tmp_path: Path) -> None:
    hidden = ("--deidentified", "--key", tmp_path / "key")
    claims, days, answers, lines = (
        exported(house, name, tmp_path, "jsonl", *hidden)
        for name in ("claims", "payments", "remittances", "remittance_lines")
    )
    known = {(row["episode"], row["claim"]) for row in claims}
    assert {(row["episode"], row["claim"]) for row in (*days, *answers)} <= known
    assert {row["answer"] for row in lines} <= {row["answer"] for row in answers}
    assert "EP-O1" not in str((claims, days, answers, lines))
