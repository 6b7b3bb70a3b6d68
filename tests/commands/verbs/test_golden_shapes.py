"""What commands print, byte for byte: other people's programs read it (contract sections 1 and 2).

``golden/example`` holds the project's shared example, and a history of trouble; ``golden/NAME-COMMAND.FORM`` what each
command prints for it. After a deliberate change of shape:
``GOLDEN=write pytest tests/commands/verbs/test_golden_shapes.py``, and read the difference.
"""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import msgspec
import pytest

from commands.terminal.show import safe_cell
from commands.writing.record import Outcome
from projections.rows.day import DayRow
from projections.rows.finding import FindingRow
from projections.rows.line import LineRow
from projections.tables import text_of
from tests.command_line import EXAMPLE, House

KEYS = {
    "record": "line outcome position code message",
    "days": (
        "patient episode date status reason code payer terms_from terms_published rate_cents authorization because"
        " member provider place_of_service modifiers"
    ),
    "findings": "rule level patient episodes dates codes because message",
    "lines": (
        "patient episode payer code from to units rate_cents charge_cents authorization terms_from modifiers"
        " member provider place_of_service expected_cents"
    ),
}
STRUCTS: dict[str, type[msgspec.Struct]] = {"record": Outcome, "days": DayRow, "findings": FindingRow, "lines": LineRow}
FORMS = {"json": "jsonl", "csv": "csv"}


def printed(folder: Path, story: str, command: str, form: str) -> bytes:
    """What a command prints after a story was recorded; json is what a pipe gets without being asked."""
    house = House(folder)
    chosen = () if form == "json" else ("--format", form)
    recorded = house.run("record", EXAMPLE / f"{story}.jsonl", *chosen)
    assert recorded.status == (1 if story == "trouble" else 0)
    if command == "record":
        return recorded.out
    shown = house.run(command, *chosen)
    assert (shown.status, shown.err) == (0, "")
    return shown.out


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("command", KEYS)
@pytest.mark.parametrize("story", ["intake", "trouble"])
def test_every_byte_is_as_it_was(tmp_path: Path, story: str, command: str, form: str) -> None:
    golden = EXAMPLE.parent / f"{story}-{command}.{FORMS[form]}"
    out = printed(tmp_path, story, command, form)
    if os.environ.get("GOLDEN") == "write":
        golden.write_bytes(out)
    assert out == golden.read_bytes()


@pytest.mark.parametrize("command", KEYS)
def test_the_columns_are_the_contracts(command: str) -> None:
    keys = KEYS[command].split()
    assert [field.encode_name for field in msgspec.structs.fields(STRUCTS[command])] == keys
    for story in ("intake", "trouble"):
        golden = EXAMPLE.parent / f"{story}-{command}"
        lines = golden.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
        assert all(list(json.loads(line)) == keys for line in lines)
        table = list(csv.reader(io.StringIO(golden.with_suffix(".csv").read_bytes().decode(), newline="")))
        assert table[0] == keys
        assert len(table) == len(lines) + 1
        assert all(len(row) == len(keys) for row in table)


def test_the_story_of_trouble_shows_every_kind_of_value() -> None:
    folder = EXAMPLE.parent
    days = [json.loads(line) for line in (folder / "trouble-days.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(day["status"], day["reason"]) for day in days] == [
        ("billable", None),
        ("hold", "auth_exhausted"),
        ("conflict", "specific_pair"),
    ]
    assert (folder / "trouble-findings.jsonl").read_bytes()
    assert (folder / "trouble-lines.jsonl").read_bytes()


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", " =", "\u00a0=", "\u200b＝", "\ufeff@"]
)
def test_no_spreadsheet_takes_a_cell_for_a_formula(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"
    assert safe_cell(f"1{start}1") == f"1{start}1"


def test_no_cell_of_a_sheet_begins_a_formula() -> None:
    sheets = list(EXAMPLE.parent.glob("trouble-*.csv"))
    assert len(sheets) == len(KEYS)
    cells = {
        cell
        for sheet in sheets
        for row in csv.reader(io.StringIO(sheet.read_bytes().decode(), newline=""))
        for cell in row
    }
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {"'=EP-2", '\'+Zoë "Z", P-2', "'@pump:=1+1", "'-A1"} <= cells


def test_lists_and_absent_values_in_a_cell() -> None:
    assert text_of(None) == ""
    assert text_of(("a:1", "b:2")) == "a:1; b:2"
    assert text_of(()) == ""
    assert text_of(True) == "true"
    assert text_of(9000) == "9000"
    assert text_of({"a": 1}) == '{"a":1}'
