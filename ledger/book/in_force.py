"""What a payer says on a service date: the edition in force, key by key, and the agreements with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec
from msgspec import Struct

from ledger.book.differences import written
from ledger.book.meanings import MEANS
from ledger.book.reference import Book
from ledger.book.tables import Payer, Terms


class KeyInForce(Struct, frozen=True):
    """One key of what is in force: its value, whether the book says it or it is the default, and what it means.

    Money is in dollars, and the key then without ``_cents``.
    """

    key: str
    value: str
    said: bool
    means: str


def keys_in_force(book: Book, payer: Payer, on: date) -> Iterator[KeyInForce]:
    """The payer, its terms in force and the agreements with it on a date; no terms where none are in force."""
    for key in ("id", "name", "kind"):
        yield KeyInForce(key, getattr(payer, key), True, MEANS[Payer][key])
    if payer.edi:
        yield KeyInForce("edi", written(payer.edi), True, MEANS[Payer]["edi"])
    terms = book.terms_on(payer.id, on)
    for field in msgspec.structs.fields(Terms) if terms else ():
        value = getattr(terms, field.name)
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        said = field.required or value != default
        key = field.encode_name.removesuffix("_cents")
        text = written(value, in_dollars=key != field.encode_name)
        yield KeyInForce(key, text, said, MEANS[Terms][field.encode_name])
    yield from _agreements(book, payer.id, on)


def _agreements(book: Book, payer: str, on: date) -> Iterator[KeyInForce]:
    for npi, provider in sorted(book.providers.items()):
        for agreement in book.agreements_in_order(npi, payer):
            if max(agreement.from_, agreement.signed_on) <= on <= (agreement.to or date.max):
                until = f" to {agreement.to}" if agreement.to else ""
                rates = f", rates {written(agreement.rate_cents, in_dollars=True)}" if agreement.rate_cents else ""
                value = f"{provider.name} ({npi}), from {agreement.from_}{until}{rates}"
                yield KeyInForce("agreement", value, True, "a provider's agreement with the payer")
