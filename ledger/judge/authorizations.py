"""The units of prior authorizations: one is one day, drawn across a patient's episodes by date (rulebook section 4).

Between two dates on which a grant begins or ceases to count, the days of one episode all draw alike: whole stretches
are drawn at once. Only where more is wanted on one stretch (by several episodes, for several codes) it is date by date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ledger.day_set import Days, earliest
from ledger.judge.case import Case
from ledger.judge.drawing import Cluster, Drawing, Draws, clusters_of
from ledger.judge.grants import Grant, Granted, grants_of


class Demand(NamedTuple):
    """Days of an episode that each need a unit for a code, and where it is noted what they came to."""

    case: Case
    code: str
    days: Days
    draws: Draws

    def on(self, days: Days) -> Demand:
        """The same for other days."""
        return Demand(self.case, self.code, days, self.draws)


def draw_units(case: Case, others: Sequence[Case]) -> Draws:
    """Draw a unit for each day of the patient that needs one, by date and then by episode, once for all episodes."""
    if not case.draws.are_made:
        cases = sorted([case, *others], key=lambda each: each.episode.name)
        for each in cases:
            each.draws.are_made = True
        for payer, demands in _demands(cases).items():
            granted = [granted for granted in case.patient.authorizations if granted[1].payer == payer]
            if len(demands) == 1:
                _draw_alone(demands[0], payer, granted)
            else:
                _draw(demands, clusters_of(grants_of(granted)))
    return case.draws


def _demands(cases: Sequence[Case]) -> dict[str, list[Demand]]:
    """What needs units, by payer; of a payer by episode and code."""
    wanted: dict[str, list[Demand]] = {}
    for case in cases:
        standing = case.standing
        needing: dict[tuple[str, str], Days] = {}
        for regime in case.regimes if standing else ():
            for code, days in case.codes.items() if regime.terms.auth_required else ():
                if part := regime.days & days & standing:
                    needing[regime.payer, code] = needing.get((regime.payer, code), 0) | part
        for (payer, code), days in needing.items():
            wanted.setdefault(payer, []).append(Demand(case, code, days, case.draws))
    return wanted


def _draw_alone(demand: Demand, payer: str, granted: Sequence[Granted]) -> None:
    """Draw for one episode and code. What its days drew when it was judged before is drawn again only from the first
    date on that needs a unit now and did not, or the other way round."""
    case, code, days, draws = demand
    kept = case.episode.tallies.drawing.get(payer)
    if kept is None or (kept.code, kept.first) != (code, case.calendar.first) or kept.granted != granted:
        kept = Drawing(code, case.calendar.first, list(granted), clusters_of(grants_of(granted)))
        case.episode.tallies.drawing[payer] = kept

    def draw(cluster: Cluster) -> None:
        cluster.begin(days & case.calendar.span(cluster.first, cluster.last))
        if cluster.days:
            _draw([Demand(case, code, cluster.days, cluster.draws)], [cluster])

    kept.draw(days, draw)
    kept.put_into(draws)


def _draw(demands: Sequence[Demand], clusters: Iterable[Cluster]) -> None:
    without = list(demands)
    for cluster in clusters:
        for first, last, counting in cluster.stretches:
            here = []
            for place, demand in enumerate(without):
                if part := demand.days & demand.case.calendar.span(first, last):
                    here.append(demand.on(part))
                    without[place] = demand.on(demand.days & ~part)
            if len(here) == 1:
                _draw_stretch(here[0], counting)
            elif here:
                _draw_by_date(here, counting)
    for demand in without:
        demand.draws.missing |= demand.days


def _draw_stretch(demand: Demand, counting: Sequence[Grant]) -> None:
    """Draw from the first grant until it is used up, then from the next."""
    pool = [grant for grant in counting if demand.code in grant.codes]
    left = demand.days
    for grant in pool:
        if left and grant.left > 0:
            drawn = earliest(left, grant.left)
            demand.draws.take(grant, drawn)
            left &= ~drawn
    if left:
        demand.draws.go_without(left, is_used_up=bool(pool))


def _draw_by_date(demands: Sequence[Demand], counting: Sequence[Grant]) -> None:
    pools = [[grant for grant in counting if demand.code in grant.codes] for demand in demands]
    dated = sorted((date, place) for place, each in enumerate(demands) for date in each.case.calendar.dates(each.days))
    for date, place in dated:
        demand, day = demands[place], demands[place].case.calendar.day(date)
        grant = next((grant for grant in pools[place] if grant.left > 0), None)
        if grant:
            demand.draws.take(grant, day)
        else:
            demand.draws.go_without(day, is_used_up=bool(pools[place]))


def covering_authorizations(case: Case, date: int) -> list[Grant]:
    """The authorizations of the day's payer that count on it and list its code, in the order they are drawn from."""
    day = case.calendar.day(date)
    payer = next(payer for payer, days in case.payers.items() if days & day)
    code = next(code for code, days in case.codes.items() if days & day)
    return [
        grant
        for grant in grants_of(case.patient.authorizations)
        if grant.payer == payer and code in grant.codes and grant.counts_on(date)
    ]
