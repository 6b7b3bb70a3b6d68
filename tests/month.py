"""The month of docs/examples/month in spreadsheets, and a house to import it into."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests import ROOT, stores
from tests.command_line import Ended, House

MONTH = ROOT / "docs" / "examples" / "month"
SHEETS = sorted(MONTH.glob("*.csv"))
MAP = MONTH / "pharmacy.toml"
SAME = ROOT / "tests" / "golden" / "same-month.jsonl"


class Month(House):
    """A ledger with the book of the month, and the sheets in a folder, to be changed."""

    def __init__(self, folder: Path) -> None:
        self._settle(folder, "book")
        self.book = MONTH / "book"
        for path in SHEETS:
            (folder / path.name).write_bytes(path.read_bytes())

    def sheet(self, name: str) -> Path:
        return self.folder / f"{name}.csv"

    def change(self, name: str, before: str, after: str) -> None:
        """The same export, told again: with one text in place of another."""
        path = self.sheet(name)
        text = path.read_bytes().decode()
        assert before in text
        path.write_bytes(text.replace(before, after, 1).encode())

    def bring_in(self, *names: str, options: Iterable[object] = (), **more: Any) -> Ended:
        """Import sheets by the mapping of the month: these, or all."""
        stores.make(self.ledger)
        paths = [self.sheet(name) for name in names] or [self.sheet(path.stem) for path in SHEETS]
        return self.run("import", *paths, "--map", MAP, *options, **more)


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
