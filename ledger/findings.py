"""Contradictions and mistakes worth a human's time (rulebook section 5). A finding never changes a verdict.

Each rule is one generator over the judged episodes of one patient, in the order of ``RULES``. Unless the rulebook says
otherwise there is one finding per rule, patient and date, so a rule yields what it saw and ``_by_date`` gathers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC
from typing import Final, NamedTuple

from ledger.book import GENERAL, PER_DIEM_CODES
from ledger.case import Case
from ledger.claims import ClaimedLine, claimed_lines
from ledger.clash import in_scope, rule_between, settled
from ledger.entry import Entry
from ledger.grounds import causes
from ledger.judged import JudgedDay, judged_days
from ledger.lines import days_between


class Finding(NamedTuple):
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


class Billed(NamedTuple):
    """A code billed for the patient outside the per diem: a service, a drug, or a line of a live claim."""

    code: str
    from_: int
    to: int
    entry: Entry


class PatientFile:
    """The judged episodes of one patient with their days and claims, looked up once for all rules."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = cases
        self.days: dict[str, list[JudgedDay]] = {case.episode.name: judged_days(case) for case in cases}
        self.claimed = {case.episode.name: claimed_lines(case.episode) for case in cases}

    def day(self, case: Case, date: int) -> JudgedDay | None:
        """The judged day of a date, if it lies in the episode's calendar."""
        if case.calendar.first <= date <= case.calendar.last:
            return self.days[case.episode.name][date - case.calendar.first]
        return None

    def others(self, case: Case) -> list[Case]:
        """The patient's other episodes."""
        return [other for other in self.cases if other is not case]

    def because(self, case: Case, day: JudgedDay) -> list[str]:
        """The causes of a day's verdict."""
        return causes(case, self.others(case), day.date, day.verdict.step, day.verdict.reason)

    def per_diem_lines(self, case: Case) -> list[ClaimedLine]:
        """The per-diem lines of the episode's live claims."""
        return [line for line in self.claimed[case.episode.name] if line.is_per_diem]

    def billed_separately(self) -> list[Billed]:
        """What was billed for the patient beside the per diem, in any of the episodes."""
        apart = [Billed(*billed[:4]) for case in self.cases for billed in case.episode.billed]
        lines = [Billed(line.code, line.from_, line.to, line.entry) for ls in self.claimed.values() for line in ls]
        return apart + lines


def _verdict_rule(rule: str) -> Callable[[PatientFile], Iterator[Seen]]:
    def days_with_that_verdict(file: PatientFile) -> Iterator[Seen]:
        """Days in conflict under the rule, with the codes that clash under it."""
        for case in file.cases:
            for verdict, days in case.verdicts:
                if verdict.status == "conflict" and verdict.reason == rule:
                    for date in case.calendar.dates(days):
                        day = file.day(case, date)
                        assert day is not None
                        codes = _candidates(case, date) if verdict.step == 20 else _clashing_codes(file, case, day)
                        yield Seen(case.episode.name, (date,), codes, file.because(case, day), (day.payer,))

    return days_with_that_verdict


def _candidates(case: Case, date: int) -> list[str]:
    day = case.calendar.day(date)
    return [code for code, days in case.candidates.items() if days & day]


def _clashing_codes(file: PatientFile, case: Case, day: JudgedDay) -> list[str]:
    assert day.code is not None
    codes = [day.code]
    here = case.calendar.day(day.date)
    for other in file.others(case):
        codes += [
            exposed.code
            for exposed in other.exposed()
            if exposed.days & other.calendar.day(day.date) and in_scope(case, exposed.payer) & here
        ]
    if not settled(case, day.code) & here:
        billed = (b for other in file.cases for b in other.episode.billed)
        codes += [b.code for b in billed if b.is_service and b.code in PER_DIEM_CODES and b.from_ <= day.date <= b.to]
    return [day.code] + [code for code in codes[1:] if rule_between(day.code, code) == day.verdict.reason]


def _billed_beside(bars: Callable[[Case, JudgedDay, str], bool]) -> Callable[[PatientFile], Iterator[Seen]]:
    def billed_on_billable_days(file: PatientFile) -> Iterator[Seen]:
        """Billable days on which a code was billed separately that the day bars."""
        billed = [b for b in file.billed_separately() if b.code not in PER_DIEM_CODES]
        if not billed:
            return
        for case in file.cases:
            for day in file.days[case.episode.name]:
                if day.is_billable:
                    on_day = [b for b in billed if b.from_ <= day.date <= b.to and bars(case, day, b.code)]
                    if on_day:
                        codes = [str(day.code), *(b.code for b in on_day)]
                        because = [*(b.entry.label for b in on_day), *file.because(case, day)]
                        yield Seen(case.episode.name, (day.date,), codes, because, (day.payer,))

    return billed_on_billable_days


def _of_family(family: str) -> Callable[[Case, JudgedDay, str], bool]:
    return lambda case, day, code: code in case.book.codes and case.book.codes[code].family == family


