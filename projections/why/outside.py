"""What cures a hold outside of the facts: the payer's terms, an agreement or a rate in the book."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from ledger.book import Agreement, Book, Provider
from ledger.judge import steps
from ledger.judge.rule import Verdict
from projections.why.day_view import DayView


class Outside(NamedTuple):
    """A cure in the book: the sentence that asks for it and, where its content is known, the book with it."""

    sentence: str
    book: Book | None = None


def outside_cure(view: DayView, verdict: Verdict) -> Outside | None:
    """What to put into the book; None for a verdict that the book does not cure."""
    if verdict.step is steps.NO_TERMS:
        return Outside(f"Put the terms of {view.payer_name()} that are in force on {view.on} into the book.")
    if verdict.step is steps.NO_AGREEMENT:
        return Outside(
            f"Put a signed agreement of {view.provider_name()} with {view.payer_name()}, in force on {view.on}, into "
            "the book.",
            _with_agreement(view),
        )
    if verdict.words == "hold no_rate":
        return Outside(f"Put a rate of {view.payer_name()} for {view.code} on {view.on} into the book.")
    return None


def _with_agreement(view: DayView) -> Book:
    book, npi = view.case.book, view.provider
    known = book.providers.get(npi) or Provider(npi, npi, npi)
    added = Agreement(str(view.payer), view.on, view.on, view.on)
    provider = msgspec.structs.replace(known, agreements=(*known.agreements, added))
    providers = book.providers | {npi: provider}
    return Book(book.codes.values(), book.payers.values(), providers.values(), book.known_on)
