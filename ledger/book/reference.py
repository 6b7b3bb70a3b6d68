"""The book as the judge reads it: which terms and agreements are in force when; its canonical text and hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from functools import cache, cached_property, lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from ledger.book.claim_tables import Drug, Prescriber, Reason
from ledger.book.tables import ADDED_IN_EDITION_2, Agreement, Code, Payer, Provider, Terms
from ledger.day_set import OPEN_END

Edition = tuple[Terms, int, int]
"""Terms with the first and last service date (ordinals) on which they are in force."""


class Book:
    """The reference data as known on one date (all of it by default)."""

    def __init__(
        self,
        codes: Iterable[Code],
        payers: Iterable[Payer],
        providers: Iterable[Provider],
        known_on: date | None = None,
        prescribers: Iterable[Prescriber] = (),
        drugs: Iterable[Drug] = (),
        reasons: Iterable[Reason] = (),
    ) -> None:
        self.codes = {code.code: code for code in codes}
        self.payers = {payer.id: payer for payer in payers}
        self.providers = {provider.npi: provider for provider in providers}
        self.prescribers = {prescriber.npi: prescriber for prescriber in prescribers}
        self.drugs = sorted(drugs, key=lambda drug: (drug.ndc, drug.from_))
        self.reasons = tuple(reasons)
        self.known_on = known_on
        self._editions: dict[str, tuple[Edition, ...]] = {}
        self._agreements: dict[tuple[str, str], list[Agreement]] = {}

    @cached_property
    def included(self) -> frozenset[str]:
        """The codes that some code already pays for."""
        return frozenset(each for code in self.codes.values() for each in code.includes)

    def known(self, on: date | None) -> Book:
        """The book as known on a UTC date: terms published later are left out; the rest is always known."""
        return self if on == self.known_on else _known(self, on)

    def but(
        self,
        payers: Iterable[Payer] | None = None,
        providers: Iterable[Provider] | None = None,
    ) -> Book:
        """The book with other payers or providers."""
        return Book(
            self.codes.values(),
            self.payers.values() if payers is None else payers,
            self.providers.values() if providers is None else providers,
            self.known_on,
            self.prescribers.values(), self.drugs, self.reasons,
        )  # fmt: skip

    def editions(self, payer: str) -> tuple[Edition, ...]:
        """The payer's terms in force, date by date: no overlaps, ascending; empty for an unknown payer."""
        if payer not in self._editions:
            self._editions[payer] = tuple(self._in_force(payer))
        return self._editions[payer]

    def _in_force(self, payer: str) -> Iterable[Edition]:
        published = [t for t in self.payers[payer].terms if self._is_known(t)] if payer in self.payers else []
        newest = {t.from_: t for t in sorted(published, key=lambda t: (t.from_, t.published))}
        starts = [*newest, date.max]
        for terms, following in zip(newest.values(), starts[1:], strict=True):
            end = following.toordinal() - 1 if following != date.max else OPEN_END
            yield terms, terms.from_.toordinal(), end

    def _is_known(self, terms: Terms) -> bool:
        return self.known_on is None or terms.published <= self.known_on

    def terms_on(self, payer: str, day: date) -> Terms | None:
        """The terms in force on a service date, or None: there are no default terms."""
        ordinal = day.toordinal()
        return next((terms for terms, first, last in self.editions(payer) if first <= ordinal <= last), None)

    def drug_on(self, ndc: str, day: date) -> Drug | None:
        """How a drug is billed on a service date; of several that say so, the one that began last."""
        found = [each for each in self.drugs if each.ndc == ndc and each.from_ <= day <= (each.to or day)]
        return found[-1] if found else None

    def agreements(self, npi: str, payer: str) -> list[tuple[int, int]]:
        """The spans (ordinals) in which the provider has an agreement with the payer in force."""
        return [
            (max(a.from_, a.signed_on).toordinal(), a.to.toordinal() if a.to else OPEN_END)
            for a in self.agreements_in_order(npi, payer)
        ]

    def agreements_in_order(self, npi: str, payer: str) -> list[Agreement]:
        """The provider's agreements with the payer by (``from`` as written, ``signed_on``): of several in force, the
        last one gives the rate."""
        if (npi, payer) not in self._agreements:
            provider = self.providers.get(npi)
            found = [a for a in (provider.agreements if provider else ()) if a.payer == payer]
            found.sort(key=lambda agreement: (agreement.from_, agreement.signed_on))
            self._agreements[npi, payer] = found
        return self._agreements[npi, payer]

    @cached_property
    def text(self) -> str:
        """The whole book in a canonical form (JSON; comments and file names do not count).

        Prescribers and drugs stand in it only where there are any: a book without them has the text it always had. What
        a payer's reasons mean is no part of it: it judges nothing, and stands on no claim.
        """
        tables: tuple[dict[str, Any], ...] = (self.codes, self.payers, self.providers)
        texts = [canonical(table[key] for key in sorted(table)).decode() for table in tables]
        if self.prescribers or self.drugs:
            texts.append(canonical(self.prescribers[npi] for npi in sorted(self.prescribers)).decode())
            texts.append(canonical(self.drugs).decode())
        return f"[{','.join(texts)}]"

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the book's canonical form."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@lru_cache(maxsize=512)  # who looks back at many patients asks for the same dates again and again
def _known(book: Book, on: date | None) -> Book:
    return Book(
        book.codes.values(), book.payers.values(), book.providers.values(), on,
        book.prescribers.values(), book.drugs, book.reasons,
    )  # fmt: skip


def canonical(rows: Iterable[Code | Payer | Provider | Prescriber | Drug]) -> bytes:
    """Codes, payers or providers in the canonical form: every key, those of edition 2 only where they say something.

    So a folder that was not edited has the text and the hash that edition 1 recorded; and a text recorded then is read
    with the defaults of today.
    """
    listed = list(rows)
    plain: list[Any] = msgspec.to_builtins(listed)
    for struct, row in zip(map(type, listed), plain, strict=True):
        _leave_out(row, struct)
        for table in row.get("terms", ()):
            _leave_out(table, Terms)
        for table in row.get("agreements", ()):
            _leave_out(table, Agreement)
    return msgspec.json.encode(plain, order="sorted")


def _leave_out(table: dict[str, Any], struct: type[Struct]) -> None:
    for key, default in _added_defaults(struct).items():
        if table[key] == default:
            del table[key]


@cache
def _added_defaults(struct: type[Struct]) -> dict[str, Any]:
    added = [field for field in msgspec.structs.fields(struct) if field.name in ADDED_IN_EDITION_2.get(struct, ())]
    return {field.encode_name: _default(field) for field in added}


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def book_of_text(text: str) -> Book:
    """The book of a canonical form."""
    codes, payers, providers, *more = msgspec.json.decode(text, type=list[msgspec.Raw])
    prescribers, drugs = more or (b"[]", b"[]")
    return Book(
        msgspec.json.decode(codes, type=tuple[Code, ...]),
        msgspec.json.decode(payers, type=tuple[Payer, ...]),
        msgspec.json.decode(providers, type=tuple[Provider, ...]),
        prescribers=msgspec.json.decode(prescribers, type=tuple[Prescriber, ...]),
        drugs=msgspec.json.decode(drugs, type=tuple[Drug, ...]),
    )
