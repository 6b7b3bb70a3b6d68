"""The units of prior authorizations: one is one day, drawn across a patient's episodes by date (rulebook section 4).

Between two dates on which a grant begins or ceases to count, the days of one episode all draw alike: whole stretches
are drawn at once. Only where more is wanted on one stretch (by several episodes, for several codes) it is date by date.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Final, NamedTuple

from ledger.day_set import Days, earliest
from ledger.judge.case import Case
from ledger.judge.grants import Draws, Grant, grants_of

_begin_of: Final = attrgetter("from_")
_rank_of: Final = attrgetter("to", "number")


class Demand(NamedTuple):
    """Days of an episode that each need a unit for a code."""

    case: Case
    code: str
    days: Days


def draw_units(case: Case, others: Sequence[Case]) -> Draws:
    """Draw a unit for each day of the patient that needs one, by date and then by episode, once for all episodes."""
    if case.draws is None:
        cases = sorted([case, *others], key=lambda each: each.episode.name)
        for each in cases:
            each.draws = Draws()
        demands = _demands(cases)
        grants = grants_of(case.patient) if demands else []
        for payer, wanted in demands.items():
            _draw(wanted, [grant for grant in grants if grant.payer == payer])
    assert case.draws is not None
    return case.draws


def _demands(cases: Sequence[Case]) -> dict[str, list[Demand]]:
    """What needs units, by payer; of a payer by episode."""
    wanted: dict[str, list[Demand]] = {}
    for case in cases:
        standing = case.standing
        for regime in case.regimes if standing else ():
            for code, days in case.codes.items() if regime.terms.auth_required else ():
                if needing := regime.days & days & standing:
                    wanted.setdefault(regime.payer, []).append(Demand(case, code, needing))
    return wanted


def _draw(demands: Sequence[Demand], grants: Sequence[Grant]) -> None:
    without = list(demands)
    for first, last, counting in _stretches(grants):
        here = []
        for place, (case, code, days) in enumerate(without):
            if part := days & case.calendar.span(first, last):
                here.append(Demand(case, code, part))
                without[place] = Demand(case, code, days & ~part)
        if len(here) == 1:
            _draw_stretch(here[0], counting)
        elif here:
            _draw_by_date(here, counting)
    for case, _, days in without:
        _go_without(case, days, is_used_up=False)


def _stretches(grants: Sequence[Grant]) -> Iterator[tuple[int, int, list[Grant]]]:
    """The dates that any grant covers, in stretches on which the same ones count; these in the order units are drawn
    from them."""
    together: list[Grant] = []
    last = 0
    for grant in sorted(grants, key=_begin_of):
        if together and grant.from_ > last:
            yield from _stretches_of(together)
            together = []
        together.append(grant)
        last = max(last, grant.to)
    yield from _stretches_of(together)


def _stretches_of(together: Sequence[Grant]) -> Iterator[tuple[int, int, list[Grant]]]:
    """The same of grants that overlap, directly or through others; most stand alone."""
    if len(together) == 1:
        yield together[0].from_, together[0].to, [together[0]]
        return
    edges = sorted({edge for grant in together for edge in (grant.from_, grant.to + 1)})
    ranked = sorted(together, key=_rank_of)
    for first, after in pairwise(edges):
        yield first, after - 1, [grant for grant in ranked if grant.counts_on(first)]


def _draw_stretch(demand: Demand, counting: Sequence[Grant]) -> None:
    """Draw from the first grant until it is used up, then from the next."""
    pool = [grant for grant in counting if demand.code in grant.codes]
    left = demand.days
    for grant in pool:
        if left and grant.left > 0:
            drawn = earliest(left, grant.left)
            _take(demand.case, grant, drawn)
            left &= ~drawn
    if left:
        _go_without(demand.case, left, is_used_up=bool(pool))


def _draw_by_date(demands: Sequence[Demand], counting: Sequence[Grant]) -> None:
    pools = [[grant for grant in counting if demand.code in grant.codes] for demand in demands]
    dated = sorted((date, place) for place, each in enumerate(demands) for date in each.case.calendar.dates(each.days))
    for date, place in dated:
        case, day = demands[place].case, demands[place].case.calendar.day(date)
        grant = next((grant for grant in pools[place] if grant.left > 0), None)
        if grant:
            _take(case, grant, day)
        else:
            _go_without(case, day, is_used_up=bool(pools[place]))


def _take(case: Case, grant: Grant, days: Days) -> None:
    assert case.draws is not None
    case.draws.add(grant, days)
    for each in (grant, *grant.sharing):
        each.left -= days.bit_count()


def _go_without(case: Case, days: Days, *, is_used_up: bool) -> None:
    assert case.draws is not None
    if is_used_up:
        case.draws.exhausted |= days
    else:
        case.draws.missing |= days


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
