"""Who is left out of the feed: recorded, and said, before a program downstream is given anything without them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from commands.outside import random_nonces, utc_now
from commands.terminal.show import printable, say
from commands.writing.adopt import adopt, who_runs_this
from ledger.book import Book
from ledger.facts.feed_acts import PatientLeftOut, PatientTakenIn
from ledger.store import EpisodeLedger, RecordConflictError
from projections.changes.left_out import too_large, with_many_entries, within_reach
from projections.read_model.views import Views
from projections.reading.around import episodes_around
from projections.reading.budget import TooCostly, budget, in_words


class LeftOut:
    """Who is left out of the feed, as far as it was said."""

    def __init__(self) -> None:
        self._named: set[str] | None = None

    def settled(self, ledger: EpisodeLedger, book: Book, since: int, taken_up: Callable[[int], None]) -> int:
        """The ledger's head, with this book taken up, and everybody left out who became too large since a position.

        The first time those who were left out are tried again, for the budget may be another one.
        """
        is_first = self._named is None
        while True:
            head = adopt(ledger, book, utc_now(), taken_up)
            if head == since and not is_first:
                return head
            out = ledger.left_out()
            everybody = since == 0 or any(position > since for position, _ in ledger.adoptions())
            names = set(with_many_entries(ledger, head)) if everybody else ledger.patients_since(since, head)
            back = within_reach(ledger, sorted(out), book) if is_first else []
            if not _settle(ledger, too_large(ledger, sorted(names - out.keys())), back):
                self._say_who(ledger)
                return head
            is_first = False

    def without(self, ledger: EpisodeLedger, error: TooCostly) -> None:
        """Leave out those around an episode that turned out to cost too much; the error where that is done already."""
        around = {name for episode in episodes_around(ledger, [error.episode]) for name in ledger.patients_of(episode)}
        if not _settle(ledger, sorted(around - ledger.left_out().keys()), ()):
            raise error

    def _say_who(self, ledger: EpisodeLedger) -> None:
        """Say who is left out, each once."""
        names = set(ledger.left_out())
        for name in sorted(names - (self._named or set())):
            because = f"they cost more than the budget of {in_words(budget())} allows"
            say(printable(f"Patient {name} is left out of the feed, and their days retracted: {because}."))
        self._named = names


def settle_set_aside(ledger: EpisodeLedger, views: Views) -> bool:
    """Leave out whom a read model that is exported has set aside as too costly, and take in all others.

    Whether anything was recorded.
    """
    costly = {name for name, aside in views.set_aside().items() if not aside.version}
    out = ledger.left_out()
    return _settle(ledger, sorted(costly - out.keys()), sorted(out.keys() - costly))


def _settle(ledger: EpisodeLedger, gone: Iterable[str], back: Iterable[str]) -> bool:
    recorded = False
    for kind, names in ((PatientLeftOut, gone), (PatientTakenIn, back)):
        for name in names:
            recorded = True
            with suppress(RecordConflictError):  # another was faster: it is looked at again
                ledger.record_for_feed(kind(utc_now(), who_runs_this(), name, random_nonces(1)[0]))
    return recorded
