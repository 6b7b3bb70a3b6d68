"""What two books say otherwise: payers, editions of terms, agreements and codes, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from ledger.book.claim_tables import Drug, Prescriber
from ledger.book.reference import Book
from ledger.book.tables import Agreement, Code, Payer, Provider, Terms

_Keyed = Mapping[str, Struct]
_ABSENT = "–"


class BookDifference(Struct, frozen=True):
    """One key that two books say otherwise, or a table that only one of them has; ``–`` where there is none."""

    of: str
    table: str
    key: str
    before: str
    after: str


def differences(before: Book, after: Book) -> Iterator[BookDifference]:
    """What differs, by payer, provider and code; money in dollars."""
    yield from _compared("payer", before.payers, after.payers)
    yield from _compared("provider", before.providers, after.providers)
    yield from _compared("code", before.codes, after.codes)
    yield from _compared("prescriber", before.prescribers, after.prescribers)
    yield from _compared("drug", _drugs(before), _drugs(after))


def _drugs(book: Book) -> dict[str, Drug]:
    return {f"{drug.ndc} from {drug.from_}": drug for drug in book.drugs}


def _compared(kind: str, before: _Keyed, after: _Keyed) -> Iterator[BookDifference]:
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            yield BookDifference(f"{kind} {name}", "", "", _there(one), _there(other))
            continue
        yield from _keys(f"{kind} {name}", "", one, other)
        yield from _tables(f"{kind} {name}", _listed(one), _listed(other))


def _there(table: object) -> str:
    return _ABSENT if table is None else "there"


def _tables(of: str, before: _Keyed, after: _Keyed) -> Iterator[BookDifference]:
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            yield BookDifference(of, name, "", _there(one), _there(other))
        else:
            yield from _keys(of, name, one, other)


def _keys(of: str, table: str, before: Struct, after: Struct) -> Iterator[BookDifference]:
    for field in msgspec.structs.fields(before):
        one, other = getattr(before, field.name), getattr(after, field.name)
        if one != other and field.name not in ("terms", "agreements"):
            yield BookDifference(of, table, *_money(field.encode_name, one, other))


def _money(key: str, before: Any, after: Any) -> tuple[str, str, str]:
    """A key and what it says on both sides; where it is money, in dollars, and its name without cents."""
    is_money = key.endswith("_cents")
    return key.removesuffix("_cents"), written(before, in_dollars=is_money), written(after, in_dollars=is_money)


def _listed(struct: Struct) -> dict[str, Struct]:
    """The tables of a payer or a provider, by what tells each from the others."""
    match struct:
        case Payer():
            return {edition_name(terms): terms for terms in struct.terms}
        case Provider():
            return {_agreement_name(agreement): agreement for agreement in struct.agreements}
    assert isinstance(struct, Code | Prescriber | Drug)
    return {}


def edition_name(terms: Terms) -> str:
    """An edition of terms by its dates."""
    return f"terms from {terms.from_}, published {terms.published}"


def _agreement_name(agreement: Agreement) -> str:
    return f"agreement with {agreement.payer} from {agreement.from_}, signed {agreement.signed_on}"


def written(value: Any, *, in_dollars: bool = False) -> str:
    """A value as a person reads it; cents as dollars where that is asked."""
    match value:
        case None:
            return _ABSENT
        case bool():
            return str(value).lower()
        case int() if in_dollars:
            return f"{value // 100:,}.{value % 100:02}"
        case Struct():
            return written(msgspec.to_builtins(value))
        case dict():
            parts = (f"{key} {written(item, in_dollars=in_dollars)}" for key, item in sorted(value.items()))
            return ", ".join(parts) or _ABSENT
        case tuple():
            return ", ".join(written(part) or '""' for part in value) or _ABSENT
    return str(value)
