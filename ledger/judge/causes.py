"""The causes of a verdict: the entries that decided it (rulebook section 4: every verdict names its causes).

For each step, the entries it rests on for one date, the one that decided first. A verdict's causes are those of the
step that gave it; a billable day's are the evidence that it was served. What nobody recorded has no causes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from ledger.book import PER_DIEM_CODES
from ledger.facts.entry import Entry
from ledger.judge.authorizations import covering_authorizations
from ledger.judge.case import Case, Region
from ledger.judge.clash import in_scope, rule_between, settled
from ledger.judge.episode import Dated
from ledger.judge.regions import regions

Grounds = Callable[[Case, int], Sequence[Entry]]


def causes(case: Case, others: Iterable[Case], date: int, step: int, reason: str | None) -> list[str]:
    """The labels of the entries that decided a day's verdict, the decisive ones first; no repeats."""
    found: Sequence[Entry]
    if step == 24:
        found = served_on(case, date)
    elif step == 21:
        found = clashing(case, others, date, str(reason))
    else:
        found = GROUNDS[step](case, date)
    if len(found) == 1:
        return [found[0].label]
    return list(dict.fromkeys([entry.label for entry in found]))


def causes_by_date(case: Case, others: Sequence[Case]) -> dict[int, list[str]]:
    """The causes of every date of a judged episode, looked up once."""
    if not case.causes:
        for region in regions(case):
            step, _, reason = region.verdict
            days = list(case.calendar.dates(region.days))
            if step == 24 and len(case.remaining) == 1:
                case.causes.update(zip(days, _serving(case, region, days), strict=True))
            elif _is_alike(case, step):
                case.causes.update(dict.fromkeys(days, causes(case, others, days[0], step, reason)))
            else:
                case.causes.update({day: causes(case, others, day, step, reason) for day in days})
    return case.causes


def _is_alike(case: Case, step: int) -> bool:
    """Whether the causes of a step are the same on every date it takes."""
    return step in (1, 2, 3, 7) or (step in (5, 6, 8) and len(case.spells) == 1)


def serving_labels(case: Case) -> dict[int, list[str]]:
    """What serves each date on which the episode's one order has evidence: most dates, looked up at once."""
    return case.evidence.labels_by_date(*case.remaining) if len(case.remaining) == 1 else {}


def _serving(case: Case, region: Region, days: Iterable[int]) -> Iterator[list[str]]:
    """What ``causes`` says of billable dates where the episode has one order only: most dates there are."""
    labels = serving_labels(case)
    by_visit = region.terms is not None and region.terms.day_counting == "infused_or_nursing"
    for day in days:
        if day in labels:
            yield labels[day]
        elif by_visit:
            yield causes(case, (), day, 24, None)
        else:  # access reaches here from the last recorded date
            on = day - 1
            while on not in labels:
                on -= 1
            yield labels[on]


def by_label(entries: Iterable[Entry]) -> list[Entry]:
    """Entries in an order that does not depend on their arrival."""
    found = list(entries)
    if len(found) > 1:
        found.sort(key=lambda entry: (entry.label, entry.episode))
    return found


def _earliest(ended: Iterable[Dated], date: int) -> list[Entry]:
    first = min((end.date for end in ended), default=date)
    return by_label(end.entry for end in ended if end.date == first < date)


def _deaths(case: Case, date: int) -> list[Entry]:
    return _earliest(case.patient.deaths, date)


def _discharges(case: Case, date: int) -> list[Entry]:
    return _earliest(case.episode.discharges, date)


def _nothing(case: Case, date: int) -> list[Entry]:
    return []


def _coverage(case: Case, date: int) -> list[Entry]:
    """Step 4: the coverage ends that cut the date off; then every spell, none of which covers it."""
    cuts = [cut for spell in case.spells if spell.from_ <= date <= spell.verified_to for cut in spell.cuts]
    return by_label(cuts) + by_label(spell.entry for spell in case.spells)


def covering_spells(case: Case, date: int) -> list[Entry]:
    """The coverage that covers the date, in the order of ranks."""
    return [spell.entry for spell in case.spells if spell.from_ <= date <= spell.to]


def _payer_of_day(case: Case, date: int) -> list[Entry]:
    day = case.calendar.day(date)
    payers = {payer for payer, days in case.payers.items() if days & day}
    return [s.entry for s in case.spells if s.payer in payers and s.from_ <= date <= s.to][:1]


def _opening(case: Case, date: int) -> list[Entry]:
    return [case.episode.opening[0]]


def _provider_and_payer(case: Case, date: int) -> list[Entry]:
    return _opening(case, date) + _payer_of_day(case, date)