def _is_bundled(case: Case, day: JudgedDay, code: str) -> bool:
    assert day.terms is not None
    assert day.code is not None
    return code in case.book.codes[day.code].includes and code not in day.terms.bundled_exceptions


def _served_although(reason: str) -> Callable[[PatientFile], Iterator[Seen]]:
    def infused_on_excluded_days(file: PatientFile) -> Iterator[Seen]:
        """Dates with infused evidence whose verdict says that nothing can have been infused at home."""
        for case in file.cases:
            for verdict, days in case.verdicts:
                if verdict.reason == reason:
                    for date in case.calendar.dates(days & case.evidence.any_infused):
                        day = file.day(case, date)
                        assert day is not None
                        evidence = [e.label for o in case.evidence.infused for e in case.evidence.entries_on(o, date)]
                        because = [*evidence, *file.because(case, day)]
                        yield Seen(case.episode.name, (date,), (), because, (day.payer,))

    return infused_on_excluded_days


def mixed_pain_codes(file: PatientFile) -> Iterator[Seen]:
    """One episode, payer and terms edition with billable days of S9325 and others of S9326-S9328."""
    for case in file.cases:
        for regime in case.regimes:
            days = [
                d for d in file.days[case.episode.name] if d.is_billable and case.calendar.day(d.date) & regime.days
            ]
            codes = {str(day.code) for day in days}
            if GENERAL in codes and len(codes) > 1:
                because = [label for day in days for label in file.because(case, day)]
                yield Seen(case.episode.name, tuple(d.date for d in days), codes, because, (regime.payer,))


def claimed_not_billable(file: PatientFile) -> Iterator[Seen]:
    """A date on a live claim's per-diem line that is no billable day with that code and payer."""
    for case in file.cases:
        for line in file.per_diem_lines(case):
            for date in range(line.from_, line.to + 1):
                day = file.day(case, date)
                if day is None or not day.is_billable or (day.code, day.payer) != (line.code, line.payer):
                    because = [line.entry.label, *(file.because(case, day) if day else ())]
                    yield Seen(case.episode.name, (date,), (line.code,), because, (line.payer,))


def billable_not_claimed(file: PatientFile) -> Iterator[Seen]:
    """A billable day on no live line with its code and payer, not after the last date claimed so far."""
    for case in file.cases:
        lines = file.per_diem_lines(case)
        last = max((line.to for line in lines), default=0)
        for day in file.days[case.episode.name]:
            if day.is_billable and day.date <= last and not _is_claimed(day, lines):
                yield Seen(case.episode.name, (day.date,), (str(day.code),), file.because(case, day), (day.payer,))


def _is_claimed(day: JudgedDay, lines: Iterable[ClaimedLine]) -> bool:
    return any(line.from_ <= day.date <= line.to and (line.code, line.payer) == (day.code, day.payer) for line in lines)


def claimed_before_signature(file: PatientFile) -> Iterator[Seen]:
    """A claimed date for which no plan that covers it was signed when the claim was recorded."""
    for case in file.cases:
        for line in file.per_diem_lines(case):
            claimed_on = line.entry.recorded_at.astimezone(UTC).toordinal()
            for date in range(line.from_, line.to + 1):
                day = file.day(case, date)
                if day is None or day.terms is None or "plan" not in day.terms.documentation:
                    continue
                plans = [plan for plan in case.episode.plans if plan.from_ <= date <= plan.to]
                if not any(plan.signed_on <= claimed_on for plan in plans):
                    because = [line.entry.label, *(plan.entry.label for plan in plans)]
                    yield Seen(case.episode.name, (date,), (line.code,), because, (line.payer, day.payer))


def claimed_twice(file: PatientFile) -> Iterator[Seen]:
    """A date on more than one per-diem line of the patient's live claims."""
    on_date: dict[int, list[tuple[Case, ClaimedLine]]] = {}
    for case in file.cases:
        for line in file.per_diem_lines(case):
            for date in range(line.from_, line.to + 1):
                on_date.setdefault(date, []).append((case, line))
    for date, claimed in on_date.items():
        if len(claimed) > 1:
            for case, line in claimed:
                yield Seen(case.episode.name, (date,), (line.code,), (line.entry.label,), (line.payer,))


def claim_units(file: PatientFile) -> Iterator[Seen]:
    """A live per-diem line whose units differ from the days of its span."""
    for case in file.cases:
        for line in file.per_diem_lines(case):
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


def find(file: PatientFile) -> list[Finding]:
    """Every finding of one patient, rule by rule."""
    patient = file.cases[0].patient.name if file.cases else ""
    found: list[Finding] = []
    for rule in RULES:
        seen = list(rule.see(file))
        groups = _by_date(seen) if rule.one_a_date else [[sighting] for sighting in seen]
        found += [_finding(rule, patient, group) for group in groups]
    return found


def _by_date(seen: Iterable[Seen]) -> Iterable[list[Seen]]:
    groups: dict[tuple[int, ...], list[Seen]] = {}
    for sighting in seen:
        groups.setdefault(sighting.dates, []).append(sighting)
    return groups.values()


def _finding(rule: Rule, patient: str, seen: Sequence[Seen]) -> Finding:
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
