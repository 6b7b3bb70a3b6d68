"""The units of prior authorizations: one is one day, drawn across a patient's episodes by date (rulebook section 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Final

from ledger.day_set import Days
from ledger.judge.case import Case
from ledger.judge.grants import Draws, Grant, grants_of

_BY_DATE_AND_EPISODE: Final = itemgetter(0, 1)


def draw_units(case: Case, others: Sequence[Case]) -> Draws:
    """Draw a unit for each day of the patient that needs one, by date and then by episode, once for all episodes."""
    if not case.draws.are_made:
        cases = sorted([case, *others], key=lambda each: each.episode.name)
        for each in cases:
            each.draws.are_made = True
        _draw(cases, grants_of(case.patient))
    return case.draws


def _draw(cases: Sequence[Case], grants: Sequence[Grant]) -> None:
    needing: list[tuple[int, int, Sequence[Grant]]] = []
    for place, case in enumerate(cases):
        for days, pool in _needing(case, grants):
            if pool:
                needing += [(date, place, pool) for date in case.calendar.dates(days)]
            else:
                case.draws.missing |= days
    needing.sort(key=_BY_DATE_AND_EPISODE)
    for date, place, pool in needing:
        _draw_one(cases[place], date, pool)


def _needing(case: Case, grants: Sequence[Grant]) -> Iterator[tuple[Days, Sequence[Grant]]]:
    """The days of an episode that need a unit, with the grants that may have one."""
    standing = case.standing
    for regime in case.regimes:
        for code, days in case.codes.items() if regime.terms.auth_required else ():
            pool = [grant for grant in grants if grant.payer == regime.payer and code in grant.codes]
            yield regime.days & days & standing, pool


def _draw_one(case: Case, date: int, pool: Sequence[Grant]) -> None:
    """Draw a unit from the first of the pool that counts on the date and has one left."""
    is_used_up = False
    for grant in pool:
        if grant.counts_on(date):
            if grant.left > 0:
                case.drawn[date] = grant
                grant.left -= 1
                for each in grant.sharing:
                    each.left -= 1
                return
            is_used_up = True
    if is_used_up:
        case.draws.exhausted |= case.calendar.day(date)
    else:
        case.draws.missing |= case.calendar.day(date)


def covering_authorizations(case: Case, date: int) -> list[Grant]:
    """The authorizations of the day's payer that count on it and list its code, in the order they are drawn from."""
    day = case.calendar.day(date)
    payer = next(payer for payer, days in case.payers.items() if days & day)
    code = next(code for code, days in case.codes.items() if days & day)
    return [
        grant
        for grant in grants_of(case.patient)
        if grant.payer == payer and code in grant.codes and grant.counts_on(date)
    ]
