"""Contradictions and mistakes worth a human's time (rulebook section 5). A finding never changes a verdict.

Each rule is one generator over the judged episodes of one patient, in the order of ``RULES``. Unless the rulebook says
otherwise there is one finding per rule, patient and date, so a rule yields what it saw and ``_by_date`` gathers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC
from typing import Final, NamedTuple

from msgspec import Struct

from ledger.book import GENERAL, PER_DIEM_CODES, Book, Terms
from ledger.day_set import Days
from ledger.facts.entry import Entry
from ledger.judge.case import Case, Region
from ledger.judge.causes import causes_by_date
from ledger.judge.claims import claimed_lines
from ledger.judge.clash import in_scope, rule_between, settled
from ledger.judge.lines import days_between
from ledger.judge.regions import regions
from ledger.judge.rule import Verdict


class Finding(Struct, frozen=True, gc=False):
    """One contradiction: lists are sorted, without repeats; dates are ordinals."""

    rule: str
    level: str
    patient: str
    episodes: tuple[str, ...]
    dates: tuple[int, ...]
    codes: tuple[str, ...]
    because: tuple[str, ...]
    payers: tuple[str, ...]


class Seen(NamedTuple):
    """What a rule saw in one episode: on which dates, with which codes, because of which entries."""

    episode: str
    dates: tuple[int, ...]
    codes: Iterable[str]
    because: Iterable[str]
    payers: Iterable[str | None] = ()


class Billed(Struct, frozen=True, gc=False):
    """A code billed for the patient outside the per diem: a service, a drug, or a line of a live claim."""

    code: str
    from_: int
    to: int
    entry: Entry


class PatientFile:
    """The judged episodes of one patient with their billable days and claims, looked up once for all rules."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = cases
        self.others = {case.episode.name: [other for other in cases if other is not case] for case in cases}
        self.billable: dict[str, list[Region]] = {
            case.episode.name: [region for region in regions(case) if region.is_billable] for case in cases
        }
        self.claimed = {case.episode.name: claimed_lines(case.episode) for case in cases}
        self.per_diem = {
            name: [line for line in lines if line.code in PER_DIEM_CODES] for name, lines in self.claimed.items()
        }
        self.apart = self._billed_separately()
        self.taken = self._by_reason()

    def because(self, case: Case, date: int) -> list[str]:
        """The causes of a date's verdict; none outside the calendar."""
        return causes_by_date(case, self.others[case.episode.name]).get(date, [])

    def billable_as(self, case: Case) -> dict[tuple[str, str], Days]:
        """The episode's billable days by code and payer."""
        days: dict[tuple[str, str], Days] = {}
        for region in self.billable[case.episode.name]:
            key = str(region.code), str(region.payer)
            days[key] = days.get(key, 0) | region.days
        return days

    def _by_reason(self) -> dict[str | None, list[tuple[Case, Verdict, Days]]]:
        """The days that are not billable, by the reason of their verdict."""
        taken: dict[str | None, list[tuple[Case, Verdict, Days]]] = {}
        for case in self.cases:
            for verdict, days in case.verdicts:
                taken.setdefault(verdict.reason, []).append((case, verdict, days))
        return taken

    def _billed_separately(self) -> list[Billed]:
        """What was billed for the patient beside the per diem, in any of the episodes."""
        apart = [
            Billed(billed.code, billed.from_, billed.to, billed.entry)
            for case in self.cases
            for billed in case.episode.billed
            if billed.code not in PER_DIEM_CODES
        ]
        return apart + [
            Billed(line.code, line.from_, line.to, line.entry)
            for lines in self.claimed.values()
            for line in lines
            if line.code not in PER_DIEM_CODES
        ]


