"""Prior authorizations: one unit is one day, drawn in date order (rulebook section 4, Authorization)."""

from __future__ import annotations

from ledger.case import Case
from ledger.day_set import Days
from ledger.events import AuthorizationGranted


def draw_units(case: Case, standing: Days) -> tuple[Days, Days]:
    """Draw a unit for each standing day that needs one, into ``case.drawn``; returns (missing, exhausted) days."""
    missing = exhausted = 0
    left = {number: granted.units for number, (_, granted) in case.episode.authorizations.items()}
    for regime in case.regimes:
        if regime.terms.auth_required and not case.episode.authorizations:
            missing |= regime.days & standing
    needing = 0
    for regime in case.regimes:
        if regime.terms.auth_required:
            needing |= regime.days & standing & ~missing
    for date in case.calendar.dates(needing):
        day = case.calendar.day(date)
        covering = covering_authorizations(case, date)
        open_ = next((granted for granted in covering if left[granted.number]), None)
        if open_:
            left[open_.number] -= 1
            case.drawn[date] = open_.number
        elif covering:
            exhausted |= day
        else:
            missing |= day
    return missing, exhausted


def covering_authorizations(case: Case, date: int) -> list[AuthorizationGranted]:
    """The authorizations of the day's payer that list its code and cover it, in the order they are drawn from."""
    day = case.calendar.day(date)
    payer = next(payer for payer, days in case.payers.items() if days & day)
    code = next(code for code, days in case.codes.items() if days & day)
    return sorted(
        (
            granted
            for _, granted in case.episode.authorizations.values()
            if granted.payer == payer
            and code in granted.codes
            and granted.from_.toordinal() <= date <= granted.to.toordinal()
        ),
        key=lambda granted: (granted.to, granted.number),
    )
