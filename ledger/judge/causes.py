"""The causes of a verdict: the entries that decided it (rulebook section 4: every verdict names its causes).

For each step, the entries it rests on for one date, the one that decided first. A verdict's causes are those of the
step that gave it; a billable day's are the evidence that it was served. What nobody recorded has no causes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ledger.book import PER_DIEM_CODES
from ledger.day_set import Days
from ledger.facts.entry import Entry
from ledger.judge.authorizations import covering_authorizations
from ledger.judge.case import Case, Others, Region
from ledger.judge.clash import in_scope, rule_between, settled
from ledger.judge.episode import Dated
from ledger.judge.evidence import Labels, union
from ledger.judge.pricing import place_entries, provider_entries, rank_entries
from ledger.judge.regions import regions
from ledger.judge.rule import Causes, Verdict
from ledger.judge.taken_back import may_have_served, takers


def causes(case: Case, others: Others, date: int, verdict: Verdict) -> Labels:
    """The labels of the entries that decided a day's verdict, the decisive ones first; no repeats."""
    found = deciding(case, others, date, verdict)
    if len(found) == 1:
        return (found[0].label,)
    return tuple(dict.fromkeys([entry.label for entry in found]))


def deciding(case: Case, others: Others, date: int, verdict: Verdict) -> Sequence[Entry]:
    """The entries that decided a day's verdict: what it rests on, then what took away that which would have carried
    the day."""
    found = verdict.step.causes(case, date, others)
    return [*found, *takers(case, date, verdict)] if _asks_for_taken(case, verdict) else found


def _asks_for_taken(case: Case, verdict: Verdict) -> bool:
    """Whether a fact of a kind that the verdict's step asks for was taken back."""
    kinds = case.patient.taken_kinds
    return bool(kinds) and not kinds.isdisjoint(verdict.step.carried)


def causes_by_date(case: Case, others: Others) -> dict[int, Labels]:
    """The causes of every date of a judged episode, looked up once."""
    if not case.causes:
        for region in regions(case):
            verdict, rest = region.verdict, region.days
            if verdict.is_billable:
                for order, alone in _of_one_order(case, rest):
                    case.causes.update(_serving(case, region, order, alone))
                    rest &= ~alone
            elif verdict.step.causes is unserved:
                empty = _without_a_trace(case, region)
                case.causes.update(dict.fromkeys(case.calendar.dates(empty), ()))
                rest &= ~empty
            days = case.calendar.dates(rest)
            if days and _is_alike(case, verdict):
                case.causes.update(dict.fromkeys(days, causes(case, others, days[0], verdict)))
            else:
                case.causes.update({day: causes(case, others, day, verdict) for day in days})
    return case.causes


def _of_one_order(case: Case, days: Days) -> Iterator[tuple[str, Days]]:
    """The dates behind which one order stands and no other, by this order."""
    for order, behind in case.remaining.items():
        alone = behind & days
        for other, beside in case.remaining.items() if len(case.remaining) > 1 else ():
            if other != order:
                alone &= ~beside
        if alone:
            yield order, alone


def _without_a_trace(case: Case, region: Region) -> Days:
    """The dates of a region that were not served, and of which ``unserved`` and ``takers`` find nothing: most of
    these."""
    assert region.terms is not None, "a step after that of the terms"
    traces = union(case.evidence.recorded)
    if region.terms.day_counting == "access":
        traces |= union(case.evidence.access(cut=False))
    if _asks_for_taken(case, region.verdict):
        traces |= may_have_served(case, region.terms)
    return region.days & ~traces


def _is_alike(case: Case, verdict: Verdict) -> bool:
    """Whether the causes of a verdict are the same on every date it takes."""
    found = verdict.step.causes
    if _asks_for_taken(case, verdict):
        return found is discharges
    if found is place:
        return not case.episode.places
    if found is coverage:
        return not any(spell.cuts for spell in case.spells)
    alike = len(case.spells) == 1 and not (found is provider_and_payer and case.episode.providers)
    return found in ALIKE or (found in ALIKE_UNDER_ONE_COVERAGE and alike)


