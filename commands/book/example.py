"""The example book is for trying things out: said when it is first used, and not used for payers it does not know."""

from __future__ import annotations

from typing import Final

from ledger.book import Book, BookError
from ledger.facts.entry import UnreadableEntry
from ledger.facts.events import CoverageVerified
from ledger.store import EpisodeLedger

LOOKED_AT: Final = 20_000
"""So many entries are looked at for the payers: coverage is among the first that are recorded of an episode."""
FIRST_USE: Final = (
    "No book is named: days are judged by the example book, whose rates are invented; 'episode-ledger book new payer'"
    " begins your own."
)


class ForeignPayers(BookError):
    """No payer of the ledger is in the example book, and nobody asked for it by name."""

    hint = (
        "name your book with --book DIR ('episode-ledger book new payer' begins one);"
        " --example-book judges by the example all the same"
    )

    def __init__(self) -> None:
        super().__init__("no payer of this ledger is in the example book, which is used where no book is named")


def is_foreign(ledger: EpisodeLedger, example: Book) -> bool:
    """Whether a ledger's coverage names payers, and none of them is in the example book; Medicare is in any book."""
    known = {payer.id for payer in example.payers.values() if payer.kind != "medicare"}
    foreign = False
    try:
        for _, entry in ledger.follow(0, min(LOOKED_AT, ledger.position())):
            if isinstance(entry.fact, CoverageVerified):
                if entry.fact.payer in known:
                    return False
                foreign = foreign or entry.fact.payer not in example.payers
    except UnreadableEntry:  # whoever reads it says so
        return False
    return foreign
