"""A change that a person could make: one more fact, or what the book lacks, and the sentence that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, cast

import msgspec

from ledger.book import Agreement, Book, Provider
from ledger.facts import events as ev
from ledger.facts.entry import Entry, statement_of, tag_of
from ledger.judge import steps
from ledger.judge.rule import Step, Verdict
from projections.why.day_view import DayView

HYPOTHETICAL: Final = "what-if"
"""The author of an entry that was not recorded, and the placeholder in it. Its source is empty, as no real one is."""


class Change(NamedTuple):
    """One more fact of an episode, and the sentence that asks for it."""

    episode: str
    fact: ev.Event
    sentence: str


Changes = Iterator[Change]


def named(view: DayView, entry: Entry) -> str:
    """An entry as sentences name it."""
    elsewhere = "" if entry.episode == view.case.episode.name else f" of {entry.episode}"
    return f"{entry.label} ({tag_of(statement_of(entry))}){elsewhere}"


def tell(view: DayView, fact: ev.Event, sentence: str) -> Change:
    """One more fact of the episode itself."""
    return Change(view.case.episode.name, fact, sentence)


def retract(view: DayView, entry: Entry, provided: str = "it never happened") -> Change:
    """The entry never happened."""
    fact = ev.FactRetracted(entry.source, entry.id, HYPOTHETICAL)
    return Change(entry.episode, fact, f"Retract {named(view, entry)}, if {provided}.")


def retract_all(step: Step) -> Callable[[DayView], Changes]:
    """Each entry that a step rests on."""
    return lambda view: (retract(view, entry) for entry in view.causes(step))


def correct(view: DayView, entry: Entry, says: str, **fields: object) -> Change:
    """The entry as it was, but for these fields."""
    return _corrected(entry, f"Correct {named(view, entry)}: {says}, if that is so.", fields)


def complete(view: DayView, entry: Entry, sentence: str, **fields: object) -> Change:
    """The entry as it was, with what it left out, in a sentence of its own."""
    return _corrected(entry, sentence, fields)


def _corrected(entry: Entry, sentence: str, fields: dict[str, object]) -> Change:
    right = cast(ev.Statement, msgspec.structs.replace(statement_of(entry), **fields))
    return Change(entry.episode, ev.FactCorrected(entry.source, entry.id, HYPOTHETICAL, right), sentence)


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
    return book.but(providers=providers.values())
