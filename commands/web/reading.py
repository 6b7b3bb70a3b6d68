"""The ledger and its read model for one page: opened, caught up, held still, closed again, as by any read command."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from commands.outside import utc_now
from commands.terminal.options import Setup
from ledger.book import Book, load_book
from ledger.store import EpisodeLedger
from projections.read_model.catch_up import catch_up, of_this_ledger, stale_because
from projections.read_model.numbers import index_numbers
from projections.read_model.version import code_version, makes_the_same_rows
from projections.read_model.views import Views
from projections.reading.turn import turn
from projections.work.kept import keep_work

BookState = tuple[tuple[str, int, int], ...]


class Outdated(Exception):
    """The read model was made by another version of the program: this one must not build it anew."""


class Reading(NamedTuple):
    """What a page is made from, at one position."""

    ledger: EpisodeLedger
    views: Views
    book: Book
    position: int


class Reader:
    """Opens the setup for pages; the book is read again when one of its files has changed."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._catching_up = threading.Lock()
        self._book: tuple[BookState, Book] | None = None

    def book(self) -> Book:
        """The book as its files say now; BookError if they cannot be used."""
        state = _state(self.setup.book_folder)
        if self._book is None or self._book[0] != state:
            self._book = state, load_book(self.setup.book_folder)
        return self._book[1]

    @contextmanager
    def reading(self, *, work: bool = False, claims: bool = False) -> Iterator[Reading]:
        """The read model with every entry recorded so far; with open ``work``, and the numbers of ``claims``, if they
        are asked for."""
        book = self.book()
        with turn.taking_part(), self.setup.open() as ledger, closing(self.setup.views()) as views:
            while True:
                with self._catching_up:  # one page does the work, the others wait for it
                    _refuse_other_version(views, ledger)
                    catch_up(ledger, views, book)
                    if work:
                        keep_work(ledger, views, book, utc_now())
                    if claims:
                        index_numbers(views, ledger)
                turn.give_back()
                with views.reading():
                    if not stale_because(views, ledger, book):  # else another process has just built it otherwise
                        yield Reading(ledger, views, book, int(views.noted()["position"]))
                        return


def _refuse_other_version(views: Views, ledger: EpisodeLedger) -> None:
    noted = views.noted()
    if not noted.get("ledger") or of_this_ledger(noted, ledger) is not None:
        return
    if not makes_the_same_rows(noted.get("code"), code_version()):
        raise Outdated


def _state(folder: Path | None) -> BookState:
    """What tells that a file of the book was changed; the packaged book does not change."""
    if folder is None:
        return ()
    paths = [folder / "codes.toml", *folder.glob("payers/*.toml"), *folder.glob("providers/*.toml")]
    stats = [(str(path), path.stat()) for path in sorted(paths) if path.exists()]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
