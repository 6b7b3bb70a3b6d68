"""The prices of the book, edition by edition."""

from __future__ import annotations

import msgspec

from ledger.book import GENERAL, Book


class Rate(msgspec.Struct, frozen=True):
    """What an edition of a payer's terms pays for a day; without a code, for a day whose code is not known yet."""

    payer: str
    terms_from: str
    terms_published: str
    code: str | None
    rate_cents: int


def rates_of(book: Book) -> list[Rate]:
    """Every rate of the book. A payer who takes S9325 for every mode of therapy needs no code to price a day."""
    return [
        Rate(payer.id, terms.from_.isoformat(), terms.published.isoformat(), code, cents)
        for payer in book.payers.values()
        for terms in payer.terms
        for known, cents in sorted(terms.rate_cents.items())
        for code in ([known, None] if known == GENERAL and terms.pain_code == "general" else [known])
    ]
