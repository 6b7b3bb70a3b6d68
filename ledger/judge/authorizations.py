"""The units of prior authorizations: one is one day, drawn across a patient's episodes by date (rulebook section 4)."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.judge.case import Case
from ledger.judge.grants import Draws, Grant, grants_of


def draw_units(case: Case, others: Sequence[Case]) -> Draws:
    """Draw a unit for each day of the patient that needs one, by date and then by episode, once for all episodes."""
    if case.draws is None:
        cases = sorted([case, *others], key=lambda each: each.episode.name)
        for each in cases:
            each.draws = Draws()
        _draw(cases, grants_of(case.patient))
    assert case.draws is not None
    return case.draws


def _draw(cases: Sequence[Case], grants: Sequence[Grant]) -> None:
    needing = sorted(
        (date, place, regime.payer, code)
        for place, case in enumerate(cases)
        for standing in (case.standing,)
        for regime in case.regimes
        if regime.terms.auth_required
        for code, days in case.codes.items()
        for date in case.calendar.dates(regime.days & days & standing)
    )
    pools: dict[tuple[str, str], list[Grant]] = {}
    for date, place, payer, code in needing:
        case = cases[place]
        if (payer, code) not in pools:
            pools[payer, code] = [grant for grant in grants if grant.payer == payer and code in grant.codes]
        _draw_one(case, date, pools[payer, code])


def _draw_one(case: Case, date: int, pool: Sequence[Grant]) -> None:
    """Draw a unit from the first of the pool that counts on the date and has one left."""
    is_used_up = False
    for grant in pool:
        if grant.counts_on(date):
            if grant.left > 0:
                case.drawn[date] = grant
                for each in (grant, *grant.sharing):
                    each.left -= 1
                return
            is_used_up = True
    assert case.draws is not None
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