def _serving(case: Case, region: Region, order: str, days: Days) -> dict[int, Labels]:
    """What ``causes`` says of billable dates behind which one order stands: most dates there are."""
    labels, dates = case.evidence.labels_by_date(order), case.calendar.dates(days)
    found = dict(zip(dates, map(labels.get, dates), strict=True))
    by_visit = region.terms is not None and region.terms.day_counting == "infused_or_nursing"
    for date in case.calendar.dates(days & ~case.evidence.recorded.get(order, 0)):
        if by_visit:
            found[date] = causes(case, (), date, region.verdict)
        else:  # access reaches here from the last recorded date
            on = date - 1
            while on not in labels:
                on -= 1
            found[date] = labels[on]
    return found  # type: ignore[return-value]  # what was not recorded has been filled in


def by_label(entries: Iterable[Entry]) -> list[Entry]:
    """Entries in an order that does not depend on their arrival."""
    found = list(entries)
    if len(found) > 1:
        found.sort(key=lambda entry: (entry.label, entry.episode))
    return found


def _earliest(ended: Iterable[Dated], date: int) -> list[Entry]:
    first = min((end.date for end in ended), default=date)
    return by_label(end.entry for end in ended if end.date == first < date)


def deaths(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The earliest death, if the date is after it."""
    return _earliest(case.patient.deaths, date)


def discharges(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The earliest discharge, if the date is after it."""
    return _earliest(case.episode.discharges, date)


def nothing(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """What nobody recorded."""
    return []


def coverage(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The coverage ends that cut the date off; then every spell, none of which covers it."""
    cuts = [cut for spell in case.spells if spell.from_ <= date <= spell.verified_to for cut in spell.cuts]
    return by_label(cuts) + by_label(spell.entry for spell in case.spells)


def covering_spells(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The coverage that covers the date, in the order of ranks."""
    return [spell.entry for spell in case.spells if spell.from_ <= date <= spell.to]


def payer_of_day(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The coverage that gives the payer of the day."""
    day = case.calendar.day(date)
    payers = {payer for payer, days in case.payers.items() if days & day}
    return [s.entry for s in case.spells if s.payer in payers and s.from_ <= date <= s.to][:1]


def place(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """What names the place of service of the day."""
    return place_entries(case.episode, date)


def provider_and_payer(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """What names the provider of the day; then the coverage that gives its payer."""
    return provider_entries(case.episode, date) + payer_of_day(case, date)


def stays(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The admissions of the stays that take the date."""
    regime, day = case.regime_on(date), case.calendar.day(date)
    if regime is None:
        return []
    return by_label(e for days, stay in case.stays(regime.terms.inpatient_rule) if days & day for e in stay.admissions)


def facility_stays(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The facility stays that cover the date."""
    return by_label(stay.entry for stay in case.patient.facility if stay.from_ <= date <= stay.to)


def hospice_elections(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The hospice elections that cover the date."""
    return by_label(elected.entry for elected in case.patient.hospice if elected.from_ <= date <= elected.to)


def holds(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The holds that cover the date."""
    day = case.calendar.day(date)
    return by_label(entry for days, begins in case.held() if days & day for entry in begins)


def unserved(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """What was recorded for the date and did not serve; or the stop that ended access to it."""
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
    return stops or order_entries(case, [order], date)


def order_entries(case: Case, orders: Iterable[str], date: int) -> list[Entry]:
    """For each of these orders, the telling that counts on the date; where none does, all of them."""
    day, found = case.calendar.day(date), []
    for order in orders:
        if order in case.evidence.orders:
            known = case.evidence.orders[order]
            counts = known.telling_on(day)
            found += [counts.entry] if counts else [telling.entry for telling, _ in known.tellings]
    return by_label(found)


def orders_serving(case: Case, date: int) -> list[str]:
    """The orders that something recorded serves the date under, in force or not."""
    day = case.calendar.day(date)
    return [order for order, days in case.served.items() if days & day]


def remaining_orders(case: Case, date: int) -> list[str]:
    """The orders that stand behind the date: served, in force, and not dropped since."""
    place = date - case.calendar.first
    return [order for order, days in case.remaining.items() if days >> place & 1]


def evidence_for(case: Case, orders: Sequence[str], date: int) -> list[Entry]:
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


def served_on(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The evidence of the orders that stand behind the date."""
    return evidence_for(case, remaining_orders(case, date), date)


def without_order(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The evidence, then what ended its orders (or the orders not yet begun)."""
    orders = orders_serving(case, date)
    ended = [entry for order in orders for entry in _ending(case, order, date)]
    return (evidence_for(case, orders, date) or visits_on(case, date)) + by_label(ended)


def too_long(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The orders in force that are behind the evidence, then the evidence."""
    orders = [o for o in orders_serving(case, date) if case.evidence.in_force(o) & case.calendar.day(date)]
    return order_entries(case, orders, date) + evidence_for(case, orders, date)


def unsigned_orders(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The orders in force that are behind the evidence, none of them signed; then the evidence."""
    return too_long(case, date)


def diagnoses_on(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The diagnoses in force."""
    return by_label(found.entry for found in case.episode.diagnoses if found.from_ <= date <= found.to)


def plans_on(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The plans that cover the date."""
    return by_label(plan.entry for plan in case.episode.plans if plan.from_ <= date <= plan.to)


def last_assessment(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The last pain assessment on or before the date."""
    before = [assessed for assessed in case.episode.assessments if assessed.date <= date]
    last = max((assessed.date for assessed in before), default=0)
    return by_label(assessed.entry for assessed in before if assessed.date == last)


def decision(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The decision for the date that counts."""
    decided = case.episode.resolutions.get(date)
    return [decided[0]] if decided else []


def orders_and_evidence(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The remaining orders and what serves the date under them."""
    orders = remaining_orders(case, date)
    found = [e for order in sorted(orders) for e in evidence_for(case, [order], date)]
    return order_entries(case, orders, date) + by_label(found)


def clashing(case: Case, date: int, others: Others) -> list[Entry]:
    """What stands against the day, first what breaks its verdict's rule, and the day's own orders and evidence; each
    with the decision that settled its code. A decision that sets services aside settled what stands against the day,
    too."""
    verdict = case.verdict_on(date)
    rule = verdict.reason if verdict else None
    day = case.calendar.day(date)
    code = next((code for code, days in case.codes.items() if days & day), "")
    services = [
        billed
        for episode in case.patient.episodes
        for billed in episode.billed
        if billed.is_service and billed.code in PER_DIEM_CODES and billed.from_ <= date <= billed.to
    ]
    own = orders_and_evidence(case, date)
    breaking, beside = _exposed_against(case, code, others, date, rule)
    if settled(case, code) & day:
        return breaking + own + beside + (decision(case, date) if services else settling(case, date))
    by_rule = [
        by_label(each.entry for each in services if (rule_between(code, each.code) == rule) is breaks)
        for breaks in (True, False)
    ]
    return by_rule[0] + breaking + own + by_rule[1] + beside


def _exposed_against(
    case: Case, code: str, others: Others, date: int, rule: str | None
) -> tuple[list[Entry], list[Entry]]:
    """What the patient's other episodes hold against a day: by codes that break the rule, and by others."""
    breaking: list[Entry] = []
    beside: list[Entry] = []
    for other in others:
        day = other.calendar.day(date)
        counting = [
            exposed.code
            for exposed in other.exposed()
            if exposed.days & day and in_scope(case, exposed.payer) & case.calendar.day(date)
        ]
        if counting:
            entries = orders_and_evidence(other, date) + settling(other, date)
            (breaking if any(rule_between(code, each) == rule for each in counting) else beside).extend(entries)
    return breaking, beside


def settling(case: Case, date: int) -> list[Entry]:
    """The decision that made one of the date's several codes the code of the day."""
    day = case.calendar.day(date)
    several = sum(bool(days & day) for days in case.candidates.values()) > 1
    is_settled = several and any(days & day for days in case.codes.values())
    return decision(case, date) if is_settled else []


def authorizations_on(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """The authorization the day drew from, else those that cover it and are used up."""
    grants = [case.drawn[date]] if date in case.drawn else covering_authorizations(case, date)
    return [grant.entry for grant in grants]


def orders_and_rank(case: Case, date: int, others: Others = ()) -> list[Entry]:
    """What ranks the therapy on the date, if its rank pays nothing; then the orders behind the date."""
    verdict = case.verdict_on(date)
    ranks = rank_entries(case.episode, date) if verdict and verdict.reason == "concurrent_unpaid" else []
    return ranks + order_entries(case, remaining_orders(case, date), date)


ALIKE: Final[frozenset[Causes]] = frozenset({deaths, discharges, nothing})
"""What is the same on every date that a step takes."""
ALIKE_UNDER_ONE_COVERAGE: Final[frozenset[Causes]] = frozenset({covering_spells, payer_of_day, provider_and_payer})
"""Likewise, where the episode has one spell of coverage only."""
