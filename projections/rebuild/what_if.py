"""All history judged under another book: two read models of one ledger at one position, side by side.

The other one is built as a rebuild builds it, in a folder for its owner alone that is gone afterwards. The live one is
only read (and caught up first, as by every reading); if it was made otherwise, its part is built in that folder, too,
in the same pass: the ledger is read once, and everybody judged twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from typing import Any, Final

import msgspec

from ledger.book import Book, BookError, Payer, Terms
from ledger.book.mistakes import mistakes_in
from ledger.keys.cipher import MasterKey
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger, open_ledger
from projections.read_model.catch_up import catch_up, stale_because
from projections.read_model.generations import Places
from projections.read_model.passing import passing_folder
from projections.read_model.trouble import SetAside
from projections.read_model.views import Views, open_views
from projections.reading.budget import budget
from projections.rebuild.build import build
from projections.rebuild.work import MEMORY_MB, Target, Work, mapped_mb

_EDITION: Final = re.compile(r"@([0-9]{4}-[0-9]{2}-[0-9]{2})")
_KEYS: Final = {field.encode_name: field for field in msgspec.structs.fields(Terms)}


def with_changes(book: Book, changes: Sequence[str]) -> Book:
    """The book with terms changed, each told as ``payer.key=value`` or ``payer@FROM.key=value``; BookError if not."""
    payers = dict(book.payers)
    for told in changes:
        try:
            _change(payers, told)
        except (msgspec.ValidationError, ValueError) as error:
            raise BookError(f"{told}: {error}") from error
    return book.but(payers=payers.values())


def _change(payers: dict[str, Payer], told: str) -> None:
    told.encode()  # what is no text is a ValueError here, and not only when the book is written down
    known = [name for name in payers if told.startswith((f"{name}.", f"{name}@"))]
    if not known:
        raise ValueError(f"it does not begin with a payer of the book and a dot; there are {', '.join(sorted(payers))}")
    payer = payers[max(known, key=len)]
    rest = told[len(payer.id) :]
    edition = _EDITION.match(rest)
    key, equals, value = rest[edition.end() if edition else 0 :].partition("=")
    if not key.startswith(".") or not equals:
        raise ValueError("expected payer.key=value or payer@YYYY-MM-DD.key=value")
    chosen = [terms for terms in payer.terms if edition is None or terms.from_.isoformat() == edition[1]]
    if not chosen:
        froms = ", ".join(terms.from_.isoformat() for terms in payer.terms) or "none"
        raise ValueError(f"{payer.id} has no such edition of terms; their from is {froms}")
    changed = [_changed(terms, key[1:], _value(value)) if terms in chosen else terms for terms in payer.terms]
    if len({(terms.from_, terms.published) for terms in changed}) < len(changed):
        raise ValueError("two editions would have equal from and published")
    payers[payer.id] = msgspec.structs.replace(payer, terms=tuple(changed))


def _changed(terms: Terms, key: str, value: Any) -> Terms:
    table = msgspec.to_builtins(terms)
    if key in _KEYS:
        table[key] = value
    else:
        key, _, part = key.partition(".")
        if key not in _KEYS or not isinstance(table[key], dict):
            raise ValueError(f"terms have no such key; they have {', '.join(_KEYS)}, rate_cents.CODE")
        table[key][part] = value
    field, value = _KEYS[key], table[key]
    if value is not None or field.default is not None:  # null: as if the key were not there
        wrong = next(mistakes_in(_dated(value) if field.type is date else value, field.type, key), None)
        if wrong:
            raise ValueError(wrong)
    return msgspec.convert(table, Terms)


def _dated(text: Any) -> Any:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return text


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


@contextmanager
def both_judged(
    ledger_name: str,
    places: Places,
    books: tuple[Book, Book],
    processes: int = 1,
    memory_mb: int = MEMORY_MB,
    progress: Progress = silent,
    master: MasterKey | None = None,
) -> Iterator[tuple[Views, Views]]:
    """The read models of a ledger at one position under two books; who is set aside is noted in the second."""
    with (
        open_ledger(ledger_name, create=False, master=master) as ledger,
        passing_folder(places, "what-if") as folder,
        _live(places, ledger, books[0]) as (live, aside),
        ExitStack() as opened,
    ):
        upto = int(live.noted()["position"]) if live else ledger.position()
        names = {"after.db": books[1]} if live else {"before.db": books[0], "after.db": books[1]}
        targets = [Target(folder / name, book.text) for name, book in names.items()]
        work = Work(ledger_name, None, upto, mapped_mb(memory_mb, processes), bool(aside), master, budget())
        made = build(targets, work, processes, progress)
        judged = [opened.enter_context(closing(open_views(target.path))) for target in targets]
        for views, (_, found) in zip(judged, made, strict=True):
            with views.writing():
                views.put_aside((*found, *aside))
        yield live or judged[0], judged[-1]


@contextmanager
def _live(places: Places, ledger: EpisodeLedger, book: Book) -> Iterator[tuple[Views | None, Collection[SetAside]]]:
    """The live read model caught up and held still, if it was made by this book and code; and who is set aside."""
    if places.current() is None:
        yield None, ()
        return
    with closing(open_views(places.live)) as live:
        while live.noted().get("ledger") and not stale_because(live, ledger, book):
            catch_up(ledger, live, book)
            with live.reading():
                if not stale_because(live, ledger, book):  # else another process has just built it from its book
                    yield live, live.set_aside().values()
                    return
        aside = live.set_aside().values()
    yield None, aside
