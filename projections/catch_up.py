"""The read model brought up to the ledger: patients touched since its position, each judged once, rows replaced."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from importlib.metadata import version

from ledger.book import Book
from ledger.store import EpisodeLedger
from projections.derive import derive_patient
from projections.load import book_known, load_patient
from projections.views import SHAPE, Views

Progress = Callable[[int, int], None]
"""Told after each patient: how many are done, of how many."""


def code_version() -> str:
    """The version of the judge that made a read model."""
    return f"{version('episode-ledger')}/{SHAPE}"


def silent(done: int, of: int) -> None:
    """No progress shown."""


def stale_because(views: Views, book: Book) -> str | None:
    """Why a read model cannot be carried on but must be built anew, in words; None if it can."""
    noted = views.noted()
    if not noted:
        return None
    if noted.get("book") != book.hash:
        return "it was made with another book"
    if noted.get("code") != code_version():
        return f"it was made by version {noted.get('code')}, this is {code_version()}"
    return None


def catch_up(ledger: EpisodeLedger, views: Views, book: Book, progress: Progress = silent) -> int:
    """Bring every row up to the ledger's last entry; returns that position. One transaction, or nothing."""
    head = ledger.position()
    if _is_current(views, ledger, book, head):
        return head
    with views.writing():
        since = _position(views)
        if stale_because(views, book) or views.noted().get("ledger") not in (None, ledger.id) or since > head:
            views.clear()
            since = 0
        patients = sorted(ledger.patients_since(since, head))
        views.forget(patients)
        _write(ledger, views, book, patients, head, progress)
        views.note(position=str(head), book=book.hash, code=code_version(), ledger=ledger.id)
    return head


def _is_current(views: Views, ledger: EpisodeLedger, book: Book, head: int) -> bool:
    noted = views.noted()
    made = {"position": str(head), "book": book.hash, "code": code_version(), "ledger": ledger.id}
    return made.items() <= noted.items()


def _position(views: Views) -> int:
    return int(views.noted().get("position", 0))


def _write(
    ledger: EpisodeLedger,
    views: Views,
    book: Book,
    patients: Collection[str],
    upto: int,
    progress: Progress,
    known_at: datetime | None = None,
) -> None:
    for done, name in enumerate(patients, 1):
        patient = load_patient(ledger, name, known_at, upto)
        if patient:
            views.write(derive_patient(patient, book))
        progress(done, len(patients))


def fill_as_known(
    ledger: EpisodeLedger,
    views: Views,
    book: Book,
    known_at: datetime,
    patients: Collection[str] | None = None,
    progress: Progress = silent,
) -> None:
    """Fill an empty read model with the rows as known at an instant, of some patients or all."""
    head = ledger.position()
    names = sorted(ledger.patients_since(0, head)) if patients is None else sorted(patients)
    with views.writing():
        _write(ledger, views, book_known(book, known_at), names, head, progress, known_at)
        views.note(position=str(head), book=book.hash, code=code_version(), ledger=ledger.id)
