"""Prior authorizations: how many of their units the days of an episode drew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from ledger.book import Book
from ledger.facts.entry import statement_of
from ledger.facts.events import AuthorizationGranted
from ledger.judge.case import Case
from ledger.judge.grants import Grant, grants_of
from ledger.judge.regions import regions
from projections.reading.as_known import JudgedPatient, judged_among
from projections.reading.open_orders import ordered_to
from projections.reading.unjudged import Streams
from projections.words import iso


class Authorization(msgspec.Struct, frozen=True, gc=False):
    """A live authorization of an episode with the units its days drew, of which ``billable_days`` are billable.

    ``last_day`` is the episode's last day so far, ``ended`` whether a discharge or a death ended it, and
    ``ordered_to`` the last date on which an order of it is in force: 2099-12-31 where it is open, None without one.
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
    ordered_to: str | None


def authorizations_of(judged: JudgedPatient, case: Case) -> Iterator[Authorization]:
    """The live authorizations recorded in a judged episode, by number, with what the patient's episodes drew."""
    own = [grant for grant in grants_of(case.patient.authorizations) if grant.entry.episode == case.episode.name]
    for grant in sorted(own, key=lambda grant: (grant.number, grant.from_)):
        drawing = {each.episode.name: _drawn(each, grant) for each in judged.cases}
        concerned = [each for each in judged.cases if each is case or drawing[each.episode.name]]
        going = [each for each in concerned if each.calendar.every]
        if not going:
            continue
        drawn = sorted(date for dates in drawing.values() for date in dates)
        billable = sum(_billable(each, drawing[each.episode.name]) for each in going)
        yield Authorization(
            case.patient.name, case.episode.name, grant.number, grant.payer, tuple(sorted(set(grant.codes))),
            iso(grant.from_), iso(grant.to), grant.units, len(drawn), billable, iso(drawn[-1]) if drawn else None,
            iso(max(each.calendar.last for each in going)),
            all(each.patient.deaths or each.episode.discharges for each in going),
            max(filter(None, (ordered_to(each.episode) for each in going)), default=None),
        )  # fmt: skip


def _drawn(case: Case, grant: Grant) -> list[int]:
    """The dates of an episode that drew a unit from a telling of an authorization."""
    return [date for date, drew in case.drawn.items() if drew.entry is grant.entry]


def _billable(case: Case, dates: Sequence[int]) -> int:
    return sum(region.is_billable and bool(region.days & case.calendar.day(date))
               for region in regions(case) for date in dates)  # fmt: skip


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
    if judged:
        yield from (list(authorizations_of(judged, case)) for case in judged.cases)
