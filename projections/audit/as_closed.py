"""The days of a closed month as they were judged when it was closed: by the edition, the book and the zones of then."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC
from typing import Final

from ledger.book import Book, Terms, book_of_text
from ledger.edition1.days import judged_days as judged_under_edition_1
from ledger.edition1.judge import judge as judge_by_edition_1
from ledger.edition1.patients import gather as gather_under_edition_1
from ledger.facts.administration import HOUSE, MonthClosed
from ledger.facts.entry import Entry
from ledger.facts.zones import reading_zones, zone_data
from ledger.judge.case import Case
from ledger.judge.patients import gather
from ledger.judge.regions import JudgedDay, judged_days
from ledger.judge.steps import judge
from ledger.store import EpisodeLedger
from projections.read_model.version import Made, code_version, differs_by_zones_alone, makes_the_same_rows, what_changed
from projections.reading.budget import within_budget
from projections.reading.unjudged import some_episode
from projections.rows.cells import NOTHING, Cells, json_list
from projections.rows.day import DayCells
from projections.words import iso

EDITION_1_COLUMNS: Final = (
    "patient", "episode", "date", "status", "reason", "code", "payer", "terms_from", "terms_published", "rate_cents",
    "authorization",
)  # fmt: skip
"""What the report of a month closed under edition 1 pins of a day."""

Streams = Mapping[str, Sequence[Entry]]
Span = tuple[int, int]
"""The first and last date of a month, as ordinals."""


def is_of_edition_1(closed: MonthClosed) -> bool:
    """Whether a month was closed under edition 1 of the rulebook."""
    return Made.by(closed.code).edition == "1"


def judged_alike(closed: MonthClosed) -> bool:
    """Whether a month's days can be judged here as they were when it was closed, to the letter.

    Its zones are kept with the closing, and edition 1 is kept here; any other version of the judge is gone.
    """
    code, here = closed.code, code_version()
    return is_of_edition_1(closed) or makes_the_same_rows(code, here) or differs_by_zones_alone(code, here)


def closed_otherwise(ledger: EpisodeLedger) -> dict[str, tuple[str, ...]]:
    """The closed months that were judged otherwise than this version judges, each with what differs."""
    found: dict[str, tuple[str, ...]] = {}
    for _, closed in ledger.closings():
        found.setdefault(closed.month, what_changed(closed.code, code_version()))
    return {month: differs for month, differs in found.items() if differs}


def book_of_closing(closed: MonthClosed) -> Book:
    """The book in use when a month was closed, as known on that date."""
    return book_of_text(closed.book).known(closed.closed_at.astimezone(UTC).date())


def zones_of_closing(closed: MonthClosed) -> AbstractContextManager[None]:
    """While it is held, the zones of the closing's episodes are read as they were when the month was closed."""
    return reading_zones({name: b64decode(text) for name, text in closed.zones.items()})


def zones_to_keep(names: Iterable[str]) -> dict[str, str]:
    """What the zone database says of some zones, to be kept with a closing."""
    return {name: b64encode(zone_data(name)).decode() for name in sorted(names)}


def rows_as_closed(closed: MonthClosed, book: Book, within: Span, streams: Streams) -> Iterator[tuple[str, Cells]]:
    """The rows of the month's days of some patients, each with its patient, as they were when the month was closed;
    without their causes."""
    if is_of_edition_1(closed):
        yield from _rows_of_edition_1(book, within, streams)
        return

    def work() -> list[tuple[str, Cells]]:
        with zones_of_closing(closed):
            return [
                (patient.name, _row(patient.name, case.episode.name, day))
                for patient in gather(streams)
                for case in judge(patient, book)
                for day in days_within(case, within)
            ]

    yield from within_budget(some_episode(streams), work)


def days_within(case: Case, within: Span) -> Iterable[JudgedDay]:
    """An episode's days of a month, in order."""
    if not case.calendar.span(*within):
        return ()
    return (day for day in judged_days(case) if within[0] <= day.date <= within[1])


def _rows_of_edition_1(book: Book, within: Span, streams: Streams) -> Iterator[tuple[str, Cells]]:
    entries = {name: stream for name, stream in streams.items() if name != HOUSE}
    for patient in gather_under_edition_1(entries):
        for case in judge_by_edition_1(patient, book):
            for day in judged_under_edition_1(case):
                if within[0] <= day.date <= within[1]:
                    cells = DayCells(
                        patient=patient.name, episode=case.episode.name, date=iso(day.date), status=day.status,
                        reason=day.reason, code=day.code, payer=day.payer, **_edition_of(day.terms),
                        rate_cents=day.rate_cents, authorization=day.authorization, because=NOTHING,
                    )  # fmt: skip
                    yield patient.name, cells


def _row(patient: str, episode: str, day: JudgedDay) -> Cells:
    cells: Cells = DayCells(
        patient=patient, episode=episode, date=iso(day.date), status=day.verdict.status, reason=day.verdict.reason,
        code=day.code, payer=day.payer, **_edition_of(day.terms), rate_cents=day.rate_cents,
        authorization=day.authorization, because=NOTHING, member=day.member, provider=day.provider,
        place_of_service=day.place, modifiers=json_list(day.modifiers) if day.is_billable else None,
    )  # fmt: skip
    return cells


def _edition_of(terms: Terms | None) -> dict[str, str | None]:
    return {
        "terms_from": terms.from_.isoformat() if terms else None,
        "terms_published": terms.published.isoformat() if terms else None,
    }
