"""The open example of a claim that goes out: its book, its intake, and its file; and files with one thing changed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ledger.book import Book, load_book
from ledger.x12.claim_reader import read_claims
from ledger.x12.gate import GateFinding, Known, gate
from ledger.x12.gate_rules import RULES
from tests.command_line import EXAMPLE, House

CLAIMS = EXAMPLE.parent / "claims"
BOOK = CLAIMS / "book"
INTAKE = CLAIMS / "intake.jsonl"
EXPECTED = CLAIMS / "837p_expected.x12"
WRITTEN_AT = datetime(2026, 10, 6, 9, 30, tzinfo=UTC)
IN_THE_OPEN = ("--identity-in-the-open", "--no-effect")


class ClaimsHouse(House):
    """A house with the example's book, which claims can be written from."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for path in sorted(self.book.rglob("*.toml"), reverse=True):
            path.unlink()
        for path in BOOK.rglob("*.toml"):
            to = self.book / path.relative_to(BOOK)
            to.parent.mkdir(exist_ok=True)
            to.write_bytes(path.read_bytes())


def changed(*swaps: tuple[str, str]) -> bytes:
    """The example's file with texts put for others, its count of segments mended."""
    text = EXPECTED.read_text(encoding="ascii")
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new, 1)
    segments = text.split("ST*837")[1].split("SE*")[0].count("~") + 1
    head, tail = text.split("SE*")
    return f"{head}SE*{segments}*{tail.split('*', 1)[1]}".encode("latin-1")


def found_in(content: bytes, book: Book | None = None, known: Known = lambda claim: None) -> list[GateFinding]:
    """What the gate finds in a file."""
    (file,) = read_claims(content)
    return list(gate(file, RULES, book or load_book(BOOK), known))
