"""Prior authorizations: how many of their units the days of an episode drew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from ledger.book import Book
from ledger.facts.entry import statement_of
from ledger.facts.events import AuthorizationGranted
from ledger.judge.case import Case
from ledger.judge.regions import judged_days
from projections.reading.as_known import Streams, judged_among
from projections.words import iso


class Authorization(msgspec.Struct, frozen=True, gc=False):
    """A live authorization of an episode with the units its days drew, of which ``billable_days`` are billable.

    ``last_day`` is the episode's last day so far, ``ended`` whether a discharge or a death ended it.
    """

    patient: str
    episode: str
    number: str
    payer: str
    codes: tuple[str, ...]
    from_: str = msgspec.field(name="from")
    to: str
    units: int
    drawn: int
    billable_days: int
    last_drawn: str | None
    last_day: str
    ended: bool


def authorizations_of(case: Case) -> Iterator[Authorization]:
    """The live authorizations of a judged episode that has days, by number."""
    if not case.calendar.every:
        return
    billable = {day.date for day in judged_days(case) if day.is_billable}
    ended = bool(case.patient.deaths or case.episode.discharges)
    for number, (_, granted) in sorted(case.episode.authorizations.items()):
        drawn = [date for date, drew in case.drawn.items() if drew == number]
        yield Authorization(
            case.patient.name, case.episode.name, number, granted.payer, tuple(sorted(set(granted.codes))),
            granted.from_.isoformat(), granted.to.isoformat(), granted.units, len(drawn),
            len(billable.intersection(drawn)), iso(max(drawn)) if drawn else None, iso(case.calendar.last), ended,
        )  # fmt: skip


def has_authorization(facts: Iterable[object]) -> bool:
    """Whether any fact grants one."""
    return any(isinstance(fact, AuthorizationGranted) for fact in facts)


def authorizations_in(
    streams: Streams, patient: str, book: Book, known_at: datetime | None
) -> Iterator[list[Authorization]]:
    """The live authorizations of each of a patient's episodes that has days; nobody is judged who never had one."""
    if not has_authorization(statement_of(entry) for stream in streams.values() for entry in stream):
        return
    judged = judged_among({name: streams[name] for name in sorted(streams)}, patient, book, known_at)
    for case in judged.cases if judged else ():
        yield list(authorizations_of(case))
