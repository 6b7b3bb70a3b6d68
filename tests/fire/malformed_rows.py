"""Rows of spreadsheets that are malformed: none is let in, none raises, and no message holds what stood there."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from commands.sheets.mapping import READY
from tests.command_line import run

MARK = "ZQSECRETZQ"

GOOD: dict[str, list[str]] = {
    "patients": ["EP-9", "P-1", "1234567893", "America/Chicago", ""],
    "coverage": ["EP-1", "example-health", "M-1", "1/1/2026", "", ""],
    "orders": ["EP-1", "RX-1", "continuous", "10/5/2026", "", "1245319599", "24", "10/4/2026", "", ""],
    "authorizations": ["EP-1", "A-1", "example-health", "S9325", "10", "10/5/2026", "10/14/2026"],
    "tickets": ["EP-1", "T-1", "RX-1", "10/5/2026", "10/9/2026", "CONFIRMED", "no"],
    "visits": ["EP-1", "10/5/2026", "14:30", "15:30", "America/Chicago", "RN"],
    "dispensing": ["EP-1", "D-1", "10/5/2026", "00409-1234-01", "2", "EA", "RX-1", "10"],
    "diagnoses": ["EP-1", "G89.3", "9/15/2026", ""],
    "plans": ["EP-1", "POT-1", "10/4/2026", "10/5/2026", "12/3/2026"],
    "assessments": ["EP-1", "10/5/2026", "7", "NRS"],
    "stays": ["EP-1", "S-1", "10/8/2026", "14:30", "10/9/2026", "09:00", "America/Chicago"],
    "claims": [
        "EP-1",
        "C-#",
        "example-health",
        "1",
        "",
        "11/2/2026",
        "S9325",
        "10/5/2026",
        "10/9/2026",
        "5",
        "450",
        "",
    ],
}
"""A row of each template that is right; # is its number."""
NEEDED: dict[str, tuple[int, ...]] = {
    "patients": (0, 1, 2, 3), "coverage": (0, 1, 2, 3), "orders": (0, 1, 2, 3, 5),
    "authorizations": (0, 1, 2, 3, 4, 5, 6),
    "tickets": (0, 1, 2, 3, 4), "visits": (0, 1), "dispensing": (0, 1, 2, 3, 4, 5), "diagnoses": (0, 2),
    "plans": (0, 1, 2, 3, 4), "assessments": (0, 1, 2), "stays": (0, 1, 2), "claims": (0, 1, 2, 6, 7, 8, 9, 10),
}  # fmt: skip
"""The cells that may not be empty."""
FORMED: dict[str, tuple[int, ...]] = {
    "patients": (2, 3), "coverage": (3, 4, 5), "orders": (2, 3, 4, 5, 6, 7), "authorizations": (4, 5, 6),
    "tickets": (3, 4, 6), "visits": (1,), "dispensing": (2, 3, 4, 5, 7), "diagnoses": (1, 2, 3), "plans": (2, 3, 4),
    "assessments": (1, 2), "stays": (2, 4), "claims": (3, 5, 6, 7, 8, 9, 10, 11),
}  # fmt: skip
"""The cells whose text is of a form: a date, a number, a code."""

Breaks = Callable[[str, list[str], Random], bytes]


def _line(cells: list[str]) -> bytes:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells).encode("utf-8", "surrogatepass")


def _with(cells: list[str], place: int, cell: str) -> bytes:
    return _line([*cells[:place], cell, *cells[place + 1 :]])


def _empty(name: str, cells: list[str], rng: Random) -> bytes:
    return _with(cells, rng.choice(NEEDED[name]), rng.choice(["", " ", "\u00a0", "\t"]))


def _no_such_form(name: str, cells: list[str], rng: Random) -> bytes:
    wrong = [
        MARK,
        f"10/5/2026 {MARK}",
        "13/45/2026",
        "NaN",
        "-1",
        "1e5",
        "0x1",
        "=1+1",
        "10/5",
        "٣",
        "#REF!",
        "None",
        "[]",
    ]
    return _with(cells, rng.choice(FORMED[name]), rng.choice(wrong))


def _control(name: str, cells: list[str], rng: Random) -> bytes:
    mark = chr(rng.choice([*range(9), 11, 12, *range(14, 28), 127, 0x200B, 0x2028, 0xE000]))
    return _with(cells, rng.choice(NEEDED[name][:2]), f"a{mark}b{MARK}")


def _too_long(name: str, cells: list[str], rng: Random) -> bytes:
    return _with(cells, rng.choice(NEEDED[name]), MARK * rng.randint(13, 9_000))


def _not_utf8(name: str, cells: list[str], rng: Random) -> bytes:
    raw = _line(cells)
    at = rng.randrange(1, len(raw))
    return raw[:at] + rng.choice([b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]) + raw[at:]


def _torn(name: str, cells: list[str], rng: Random) -> bytes:
    return _line(cells[: rng.randrange(1, len(cells))])


def _more(name: str, cells: list[str], rng: Random) -> bytes:
    return _line([*cells, *[MARK] * rng.randint(1, 700)])


def _quotes(name: str, cells: list[str], rng: Random) -> bytes:
    return f'"{MARK}"{MARK},'.encode() + _line(cells)


BREAKS: tuple[Breaks, ...] = (_empty, _no_such_form, _control, _too_long, _not_utf8, _torn, _more, _quotes)
"""Each makes a row that no reading lets in, whatever the row was."""


def _to_mend(folder: Path, name: str) -> set[int]:
    """The rows that were written to be mended: of a refused claim all its lines, though one outcome tells it."""
    with (folder / "mend" / f"{name}.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return {int(row["Row"]) for row in csv.DictReader(file)}


def malformed_rows(folder: Path, count: int, rng: Random) -> Counter[str]:
    """So many malformed rows, through the command line, as files of each ready mapping in turn."""
    found: Counter[str] = Counter(rows=0, accepted=0, tracebacks=0, data_in_messages=0)
    ledger = folder / "ledger.db"
    header = next(csv.reader(run("import", "--template", "patients").out.decode().splitlines()))
    (folder / "open.csv").write_bytes(_line(header) + b"\n" + _line(["EP-1", *GOOD["patients"][1:]]) + b"\n")
    assert run("--ledger", ledger, "import", folder / "open.csv", "--map", "patients").status == 0
    each = -(-count // len(READY))
    for name in READY:
        header = next(csv.reader(run("import", "--template", name).out.decode().splitlines()))
        good = ([cell.replace("#", str(number)) for cell in GOOD[name]] for number in range(each))
        rows = [rng.choice(BREAKS)(name, cells, rng) for cells in good]
        (folder / f"{name}.csv").write_bytes(b"\r\n".join([_line(header), *rows]) + b"\r\n")
        words = ("import", folder / f"{name}.csv", "--map", name, "--refused", folder / "mend", "--force")
        ended = run("--ledger", ledger, *words, "--format", "json")
        refused = {row["row"] for row in ended.rows if row["outcome"] == "refused"} | _to_mend(folder, name)
        found["rows"] += len(rows)
        found["accepted"] += len(rows) - len(refused)
        if name != "stays":  # there a row tells two facts, of which one may be right
            found["accepted"] += sum(row["outcome"] != "refused" for row in ended.rows)
        found["tracebacks"] += "Traceback" in ended.err or "unforeseen" in ended.err or ended.status != 1
        found["data_in_messages"] += MARK in ended.err or MARK.encode() in ended.out
    return found
