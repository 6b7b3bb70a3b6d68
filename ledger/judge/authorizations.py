"""Prior authorizations: one unit is one day, drawn across a patient's episodes by date (rulebook section 4).

A number belongs to its payer and is told again when it is extended. So on each date the telling recorded last counts,
with units of its own; a unit drawn from one counts against another of the number that shares a date with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from ledger.day_set import Days
from ledger.facts.entry import Entry
from ledger.facts.events import AuthorizationGranted
from ledger.judge.patients import Patient

if TYPE_CHECKING:
    from ledger.judge.case import Case


class Grant(Struct, gc=False, eq=False):
    """One live ``AuthorizationGranted`` of a patient, with the spans on which a later one of its number counts."""

    number: str
    payer: str
    codes: tuple[str, ...]
    units: int
    from_: int
    to: int
    entry: Entry
    later: list[tuple[int, int]]
    left: int
    sharing: list[Grant]

    def counts_on(self, date: int) -> bool:
        """Whether it covers the date and no later telling of its number does."""
        if not self.from_ <= date <= self.to:
            return False
        return not self.later or not any(from_ <= date <= to for from_, to in self.later)


def grants_of(patient: Patient) -> list[Grant]:
    """The patient's authorizations in the order units are drawn from them: by last date, then by number as text."""
    grants = [_grant(entry, fact) for entry, fact in patient.authorizations]
    by_number: dict[tuple[str, str], list[Grant]] = {}
    for grant in grants:
        for before in by_number.setdefault((grant.payer, grant.number), []):
            if before.from_ <= grant.to and grant.from_ <= before.to:
                before.later.append((grant.from_, grant.to))
                before.sharing.append(grant)
                grant.sharing.append(before)
        by_number[grant.payer, grant.number].append(grant)
    return sorted(grants, key=lambda grant: (grant.to, grant.number))


def _grant(entry: Entry, fact: AuthorizationGranted) -> Grant:
    from_, to = fact.from_.toordinal(), fact.to.toordinal()
    return Grant(fact.number, fact.payer, fact.codes, fact.units, from_, to, entry, [], fact.units, [])


class Draws:
    """What the days of one episode came to: drawn, without an authorization, or with one that is used up."""

    __slots__ = ("exhausted", "missing")

    def __init__(self) -> None:
        self.missing: Days = 0
        self.exhausted: Days = 0


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
