"""The prices of the book: edition by edition, and by agreement, as the judge finds them for days that it does price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from ledger.book import GENERAL, Agreement, Book, Terms


class Rate(msgspec.Struct, frozen=True):
    """What a day is paid under an edition of a payer's terms; without a code, a day whose code is not known yet.

    With a provider, it is what an agreement of theirs pays in place of that, on its dates.
    """

    payer: str
    terms_from: str
    terms_published: str
    code: str | None
    rate_cents: int
    provider: str | None = None
    from_: str | None = msgspec.field(name="from", default=None)
    to: str | None = None


class Rates:
    """Looks up what a day would pay at its full rate: the percentage of a second or third therapy is not taken off."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._published: dict[tuple[str, str, str, str | None], int] = {}
        self._agreed: dict[tuple[str, str, str, str | None, str], list[Rate]] = {}
        for rate in rates:
            key = rate.payer, rate.terms_from, rate.terms_published, rate.code
            if rate.provider is None:
                self._published[key] = rate.rate_cents
            else:
                self._agreed.setdefault((*key, rate.provider), []).append(rate)

    def on(
        self, payer: str | None, terms_from: str | None, published: str | None, code: str | None, provider: str | None,
        day: str,
    ) -> int | None:  # fmt: skip
        """The rate of one day; None where none is known."""
        return next((cents for cents, _ in self.within(payer, terms_from, published, code, provider, day, day)), None)

    def within(
        self, payer: str | None, terms_from: str | None, published: str | None, code: str | None, provider: str | None,
        first: str, last: str,
    ) -> Iterator[tuple[int, int]]:  # fmt: skip
        """The rates of a run of days, each with how many of the days it is known to be that of."""
        key = payer or "", terms_from or "", published or "", code
        left = _days(first, last)
        for rate in self._agreed.get((*key, provider or ""), ()):
            begins, ends = max(first, rate.from_ or first), min(last, rate.to or last)
            if begins <= ends:
                days = _days(begins, ends)
                left -= days
                yield rate.rate_cents, days
        if left and (cents := self._published.get(key)) is not None:
            yield cents, left


def _days(first: str, last: str) -> int:
    return date.fromisoformat(last).toordinal() - date.fromisoformat(first).toordinal() + 1


def rates_of(book: Book) -> list[Rate]:
    """Every rate of the book. A payer who takes S9325 for every mode of therapy needs no code to price a day."""
    published = [
        Rate(payer.id, *_edition(terms), code, cents)
        for payer in book.payers.values()
        for terms in payer.terms
        for code, cents in _by_code(terms, terms.rate_cents)
    ]
    return [*published, *_agreed(book)]


def _edition(terms: Terms) -> tuple[str, str]:
    return terms.from_.isoformat(), terms.published.isoformat()


def _by_code(terms: Terms, rates: dict[str, int]) -> Iterator[tuple[str | None, int]]:
    for known, cents in sorted(rates.items()):
        yield known, cents
        if known == GENERAL and terms.pain_code == "general":
            yield None, cents


def _agreed(book: Book) -> Iterator[Rate]:
    for npi in sorted(book.providers):
        for payer in book.payers.values():
            spans = list(_in_force(book.agreements_in_order(npi, payer.id)))
            for terms in payer.terms:
                for span in spans:
                    for code, cents in _by_code(terms, span.agreement.rate_cents):
                        last = span.last.isoformat() if span.last != date.max else None
                        yield Rate(payer.id, *_edition(terms), code, cents, npi, span.first.isoformat(), last)


class _Span(NamedTuple):
    first: date
    last: date
    agreement: Agreement


def _in_force(agreements: Iterable[Agreement]) -> list[_Span]:
    """The dates on which each agreement, of those in force the last in order, gives the rate."""
    spans: list[_Span] = []
    for agreement in agreements:
        first, last = max(agreement.from_, agreement.signed_on), agreement.to or date.max
        if first <= last:
            spans = [*(part for span in spans for part in _without(span, first, last)), _Span(first, last, agreement)]
    return sorted(spans, key=lambda span: span.first)


def _without(span: _Span, first: date, last: date) -> Iterator[_Span]:
    """What is left of a span beside some dates."""
    if span.first < first:
        yield span._replace(last=min(span.last, first - timedelta(1)))
    if span.last > last:
        yield span._replace(first=max(span.first, last + timedelta(1)))