def _verdict_rule(rule: str) -> Callable[[PatientFile], Iterator[Seen]]:
    def days_with_that_verdict(file: PatientFile) -> Iterator[Seen]:
        """Days in conflict under the rule, with the codes that clash under it."""
        for case, verdict, days in file.taken.get(rule, ()):
            for date in case.calendar.dates(days):
                codes = _clashing(file, case, date, rule) if verdict.names_code else _candidates(case, date)
                payer = [payer for payer, paid in case.payers.items() if paid & case.calendar.day(date)]
                yield Seen(case.episode.name, (date,), codes, file.because(case, date), payer)

    return days_with_that_verdict


def _candidates(case: Case, date: int) -> list[str]:
    day = case.calendar.day(date)
    return [code for code, days in case.candidates.items() if days & day]


def _clashing(file: PatientFile, case: Case, date: int, rule: str) -> list[str]:
    here = case.calendar.day(date)
    own = next(code for code, days in case.codes.items() if days & here)
    codes = [
        exposed.code
        for other in file.others[case.episode.name]
        for exposed in other.exposed()
        if exposed.days & other.calendar.day(date) and in_scope(case, exposed.payer) & here
    ]
    if not settled(case, own) & here:
        billed = (b for other in file.cases for b in other.episode.billed)
        codes += [b.code for b in billed if b.is_service and b.code in PER_DIEM_CODES and b.from_ <= date <= b.to]
    return [own] + [code for code in codes if rule_between(own, code) == rule]


Bars = Callable[[Book, Terms, str, str], bool]
"""(book, the day's terms, the day's code, another code) -> whether the other must not be billed beside the day."""


def _billed_beside(bars: Bars) -> Callable[[PatientFile], Iterator[Seen]]:
    def billed_on_billable_days(file: PatientFile) -> Iterator[Seen]:
        """Billable days on which a code was billed separately that the day bars."""
        for case in file.cases if file.apart else ():
            for region in file.billable[case.episode.name]:
                yield from _barred(file, case, region, bars)

    return billed_on_billable_days


def _barred(file: PatientFile, case: Case, region: Region, bars: Bars) -> Iterator[Seen]:
    own, terms = region.code, region.terms
    assert own is not None
    assert terms is not None
    barred = [billed for billed in file.apart if bars(case.book, terms, own, billed.code)]
    if not barred:
        return
    hit = region.days & case.spans((billed.from_, billed.to) for billed in barred)
    for date in case.calendar.dates(hit):
        beside = [billed for billed in barred if billed.from_ <= date <= billed.to]
        because = [*(billed.entry.label for billed in beside), *file.because(case, date)]
        yield Seen(case.episode.name, (date,), [own, *(billed.code for billed in beside)], because, (region.payer,))


def _of_family(family: str) -> Bars:
    return lambda book, terms, own, code: code in book.codes and book.codes[code].family == family


def _is_bundled(book: Book, terms: Terms, own: str, code: str) -> bool:
    return code in book.codes[own].includes and code not in terms.bundled_exceptions


def _served_although(reason: str) -> Callable[[PatientFile], Iterator[Seen]]:
    def infused_on_excluded_days(file: PatientFile) -> Iterator[Seen]:
        """Dates with infused evidence whose verdict says that nothing can have been infused at home."""
        for case, verdict, days in file.taken.get(reason, ()):
            for date in case.calendar.dates(days & case.evidence.any_infused):
                yield _served_on(file, case, date, verdict)

    return infused_on_excluded_days


def _served_on(file: PatientFile, case: Case, date: int, verdict: Verdict) -> Seen:
    evidence = [entry.label for order in case.evidence.infused for entry in case.evidence.entries_on(order, date)]
    named = case.payers.items() if verdict.names_payer else ()
    payer = [payer for payer, days in named if days & case.calendar.day(date)]
    return Seen(case.episode.name, (date,), (), [*evidence, *file.because(case, date)], payer)