def _stays(case: Case, date: int) -> list[Entry]:
    regime, day = case.regime_on(date), case.calendar.day(date)
    return by_label(entry for days, entry in case.stays(regime.terms.inpatient_rule) if days & day) if regime else []


def _facility(case: Case, date: int) -> list[Entry]:
    return by_label(stay.entry for stay in case.patient.facility if stay.from_ <= date <= stay.to)


def _hospice(case: Case, date: int) -> list[Entry]:
    return by_label(elected.entry for elected in case.patient.hospice if elected.from_ <= date <= elected.to)


def _holds(case: Case, date: int) -> list[Entry]:
    day = case.calendar.day(date)
    return by_label(entry for days, entry in case.held() if days & day)


def _unserved(case: Case, date: int) -> list[Entry]:
    """Step 13: what was recorded for the date and did not serve; or the stop that ended access to it."""
    found = [entry for order in case.evidence.recorded for entry in case.evidence.entries_on(order, date)]
    regime = case.regime_on(date)
    if regime and regime.terms.day_counting == "access":
        day = case.calendar.day(date)
        for order, days in case.evidence.access(cut=False).items():
            if days & day:
                found += _ending(case, order, date)
    return by_label(found)


def _ending(case: Case, order: str, date: int) -> list[Entry]:
    stops = [stop.entry for stop in case.episode.stops.get(order, ()) if stop.date < date]
    return stops or _order_entries(case, [order])


def _order_entries(case: Case, orders: Iterable[str]) -> list[Entry]:
    return by_label(case.episode.orders[order][0] for order in orders if order in case.episode.orders)


def _orders_serving(case: Case, date: int) -> list[str]:
    day = case.calendar.day(date)
    return [order for order, days in case.served.items() if days & day]


def remaining_orders(case: Case, date: int) -> list[str]:
    """The orders that stand behind the date after steps 13-15."""
    place = date - case.calendar.first
    return [order for order, days in case.remaining.items() if days >> place & 1]


def _evidence(case: Case, orders: Sequence[str], date: int) -> list[Entry]:
    """What serves the date: recorded on it or, for access, on the nearest date before it; or the nurse's visit."""
    if len(orders) == 1 and (found := case.evidence.entries_on(orders[0], date)):
        return by_label(found)
    nearest: dict[int, list[Entry]] = {}
    for order in orders:
        recorded = case.evidence.recorded.get(order, 0) & case.calendar.span(case.calendar.first, date)
        if recorded:
            on = case.calendar.first + recorded.bit_length() - 1
            nearest.setdefault(on, []).extend(case.evidence.entries_on(order, on))
    if date not in nearest and _counting(case, date) == "infused_or_nursing":
        return visits_on(case, date)
    return [entry for on in sorted(nearest, reverse=True) for entry in by_label(nearest[on])]


def _counting(case: Case, date: int) -> str | None:
    regime = case.regime_on(date)
    return regime.terms.day_counting if regime else None


def visits_on(case: Case, date: int) -> list[Entry]:
    """The nurse's visits of the date."""
    return by_label(visit.entry for visit in case.episode.visits if visit.date == date)


def served_on(case: Case, date: int) -> list[Entry]:
    """Step 13 passed: the evidence of the orders that stand behind the date."""
    return _evidence(case, remaining_orders(case, date), date)


def _without_order(case: Case, date: int) -> list[Entry]:
    """Step 14: the evidence, then what ended its orders (or the orders not yet begun)."""
    orders = _orders_serving(case, date)
    ended = [entry for order in orders for entry in _ending(case, order, date)]
    return (_evidence(case, orders, date) or visits_on(case, date)) + by_label(ended)


def _too_long(case: Case, date: int) -> list[Entry]:
    orders = [o for o in _orders_serving(case, date) if case.evidence.in_force(o) & case.calendar.day(date)]
    return _order_entries(case, orders) + _evidence(case, orders, date)


def diagnoses_on(case: Case, date: int) -> list[Entry]:
    """The diagnoses in force."""
    return by_label(found.entry for found in case.episode.diagnoses if found.from_ <= date <= found.to)


def plans_on(case: Case, date: int) -> list[Entry]:
    """The plans that cover the date."""
    return by_label(plan.entry for plan in case.episode.plans if plan.from_ <= date <= plan.to)


def last_assessment(case: Case, date: int) -> list[Entry]:
    """The last pain assessment on or before the date."""
    before = [assessed for assessed in case.episode.assessments if assessed.date <= date]
    last = max((assessed.date for assessed in before), default=0)
    return by_label(assessed.entry for assessed in before if assessed.date == last)


def _decision(case: Case, date: int) -> list[Entry]:
    decided = case.episode.resolutions.get(date)
    return [decided[0]] if decided else []


