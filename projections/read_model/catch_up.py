"""The read model brought up to the ledger: patients touched since its position, each judged once, rows replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from ledger.book import Book
from ledger.facts.entry import UnreadableEntry
from ledger.facts.liveness import known
from ledger.judge.patients import Patient
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.read_model.tables import SHAPE
from projections.read_model.trouble import SetAside
from projections.read_model.version import code_version, makes_the_same_rows, what_changed
from projections.read_model.views import Views
from projections.reading.around import read_streams
from projections.reading.as_known import book_known, load_patient
from projections.reading.budget import TooCostly
from projections.reading.turn import turn
from projections.reading.unjudged import Streams
from projections.rows.digests import is_fingerprint
from projections.rows.house import house_sheets, touches_house
from projections.rows.kept import NOBODY
from projections.rows.patient import Sheets, derive_from

LONGEST_POSITION: Final = 18


def stale_because(views: Views, ledger: EpisodeLedger, book: Book) -> str | None:
    """Why a read model cannot be carried on but must be built anew, in words; None if it can."""
    noted = views.noted()
    if not noted.get("ledger"):
        return None
    if not all(map(is_fingerprint, views.fingerprints().values())):
        return "its notes are damaged"
    if noted.get("book") != book.hash:
        return of_this_ledger(noted, ledger) or "it was made with another book"
    if not makes_the_same_rows(noted.get("code"), code_version()):
        differs = ", ".join(what_changed(noted.get("code", ""), code_version()))
        return f"it was made by version {noted.get('code')}, this is {code_version()}: {differs}"
    return of_this_ledger(noted, ledger)


def of_this_ledger(noted: Mapping[str, str], ledger: EpisodeLedger) -> str | None:
    """Why a read model does not stand for an earlier state of this ledger, in words; None if it does."""
    if noted.get("ledger") != ledger.id:
        return "it was made from another ledger"
    position = noted.get("position") or ""
    if not position.isdecimal() or len(position) > LONGEST_POSITION:
        return "its notes are damaged"
    if noted.get("last") != ledger.seal_at(int(position)):
        return "the ledger was put back to an earlier state since it was made"
    return "a patient was forgotten since it was made" if ledger.forgettings(after=int(position)) else None


def catch_up(
    ledger: EpisodeLedger, views: Views, book: Book, progress: Progress = silent, *, quarantine: bool = False
) -> int:
    """Bring every row up to the ledger's last entry; returns that position. One transaction, or nothing.

    Raises UnreadableEntry if an entry cannot be read whose patient is not set aside; ``quarantine`` sets them aside.
    Whoever costs more than the budget is set aside at once.
    """
    head = ledger.position()
    if made_of(ledger, book, head).items() <= views.noted().items() and not stale_because(views, ledger, book):
        return head
    with views.writing():
        head = ledger.position()  # while this process waited, others may have recorded, and caught up
        anew = stale_because(views, ledger, book) is not None
        if anew:
            views.clear()
        since = 0 if anew else int(views.noted().get("position", 0))
        if since == 0 or touches_house(ledger, since, head):
            _write_house(views, house_sheets(ledger, head))
        patients = sorted(ledger.patients_since(since, head))
        if anew:
            views.take_back(*views.set_aside().keys() - set(patients))  # it may have been another ledger's
        views.forget(patients)
        _write(ledger, views, book, patients, head, progress, quarantine=quarantine)
        views.note(**made_of(ledger, book, head))
    if anew:
        views.empty_log()
    return head


def made_of(ledger: EpisodeLedger, book: Book, head: int) -> dict[str, str]:
    """What a read model notes of itself when it stands at a position."""
    return {
        "position": str(head), "last": ledger.seal_at(head), "book": book.hash, "book_text": book.text,
        "code": code_version(), "shape": SHAPE, "ledger": ledger.id,
    }  # fmt: skip


def _write(
    ledger: EpisodeLedger,
    views: Views,
    book: Book,
    patients: Collection[str],
    upto: int,
    progress: Progress,
    known_at: datetime | None = None,
    quarantine: bool = False,
) -> None:
    set_aside = views.set_aside()
    for done, name in enumerate(patients, 1):
        turn.give_back()
        try:
            patient = load_patient(ledger, name, known_at, upto)
            sheets = _derived(ledger, patient, book, upto, known_at) if patient else None
        except UnreadableEntry as error:
            if name not in set_aside and not quarantine and not isinstance(error, TooCostly):
                raise
            views.put_aside([SetAside.after(name, error)])
            continue
        if sheets:
            views.write(name, sheets)
        if name in set_aside:
            views.take_back(name)
        progress(done, len(patients))


def _derived(ledger: EpisodeLedger, patient: Patient, book: Book, upto: int, known_at: datetime | None) -> Sheets:
    """A patient's rows. Unjudged where they cannot be derived: everything is read once more, to see by what."""

    def heard() -> Streams:
        streams = read_streams(ledger, ledger.episodes_of(patient.name), upto)
        return {name: known(entries, known_at) for name, entries in streams.items()}

    return derive_from(patient, book, heard)


def _write_house(views: Views, sheets: Sheets | None) -> None:
    """The rows that are no patient's, in the place of those that were there."""
    views.forget([NOBODY])
    if sheets:
        views.write(NOBODY, sheets)


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
        if patients is None:
            _write_house(views, house_sheets(ledger, head, known_at))
        _write(ledger, views, book_known(book, known_at), names, head, progress, known_at)
        views.note(**made_of(ledger, book, head))
