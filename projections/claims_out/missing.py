"""What keeps a claim from going out: what the book or the ledger would have to say first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.book import Book
from ledger.facts.events import ClaimLine
from ledger.judge.case import Case
from ledger.judge.claims import diagnoses_for
from projections.claims_out.on_file import prescriber_on


def missing_of(
    case: Case, payer: str, provider: str, lines: Sequence[ClaimLine], book: Book, *, who: str
) -> Iterator[str]:
    """What a claim needs that the book or the ledger does not say; ``who`` is what is missing of who it is for."""
    house, asked = book.providers.get(provider), book.payers.get(payer)
    if house is None or house.billing is None:
        yield f"[billing] of provider {provider}"
    if asked is None or asked.edi is None:
        yield f"[edi] of payer {payer}"
    if who:
        yield who
    for line in lines:
        if not diagnoses_for(case.episode, [line]):
            yield f"a diagnosis in force on {line.from_}"
        npi = prescriber_on(case, line)
        if npi is None:
            yield f"an order in force on {line.from_}"
        elif npi not in book.prescribers:
            yield f"prescribers.toml: {npi}"
