"""What was learned after a month was closed, in order: entries by position, terms when published, an edited book."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from heapq import merge
from typing import NamedTuple

from ledger.book import Book
from ledger.facts.administration import MonthClosed
from ledger.facts.entry import Entry


class LearnedSince(NamedTuple):
    """Something learned: an entry with its position, or a state of the book, ``published`` where new terms made it;
    or that days are judged otherwise since, with what it is that ``differs``: zone data alone, or the judge."""

    at: datetime
    position: int = 0
    entry: Entry | None = None
    book: Book | None = None
    published: date | None = None
    differs: tuple[str, ...] = ()
    zones_alone: bool = False


def same_terms(one: Book, other: Book) -> bool:
    """Whether two books, as known, are the same to the judge."""
    payers = one.payers.keys() | other.payers.keys()
    return (
        one.codes == other.codes
        and one.providers == other.providers
        and all(one.editions(payer) == other.editions(payer) for payer in payers)
    )


def book_steps(closed: MonthClosed, was: Book, book: Book, now: Book) -> Iterator[LearnedSince]:
    """What the book says after the closing: as it was edited since, then as more and more terms are published.

    ``was`` is the book of the closing, ``book`` the whole of today's, ``now`` as much of that as is known.
    """
    on = closed.closed_at.astimezone(UTC).date()
    if not same_terms(was, book.known(on)):
        yield LearnedSince(closed.closed_at, book=book.known(on))
    told = {terms.published for payer in book.payers.values() for terms in payer.terms}
    for published in sorted(day for day in told if on < day <= (now.known_on or date.max)):
        yield LearnedSince(datetime.combine(published, time(), UTC), book=book.known(published), published=published)


def in_order(since: datetime, books: Sequence[LearnedSince], later: Iterable[tuple[int, Entry]]) -> list[LearnedSince]:
    """Books and entries (with positions, in order) as they were learned; of one instant, the book comes first.

    What was brought in with an older ``recorded_at`` was learned when its neighbours were, not before.
    """
    entries, at = [], since
    for position, entry in later:
        at = max(at, entry.recorded_at)
        entries.append(LearnedSince(at, position, entry))
    return list(merge(books, entries, key=lambda step: step.at))


def told_by_book(step: LearnedSince, day: int, payers: Iterable[str | None]) -> str:
    """What the book said newly: the terms of the day's payer, now or before, if they are the ones; else only when."""
    if step.published is None or step.book is None:
        return "the book was edited since"
    for payer in payers:
        terms = step.book.terms_on(payer, date.fromordinal(day)) if payer else None
        if terms and terms.published == step.published:
            return f"payer {payer}: terms from {terms.from_} published {terms.published}"
    return f"terms published {step.published}"
