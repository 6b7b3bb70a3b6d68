"""What the book says of the reasons for which a payer paid less."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.book import Book, Reason


def reasons_named(book: Book, named: Iterable[str]) -> list[Reason]:
    """What the book says of some reasons, each ``GROUP-CODE``: the one for its group before the one for all."""
    found = []
    for each in sorted(named):
        group, _, code = each.partition("-")
        alike = [reason for reason in book.reasons if reason.code == code]
        own = [reason for reason in alike if group in reason.groups] or [one for one in alike if not one.groups]
        found += own[:1]
    return found
