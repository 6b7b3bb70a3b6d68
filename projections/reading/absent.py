"""What is expected of a judged episode and absent: service, the billing of what was told, papers that run out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from ledger.book import Terms
from ledger.facts.entry import Entry, statement_of
from ledger.facts.events import DrugDispensed, SupplyDispensed
from ledger.facts.liveness import live_entries
from ledger.judge.case import Case
from ledger.judge.claims import claimed_lines
from ledger.judge.orders import Telling
from projections.reading.open_orders import open_orders
from projections.words import counted

SILENT_DAYS: Final = 7
"""An order in force is silent after so many days without service, beyond the spacing of its doses."""
EPISODE_SILENT_DAYS: Final = 14
BILLED_WITHIN_DAYS: Final = 7
LOOKED_BACK_DAYS: Final = 90
"""A visit or a drug is expected on a bill after so many days, and looked for so many days back; so is the last supply
of an item."""
AHEAD_DAYS: Final = 14
"""Supplies, plans and assessments that run out within so many days are told."""
_SUPPLY: Final = "Dispense the next supply, or record that it was."

AbsentKind = Literal[
    "order_silent", "episode_silent", "visit_not_billed", "drug_not_billed", "supply_ends", "plan_ends", "pain_due"
]


class Absent(NamedTuple):
    """Something of an episode that should be there by a date, or be renewed; dates are ordinals, ``times`` is how often
    it is missing."""

    kind: AbsentKind
    what: str
    since: int | None
    due: int
    times: int
    says: str


def absent_of(case: Case, entries: Sequence[Entry], on: int) -> Iterator[Absent]:
    """What is expected of a judged episode on a date, and absent; its entries hold what is not judged, too."""
    if not case.episode.voided:
        yield from _silence(case, on)
        yield from _not_billed(case, on)
        yield from _ending(case, entries, on)


def payer_on(case: Case, on: int) -> str | None:
    """Who pays on a date: the first in rank whose coverage holds then."""
    covering = [spell for spell in case.spells if spell.from_ <= on <= spell.to]
    return min(covering, key=lambda spell: spell.rank).payer if covering else None


def _silence(case: Case, on: int) -> Iterator[Absent]:
    """Orders in force of which nothing is heard, and open episodes of which nothing at all is."""
    going, silent = list(open_orders(case.episode, on)), False
    for order, telling in going:
        last = _last_service(case, order, on)
        due = (telling.from_ if last is None else last) + _spacing(telling) + SILENT_DAYS
        if due < on:
            silent = True
            since = telling.from_ if last is None else last
            says = f"No service is recorded for {counted(on - since, 'day')}. Record it, or that therapy stopped."
            yield Absent("order_silent", order, since, due, 1, says)
    ended = case.episode.discharges or case.patient.deaths
    heard = _last_word(case, on)
    if not silent and not going and not ended and heard is not None and heard + EPISODE_SILENT_DAYS < on:
        says = f"Nothing is recorded for {counted(on - heard, 'day')}. Record the discharge, or what is missing."
        yield Absent("episode_silent", case.episode.name, heard, heard + EPISODE_SILENT_DAYS, 1, says)


def _spacing(telling: Telling) -> int:
    return -(-telling.interval_hours // 24)


def _last_service(case: Case, order: str, on: int) -> int | None:
    ends = [served.to for served in case.episode.served.get(order, ()) if served.from_ <= on]
    ends += [run.to for run in case.evidence.runs.get(order, ()) if run.from_ <= on]
    return min(max(ends), on) if ends else None


def _last_word(case: Case, on: int) -> int | None:
    episode = case.episode
    said = [dated.date for dated in (*episode.visits, *episode.assessments)]
    said += [last for order in (*episode.served, *episode.runs) if (last := _last_service(case, order, on))]
    said += [fact.date.toordinal() for fact in _drugs(case)]
    said += [telling.to for order in episode.orders for telling in episode.tellings(order)]
    past = [day for day in said if day <= on]
    return max(past) if past else None


def _drugs(case: Case) -> list[DrugDispensed]:
    facts = [statement_of(entry) for entry in case.episode.dispensed]
    return [fact for fact in facts if isinstance(fact, DrugDispensed)]


def _not_billed(case: Case, on: int) -> Iterator[Absent]:
    """Visits and drugs that were told and are on no bill of the episode."""
    first, last = on - LOOKED_BACK_DAYS, on - BILLED_WITHIN_DAYS
    visits = sorted({visit.date for visit in case.episode.visits if first <= visit.date <= last})
    left = [day for day in visits if not _is_billed(case, "nursing", day, day)]
    if left:
        says = f"{counted(len(left), 'visit')} on no bill. Bill the code of the visit, or record what was billed."
        yield Absent("visit_not_billed", "visits", left[0], left[0] + BILLED_WITHIN_DAYS, len(left), says)
    drugs = sorted({fact.date.toordinal() for fact in _drugs(case) if first <= fact.date.toordinal() <= last})
    left = [day for day in drugs if not _is_billed(case, "drug", day, day + LOOKED_BACK_DAYS)]
    if left:
        says = f"{counted(len(left), 'dispensing')} on no bill. Bill the drug, or record what was billed."
        yield Absent("drug_not_billed", "drugs", left[0], left[0] + BILLED_WITHIN_DAYS, len(left), says)


def _is_billed(case: Case, family: str, first: int, last: int) -> bool:
    """Whether anything of a kind of code is billed on any of these dates, apart or on a live claim."""
    billed = [(one.code, one.is_service, one.from_, one.to) for one in case.episode.billed]
    billed += [(line.code, True, line.from_, line.to) for line in claimed_lines(case.episode) if not line.is_per_diem]
    return any(
        from_ <= last and first <= to and _is_of(case, code, is_service, family)
        for code, is_service, from_, to in billed
    )


def _is_of(case: Case, code: str, is_service: bool, family: str) -> bool:
    if not is_service:
        return family == "drug"
    known = case.book.codes.get(code)
    if known is not None:
        return known.family == family
    return family == ("drug" if code[0] in "JQ" else "nursing")


def _ending(case: Case, entries: Sequence[Entry], on: int) -> Iterator[Absent]:
    """Supplies, plans and assessments of an episode with an open order that have run out, or do so next."""
    if not any(open_orders(case.episode, on)):
        return
    supplied = [(fact.date.toordinal(), fact.days_supply) for fact in _drugs(case)]
    ends = [day + days - 1 for day, days in supplied if isinstance(days, int) and day <= on]
    yield from _next("supply_ends", "drug", ends, on, _SUPPLY)
    for item, ends in sorted(_supplies(entries, on).items()):
        if max(ends) >= on - LOOKED_BACK_DAYS:
            yield from _next("supply_ends", item, ends, on, _SUPPLY)
    terms = _terms_on(case, on)
    wanted = terms.documentation if terms else ("plan", "pain_assessment")
    if "plan" in wanted:
        plans = [plan.last_date(terms.plan_max_days if terms else None) for plan in case.episode.plans]
        yield from _next("plan_ends", "plan", plans, on, "Have the next plan of treatment signed.")
    if "pain_assessment" in wanted and terms:
        due = [assessed.date + terms.pain_assessment_days for assessed in case.episode.assessments]
        yield from _next("pain_due", "pain", [day for day in due if day < on + SILENT_DAYS], on, "Assess the pain.")


def _supplies(entries: Sequence[Entry], on: int) -> dict[str, list[int]]:
    """The last dates for which each item was supplied; how long one lasts of which no days are told, nobody knows."""
    found: dict[str, list[int]] = {}
    for fact in (live.fact for live in live_entries(entries)):
        if isinstance(fact, SupplyDispensed) and isinstance(fact.days_supply, int) and fact.date.toordinal() <= on:
            found.setdefault(fact.item, []).append(fact.date.toordinal() + fact.days_supply - 1)
    return found


def _next(kind: AbsentKind, what: str, ends: list[int], on: int, says: str) -> Iterator[Absent]:
    if ends and max(ends) <= on + AHEAD_DAYS:
        yield Absent(kind, what, None, max(ends), 1, says)


def _terms_on(case: Case, on: int) -> Terms | None:
    payer = payer_on(case, on)
    return None if payer is None else case.book.terms_on(payer, date.fromordinal(on))
