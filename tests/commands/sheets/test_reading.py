"""Rows of text files, however they are written; and files that are no sheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.sheets.bounds import LONGEST_ROW, SheetTrouble
from commands.sheets.reading import Row, opened, sheets_of


def rows_of(path: Path, header_row: int = 1) -> list[Row]:
    (sheet,) = sheets_of(path)
    with opened(sheet, header_row) as found:
        return list(found.rows)


def header_of(path: Path) -> list[str]:
    (sheet,) = sheets_of(path)
    with opened(sheet) as found:
        return found.header


def written(folder: Path, content: bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"A,B\r\n1,2\r\n", b"A,B\n1,2", b"A,B\r1,2\r", b"\xef\xbb\xbfA,B\n1,2\n", b"A;B\n1;2\n", b"A\tB\n1\t2\n",
        b"A|B\n1|2\n", b'"A","B"\n"1","2"\n', b" A , B \n1,2\n", "A,B\n1,2\n".encode("utf-16"),
        b"A,B,\n1,2,\n", b"\n\nA,B\n1,2\n", b"A,B\n1,2\n\n,\n",
    ],
)  # fmt: skip
def test_a_table_is_read_however_it_was_saved(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    assert header_of(path) == ["A", "B"]
    assert [row.cells for row in rows_of(path)] == [("1", "2")]


def test_a_tsv_may_have_commas_in_its_headers(tmp_path: Path) -> None:
    assert header_of(written(tmp_path, b"A, a,b\tB\n1\t2\n", "a.tsv")) == ["A, a,b", "B"]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    path = written(tmp_path, b'A,B\n1,2\n\n"x\ny",2\n3,4\n')
    assert [(row.number, row.cells[0]) for row in rows_of(path)] == [(2, "1"), (4, "x\ny"), (5, "3")]


def test_lines_above_the_headers_are_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path, b"Report of October\n,,\nA,B\n1,2\n")
    assert [(row.number, row.cells) for row in rows_of(path, 3)] == [(4, ("1", "2"))]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"1\n", "expected 2 cells"),
        (b"1,2,3\n", "expected 2 cells"),
        (b"1,\xff\n", "expected text in UTF-8"),
        (b'1,"a"b\n', "expected quotes that open"),
        (b"1," + b"x" * LONGEST_ROW + b"\n", "expected a row of at most 65,536 characters"),
        (b"," * 600 + b"x\n", "expected at most 500 cells"),
    ],
)
def test_a_row_that_cannot_be_read_does_not_hold_up_the_next(tmp_path: Path, line: bytes, says: str) -> None:
    bad, good = rows_of(written(tmp_path, b"A,B\n" + line + b"3,4\n"))
    assert says in (bad.fault or "")
    assert (good.number, good.cells, good.fault) == (3, ("3", "4"), None)


def test_a_quote_that_never_closes_is_a_fault_of_every_row_it_takes_in(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, b'A,B\n1,"2\n3,4\n5,6\n'))
    assert [(row.number, row.fault is not None) for row in rows] == [(2, True), (3, True), (4, True)]


def test_a_quote_that_is_closed_rows_later_loses_none_of_them_silently(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, b'A,B\n1,"2\n3,4\n5,"6"\n7,8\n'))
    assert [(row.number, row.fault is None) for row in rows] == [(2, False), (3, False), (4, False), (5, True)]
    rows = rows_of(written(tmp_path, b'A,B\n1,"2\n3",4\n7,8\n'))
    assert [(row.number, row.fault is None) for row in rows] == [(2, False), (3, False), (4, True)]


def test_a_line_that_is_cut_off_in_a_quote_does_not_take_the_next_rows_with_it(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, b'A,B\n1,"' + b"x" * 90_000 + b'"\n3,"4"\n5,6\n'))
    assert [(row.number, row.fault is None) for row in rows] == [(2, False), (3, True), (4, True)]


def test_a_line_without_an_end_is_not_held_in_memory(tmp_path: Path) -> None:
    (row,) = rows_of(written(tmp_path, b"A,B\n1," + b"x" * 5_000_000))
    assert len(row.cells[1]) < 2 * LONGEST_ROW
    assert row.fault


@pytest.mark.parametrize("content", [b"", b"\n\n", b",,\n"])
def test_a_file_without_headers_is_told_so(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SheetTrouble, match="has no row of headers"):
        rows_of(written(tmp_path, content))


def test_an_old_excel_file_is_told_how_to_be_saved(tmp_path: Path) -> None:
    with pytest.raises(SheetTrouble, match=r"save it as \.xlsx"):
        sheets_of(written(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls"))


def test_text_that_breaks_off_in_utf16_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(SheetTrouble, match="UTF-8"):
        rows_of(written(tmp_path, "A,B\n1,2\n".encode("utf-16")[:-1] + b"\xd8"))


def test_a_guard_against_formulas_is_taken_off_our_own_refused_rows_alone(tmp_path: Path) -> None:
    ours = written(tmp_path, b"A,Row,Why refused\n'=x,3,w\n'x,4,w\n")
    assert [row.cells[0] for row in rows_of(ours)] == ["=x", "'x"]
    assert [row.cells[0] for row in rows_of(written(tmp_path, b"A,B\n'=x,3\n", "b.csv"))] == ["'=x"]


@pytest.mark.parametrize("length", range(LONGEST_ROW - 3, LONGEST_ROW + 5))
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("ending", [b"\r\n", b"\n", b"\r"])
def test_a_row_of_any_length_is_one_row_and_the_next_one_keeps_its_number(
    tmp_path: Path, length: int, times: int, ending: bytes
) -> None:
    long = b"1," + b"x" * (length * times - 2)
    path = written(tmp_path, ending.join([b"A,B", long, b"3,4", b"", b"5,6"]) + ending)
    assert [(row.number, row.cells[:1]) for row in rows_of(path)][1:] == [(3, ("3",)), (5, ("5",))]