def mixed_pain_codes(file: PatientFile) -> Iterator[Seen]:
    """One episode, payer and terms edition with billable days of S9325 and others of S9326-S9328."""
    for case in file.cases:
        for regime in case.regimes if len(file.billable[case.episode.name]) > 1 else ():
            own = [region for region in file.billable[case.episode.name] if region.payer == regime.payer]
            billed = [region for region in own if region.terms is regime.terms]
            codes = {str(region.code) for region in billed}
            if GENERAL in codes and len(codes) > 1:
                dates = sorted(date for region in billed for date in case.calendar.dates(region.days))
                because = [label for date in dates for label in file.because(case, date)]
                yield Seen(case.episode.name, tuple(dates), codes, because, (regime.payer,))


def claimed_not_billable(file: PatientFile) -> Iterator[Seen]:
    """A date on a live claim's per-diem line that is no billable day with that code and payer."""
    for case in file.cases:
        billable, calendar = file.billable_as(case), case.calendar
        for line in file.per_diem[case.episode.name]:
            wrong = calendar.span(line.from_, line.to) & ~billable.get((line.code, line.payer), 0)
            if wrong or line.from_ < calendar.first or line.to > calendar.last:
                outside = [*range(line.from_, min(line.to + 1, calendar.first))]
                outside += [*range(max(line.from_, calendar.last + 1), line.to + 1)]
                for date in [*calendar.dates(wrong), *outside]:
                    because = [line.entry.label, *file.because(case, date)]
                    yield Seen(case.episode.name, (date,), (line.code,), because, (line.payer,))


def billable_not_claimed(file: PatientFile) -> Iterator[Seen]:
    """A billable day on no live line with its code and payer, not after the last date claimed so far."""
    for case in file.cases:
        lines = file.per_diem[case.episode.name]
        last = max((line.to for line in lines), default=0)
        reached = case.calendar.span(0, last)
        for region in file.billable[case.episode.name] if lines else ():
            own = [line for line in lines if line.code == region.code and line.payer == region.payer]
            claimed = case.spans([(line.from_, line.to) for line in own])
            for date in case.calendar.dates(region.days & reached & ~claimed):
                because = file.because(case, date)
                yield Seen(case.episode.name, (date,), (str(region.code),), because, (region.payer,))


def claimed_before_signature(file: PatientFile) -> Iterator[Seen]:
    """A claimed date for which no plan that covers it was signed when the claim was recorded."""
    for case in file.cases:
        signed_by: dict[int, Days] = {}
        for line in file.per_diem[case.episode.name]:
            claimed_on = line.entry.recorded_at.astimezone(UTC).toordinal()
            if claimed_on not in signed_by:
                plans = [plan for plan in case.episode.plans if plan.signed_on <= claimed_on]
                signed_by[claimed_on] = case.spans([(plan.from_, plan.to) for plan in plans])
            span = case.calendar.span(line.from_, line.to) & ~signed_by[claimed_on]
            for payer, days in _asking_for_plans(case) if span else ():
                for date in case.calendar.dates(span & days):
                    covering = [plan.entry.label for plan in case.episode.plans if plan.from_ <= date <= plan.to]
                    yield Seen(
                        case.episode.name, (date,), (line.code,), [line.entry.label, *covering], (line.payer, payer)
                    )


def _asking_for_plans(case: Case) -> Iterator[tuple[str, Days]]:
    """The days whose verdict names terms that list ``plan``, by payer."""
    before = 0
    for verdict, days in case.verdicts:
        if not verdict.names_terms:
            before |= days
    for regime in case.regimes:
        if "plan" in regime.terms.documentation:
            yield regime.payer, regime.days & ~before