def orders_and_evidence(case: Case, date: int) -> list[Entry]:
    """Step 20: the remaining orders and what serves the date under them."""
    orders = remaining_orders(case, date)
    found = [e for order in sorted(orders) for e in _evidence(case, [order], date)]
    return _order_entries(case, orders) + by_label(found)


def clashing(case: Case, others: Iterable[Case], date: int, rule: str) -> list[Entry]:
    """Step 21: what stands against the day, then the day's own orders and evidence; each with the decision that
    settled its code. A decision that sets services aside settled what stands against the day, too."""
    day = case.calendar.day(date)
    code = next((code for code, days in case.codes.items() if days & day), "")
    billed = [
        billed
        for episode in case.patient.episodes
        for billed in episode.billed
        if billed.is_service and billed.code in PER_DIEM_CODES and billed.from_ <= date <= billed.to
    ]
    against = [entry for other in others for entry in _of_other(case, code, other, date, rule)]
    if settled(case, code) & day:
        aside = _decision(case, date) if billed else _settling(case, date)
        return against + orders_and_evidence(case, date) + aside
    services = by_label(each.entry for each in billed if rule_between(code, each.code) == rule)
    return services + against + orders_and_evidence(case, date)


def _of_other(case: Case, code: str, other: Case, date: int, rule: str) -> list[Entry]:
    day = other.calendar.day(date)
    for exposed in other.exposed():
        counts = in_scope(case, exposed.payer) & case.calendar.day(date)
        if counts and exposed.days & day and rule_between(code, exposed.code) == rule:
            return orders_and_evidence(other, date) + _settling(other, date)
    return []


def _settling(case: Case, date: int) -> list[Entry]:
    """The decision that made one of the date's several codes the code of the day."""
    day = case.calendar.day(date)
    is_settled = len(codes_on(case, date)) > 1 and any(days & day for days in case.codes.values())
    return _decision(case, date) if is_settled else []


def authorizations_on(case: Case, date: int) -> list[Entry]:
    """The authorization the day drew from, else those that cover it and are used up."""
    numbers = [case.drawn[date]] if date in case.drawn else [a.number for a in covering_authorizations(case, date)]
    return [case.episode.authorizations[number][0] for number in numbers]


GROUNDS: Final[dict[int, Grounds]] = {
    1: _deaths,
    2: _discharges,
    3: _nothing,
    4: _coverage,
    5: covering_spells,
    6: _payer_of_day,
    7: _opening,
    8: _provider_and_payer,
    9: _stays,
    10: _facility,
    11: _hospice,
    12: _holds,
    13: _unserved,
    14: _without_order,
    15: _too_long,
    16: diagnoses_on,
    17: plans_on,
    18: last_assessment,
    19: _decision,
    20: orders_and_evidence,
    22: authorizations_on,
    23: lambda case, date: _order_entries(case, remaining_orders(case, date)),
}


def serving(case: Case, date: int) -> list[Entry]:
    """Step 13 passed: the evidence, whatever becomes of its orders."""
    return _evidence(case, _orders_serving(case, date), date) or visits_on(case, date)


def orders_in_force(case: Case, date: int) -> list[Entry]:
    """Step 14 passed: the orders behind the evidence that are in force, whatever their interval."""
    day = case.calendar.day(date)
    return _order_entries(case, [o for o in _orders_serving(case, date) if case.evidence.in_force(o) & day])


def part_days_in_hospital(case: Case, date: int) -> list[Entry]:
    """Step 9 passed: the stays that touch the date without making it an inpatient date."""
    day = case.calendar.day(date)
    return by_label(entry for days, entry in case.stays("any_overlap") if days & day)


def codes_on(case: Case, date: int) -> list[str]:
    """Step 20: the codes that the date's orders give."""
    day = case.calendar.day(date)
    return sorted(code for code, days in case.candidates.items() if days & day)


def codes_against(case: Case, others: Iterable[Case], date: int, rule: str) -> list[str]:
    """Step 21: the day's code, then each code that breaks the rule beside it."""
    day = case.calendar.day(date)
    own = next(code for code, days in case.codes.items() if days & day)
    against = [
        exposed.code
        for other in others
        for exposed in other.exposed()
        if exposed.days & other.calendar.day(date) and in_scope(case, exposed.payer) & day
    ]
    if not settled(case, own) & day:
        billed = (billed for episode in case.patient.episodes for billed in episode.billed if billed.is_service)
        against += [b.code for b in billed if b.code in PER_DIEM_CODES and b.from_ <= date <= b.to]
    return [own, *sorted({code for code in against if rule_between(own, code) == rule})]
