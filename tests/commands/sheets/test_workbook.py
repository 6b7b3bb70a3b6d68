"""Workbooks: the same rows as their CSV, and files that would be trouble to open."""

from __future__ import annotations

import csv
import datetime
import zipfile
from pathlib import Path
from typing import Any

import pytest

from commands.sheets.bounds import SheetTrouble
from commands.sheets.reading import Row, opened, sheets_of
from tests.month import MONTH, SHEETS, Month

openpyxl = pytest.importorskip("openpyxl")


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def rows_of(path: Path) -> list[Row]:
    (sheet,) = sheets_of(path)
    with opened(sheet) as found:
        return list(found.rows)


def test_values_are_read_as_one_would_type_them(tmp_path: Path) -> None:
    values = [
        datetime.datetime(2026, 10, 5), datetime.datetime(2026, 10, 5, 14, 30), datetime.time(14, 30), 24, 24.0, 1.5,
        True, "00409-1234-01", None, "x",
    ]  # fmt: skip
    (row,) = rows_of(workbook(tmp_path / "a.xlsx", A=[[f"H{place}" for place in range(len(values))], values]))
    assert list(row.cells) == [
        "2026-10-05", "2026-10-05 14:30:00", "14:30:00", "24", "24", "1.5", "yes", "00409-1234-01", "", "x",
    ]  # fmt: skip


def test_empty_cells_at_the_end_and_empty_rows_are_no_fault(tmp_path: Path) -> None:
    rows = rows_of(workbook(tmp_path / "a.xlsx", A=[["A", "B"], ["1"], [], ["2", "3"]]))
    assert [(row.number, row.cells) for row in rows] == [(2, ("1", "")), (4, ("2", "3"))]


def test_a_formula_that_gave_an_error_is_a_fault_of_its_row(tmp_path: Path) -> None:
    (row,) = rows_of(workbook(tmp_path / "a.xlsx", A=[["A"], ["#REF!"]]))
    assert "a formula here gave an error" in (row.fault or "")


def typed(text: str) -> Any:
    """A cell as Excel has it: dates as dates, numbers as numbers."""
    for form in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            return datetime.datetime.strptime(text, form)
        except ValueError:
            continue
    return int(text) if text.isdigit() and not text.startswith("0") else text


def test_the_month_comes_in_from_one_workbook_as_from_its_csv_files(tmp_path: Path) -> None:
    tables = {}
    for path in SHEETS:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        tables[path.stem] = [header, *([typed(cell) for cell in row] for row in rows)]
    month = Month(tmp_path)
    path = workbook(tmp_path / "month.xlsx", **tables, notes=[["nothing"], ["of ours"]])
    ended = month.run("import", path, "--map", MONTH / "pharmacy.toml")
    assert ended.status == 0
    assert "month.xlsx, sheet notes: left out" in ended.err
    assert "117 rows: 175 recorded" in ended.err
    again = month.bring_in()
    assert "117 rows: 0 recorded, 175 duplicate, 0 refused" in again.err


def test_a_refusal_names_the_sheet(tmp_path: Path) -> None:
    month = Month(tmp_path)
    path = workbook(tmp_path / "m.xlsx", pain=[["MRN", "Assessed", "Score (0-10)", "RN"], ["1", "x", 5, "rn1"]])
    (row,) = month.run("import", path, "--map", MONTH / "pharmacy.toml").rows
    assert row["message"].startswith('m.xlsx, sheet pain, row 2: "Assessed": expected a date such as 10/05/2026')
    assert (row["file"], row["sheet"], row["row"]) == ("m.xlsx", "pain", 2)


# Hostile


def packed(path: Path, parts: dict[str, bytes], source: Path) -> Path:
    """A workbook with some parts replaced or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return workbook(tmp_path / "plain.xlsx", A=[["A", "B"], ["1", "2"]])


def test_a_workbook_that_unpacks_to_gigabytes_is_refused_unopened(tmp_path: Path, plain: Path) -> None:
    path = packed(tmp_path / "bomb.xlsx", {"xl/media/image1.bin": b"\0" * 60_000_000}, plain)
    assert path.stat().st_size < 200_000
    with pytest.raises(SheetTrouble, match="unpacks to more than is read of a workbook"):
        sheets_of(path)


def test_a_workbook_with_a_document_type_is_refused(tmp_path: Path, plain: Path) -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">]><x>&a;</x>'
    for content in (laughs, laughs.decode().encode("utf-16")):
        path = packed(tmp_path / "laughs.xlsx", {"xl/worksheets/sheet1.xml": content}, plain)
        with pytest.raises(SheetTrouble, match="cannot be read as a workbook"):
            sheets_of(path)


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"]
)
@pytest.mark.parametrize("content", [b"", b"<x", b"\0\1\2", b"<a/>", b"<a><b>SECRETZQ</b></a>"])
def test_a_workbook_with_a_broken_part_is_told_so_and_nothing_of_it(
    tmp_path: Path, plain: Path, part: str, content: bytes
) -> None:
    path = packed(tmp_path / "broken.xlsx", {part: content}, plain)
    ended = Month(tmp_path).run("import", path, "--map", MONTH / "pharmacy.toml")
    assert ended.status == 2
    assert "unforeseen" not in ended.err
    assert "SECRETZQ" not in ended.err


def test_a_zip_that_is_no_workbook_or_is_cut_off_is_told_so(tmp_path: Path, plain: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as other:
        other.writestr("a.txt", "a")
    with pytest.raises(SheetTrouble, match="cannot be read as a workbook"):
        sheets_of(tmp_path / "other.xlsx")
    content = plain.read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(content[: len(content) // 2])
    month = Month(tmp_path)
    ended = month.run("import", tmp_path / "cut.xlsx", "--map", MONTH / "pharmacy.toml")
    assert ended.status in (1, 2)
    assert "unforeseen" not in ended.err
