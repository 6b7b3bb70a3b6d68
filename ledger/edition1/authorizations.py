"""Prior authorizations under edition 1: one unit is one day, drawn in date order within an episode."""

from __future__ import annotations

from ledger.day_set import Days
from ledger.edition1.case import Case
from ledger.facts.events import AuthorizationGranted


def draw_units(case: Case, standing: Days) -> tuple[Days, Days]:
    """Draw a unit for each standing day that needs one, into ``case.drawn``; returns (missing, exhausted) days."""
    needing = sorted(
        (date, regime.payer, code)
        for regime in case.regimes
        if regime.terms.auth_required
        for code, days in case.codes.items()
        for date in case.calendar.dates(regime.days & days & standing)
    )
    missing = exhausted = 0
    left = {number: granted.units for number, (_, granted) in case.episode.authorizations.items()}
    pools: dict[tuple[str, str], list[tuple[int, int, str]]] = {}
    for date, payer, code in needing:
        if (payer, code) not in pools:
            listing = _listing(case, payer, code)
            pools[payer, code] = [(fact.from_.toordinal(), fact.to.toordinal(), fact.number) for fact in listing]
        covering = [number for from_, to, number in pools[payer, code] if from_ <= date <= to]
        for number in covering:
            if left[number]:
                left[number] -= 1
                case.drawn[date] = number
                break
        else:
            if covering:
                exhausted |= case.calendar.day(date)
            else:
                missing |= case.calendar.day(date)
    return missing, exhausted


def _listing(case: Case, payer: str, code: str) -> list[AuthorizationGranted]:
    granted = (fact for _, fact in case.episode.authorizations.values() if fact.payer == payer and code in fact.codes)
    return sorted(granted, key=lambda fact: (fact.to, fact.number))
