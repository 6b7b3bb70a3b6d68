"""Answers of payers and clearinghouses (835, 277CA, 999) in which a few bytes are others: each file is recorded whole
or not at all, and none is a fault of the program."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final
from unittest.mock import patch

from commands.answers import remit
from commands.answers.acknowledge import acknowledge, read_file
from ledger.book import Book, load_book
from ledger.store import EpisodeLedger
from ledger.x12.segments import Unreadable
from projections.read_model.numbers import index_numbers
from projections.read_model.views import Views, passing_views
from tests.answered import CORRECTED, PAID, TAKEN_IN, TURNED_BACK, house_with_claims
from tests.stores import open_ledger

FILES_A_LEDGER: Final = 200
"""After so many files a ledger begins anew: one episode would hold all answers."""


def malformed(random: Random) -> bytes:
    """A file in which a few bytes are others, are gone, or stand twice."""
    text = bytearray(random.choice([PAID, CORRECTED, TAKEN_IN, TURNED_BACK]).read_bytes())
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(text))
        match random.randrange(4):
            case 0:
                text[at] = random.randrange(256)
            case 1:
                del text[at : at + random.randrange(1, 60)]
            case 2:
                text[at:at] = text[at : at + random.randrange(1, 60)]
            case _:
                text[at] = random.choice(b"*~:^\n 0A.-")
    return bytes(text)


def malformed_answers(folder: Path, count: int, rng: Random, *, cut_short: bool = False) -> Counter[str]:
    """So many malformed files taken in: how many were read or not, and what must not be. As a control, runs that end
    after the first answer."""
    made = folder / "made"
    made.mkdir()
    house = house_with_claims(made)
    book = load_book(house.book)
    found = Counter({"files": count, "read": 0, "unreadable": 0, "tracebacks": 0, "half_recorded": 0})
    for begun in range(0, count, FILES_A_LEDGER):
        ledger_file = folder / "ledger.db"
        shutil.copy(house.ledger, ledger_file)
        with open_ledger(ledger_file, create=False) as ledger, closing(passing_views()) as views:
            for number in range(begun, min(count, begun + FILES_A_LEDGER)):
                content = malformed(rng).replace(b"TRN*1*", b"TRN*1*%d-" % number)  # a check of its own
                (folder / "answer.x12").write_bytes(content)
                found[_taken(ledger, views, book, folder / "answer.x12", 1 if cut_short else None)] += 1
        for each in folder.glob("ledger.db*"):
            each.unlink()
    return found


def _taken(ledger: EpisodeLedger, views: Views, book: Book, file: Path, answers: int | None) -> str:
    """What becomes of a file: it is whole in the ledger once nothing of it is new when it is sent again."""
    position = ledger.position()
    try:
        index_numbers(views, ledger)
        _outcomes(ledger, views, book, file, answers)
        again = _outcomes(ledger, views, book, file)
    except Unreadable:
        return "unreadable" if ledger.position() == position else "half_recorded"
    except Exception:
        return "tracebacks"
    return "half_recorded" if "recorded" in again else "read"


def _outcomes(ledger: EpisodeLedger, views: Views, book: Book, file: Path, answers: int | None = None) -> set[str]:
    """What became of each answer of a file, or of the first ones, whichever kind it says it is."""
    try:
        return {row.outcome for row in acknowledge(ledger, views, read_file(file))}
    except Unreadable:
        with patch.object(remit, "ANSWERS_AT_ONCE", answers or remit.ANSWERS_AT_ONCE):
            return {outcome for _, outcome in islice(remit.Remitting(ledger, views, book, file).record(), answers)}