def claimed_twice(file: PatientFile) -> Iterator[Seen]:
    """A date on more than one per-diem line of the patient's live claims."""
    reached, twice = 0, set[int]()
    for from_, to in sorted([(line.from_, line.to) for lines in file.per_diem.values() for line in lines]):
        if from_ <= reached:
            twice.update(range(from_, min(reached, to) + 1))
        reached = max(reached, to)
    claimed = [(line, name) for name, lines in file.per_diem.items() for line in lines] if twice else []
    for line, name in sorted(claimed, key=lambda pair: (pair[0].from_, pair[0].to)):
        for date in range(line.from_, line.to + 1):
            if date in twice:
                yield Seen(name, (date,), (line.code,), (line.entry.label,), (line.payer,))


def claim_units(file: PatientFile) -> Iterator[Seen]:
    """A live per-diem line whose units differ from the days of its span."""
    for case in file.cases:
        for line in file.per_diem[case.episode.name]:
            if line.units != days_between(line.from_, line.to):
                dates = tuple(range(line.from_, line.to + 1))
                yield Seen(case.episode.name, dates, (line.code,), (line.entry.label,), (line.payer,))


class Rule(NamedTuple):
    """A finding rule: its name, its level, what it sees, and whether sightings of one date are one finding."""

    name: str
    level: str
    see: Callable[[PatientFile], Iterator[Seen]]
    one_a_date: bool = True


RULES: Final[tuple[Rule, ...]] = (
    Rule("pain_code_exclusion", "hard", _verdict_rule("pain_code_exclusion")),
    Rule("duplicate_per_diem", "hard", _verdict_rule("duplicate_per_diem")),
    Rule("specific_pair", "soft", _verdict_rule("specific_pair")),
    Rule("catheter_care_with_per_diem", "hard", _billed_beside(_of_family("catheter_care"))),
    Rule("pharmacy_hours_with_per_diem", "hard", _billed_beside(_of_family("pharmacy_hours"))),
    Rule("bundled_item_billed", "hard", _billed_beside(_is_bundled)),
    Rule("served_after_death", "hard", _served_although("after_death")),
    Rule("served_after_discharge", "hard", _served_although("after_discharge")),
    Rule("served_while_inpatient", "hard", _served_although("inpatient")),
    Rule("mixed_pain_codes", "soft", mixed_pain_codes, one_a_date=False),
    Rule("claimed_not_billable", "hard", claimed_not_billable),
    Rule("billable_not_claimed", "soft", billable_not_claimed),
    Rule("claimed_before_signature", "hard", claimed_before_signature),
    Rule("claimed_twice", "hard", claimed_twice),
    Rule("claim_units", "hard", claim_units, one_a_date=False),
)


def find(cases: Sequence[Case]) -> list[Finding]:
    """Every finding of one patient's judged episodes, rule by rule."""
    file = PatientFile(cases)
    found: list[Finding] = []
    for rule in RULES:
        seen = list(rule.see(file))
        if seen:
            groups = _by_date(seen) if rule.one_a_date else [[sighting] for sighting in seen]
            found += [_finding(rule, cases[0].patient.name, group) for group in groups]
    return found


def _by_date(seen: Iterable[Seen]) -> Iterable[list[Seen]]:
    groups: dict[tuple[int, ...], list[Seen]] = {}
    for sighting in seen:
        groups.setdefault(sighting.dates, []).append(sighting)
    return groups.values()


def _finding(rule: Rule, patient: str, seen: Sequence[Seen]) -> Finding:
    if len(seen) == 1:  # most
        (one,) = seen
        return Finding(
            rule.name,
            rule.level,
            patient,
            (one.episode,),
            one.dates,
            tuple(sorted({*one.codes})),
            tuple(sorted({*one.because})),
            tuple(sorted({payer for payer in one.payers if payer})),
        )
    return Finding(
        rule.name,
        rule.level,
        patient,
        tuple(sorted({sighting.episode for sighting in seen})),
        seen[0].dates,
        tuple(sorted({code for sighting in seen for code in sighting.codes})),
        tuple(sorted({label for sighting in seen for label in sighting.because})),
        tuple(sorted({payer for sighting in seen for payer in sighting.payers if payer})),
    )
