"""What of an episode runs out next: coverage, orders, plans of treatment, authorizations by date or by units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from ledger.facts.entry import Entry
from ledger.facts.events import CoverageEnded, CoverageVerified, PlanSigned, TherapyOrdered, TherapyStopped
from ledger.facts.liveness import live_entries
from projections.reading.authorizations import Authorization
from projections.words import counted, later


class RunsOut(NamedTuple):
    """Something that days need to be billable, and its last date."""

    on: str
    what: str
    name: str
    how: str


def running_out(entries: Iterable[Entry], authorizations: Iterable[Authorization], since: str) -> list[RunsOut]:
    """What ends on or after a date, the first to end first; what has no last date is not listed."""
    found = [*_of_papers(entries), *_of_authorizations(authorizations)]
    return sorted(one for one in found if one.on >= since)


def _of_papers(entries: Iterable[Entry]) -> Iterator[RunsOut]:
    """Of each coverage by a payer, each order, and the plans, the last date that any live record gives it."""
    last: dict[tuple[str, str], date | None] = {}
    ended: dict[tuple[str, str], date] = {}
    for _, fact, _ in live_entries(list(entries)):
        match fact:
            case CoverageVerified():
                _note(last, ("Coverage", fact.payer), fact.to if isinstance(fact.to, date) else None)
            case TherapyOrdered():
                _note(last, ("Order", fact.order), fact.to if isinstance(fact.to, date) else None)
            case PlanSigned():
                _note(last, ("Plan of treatment", ""), fact.to)
            case CoverageEnded():
                ended["Coverage", fact.payer] = fact.last_date
            case TherapyStopped():
                ended["Order", fact.order] = fact.date
    for (what, name), on in last.items():
        end = min(filter(None, (on, ended.get((what, name)))), default=None)
        if end is not None:
            yield RunsOut(end.isoformat(), what, name, "last date")


def _note(last: dict[tuple[str, str], date | None], what: tuple[str, str], on: date | None) -> None:
    """An open end is later than any date."""
    if what not in last:
        last[what] = on
    elif (known := last[what]) is not None:
        last[what] = max(known, on) if on is not None else None


def _of_authorizations(authorizations: Iterable[Authorization]) -> Iterator[RunsOut]:
    for one in authorizations:
        left = one.units - one.drawn
        spent = later(one.last_drawn, left) if one.last_drawn else None
        if spent is not None and spent < one.to:
            yield RunsOut(
                spent, "Authorization", one.number, f"units: {counted(left, 'unit')} left, if one is used a day"
            )
        else:
            yield RunsOut(one.to, "Authorization", one.number, f"last date, {counted(max(0, left), 'unit')} left")
