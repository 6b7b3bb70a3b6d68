"""Findings on claims: what left, held against the days as they are known now (rulebook section 5)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, groupby
from operator import itemgetter

from ledger.day_set import Days
from ledger.facts.events import ClaimSubmitted
from ledger.judge.answers import OwnNumbers
from ledger.judge.case import Case, Regime
from ledger.judge.claims import Claim, ClaimedLine, replaces
from ledger.judge.lines import days_between
from ledger.judge.rule import Verdict
from ledger.judge.sightings import PatientFile, Seen


def claimed_not_billable(file: PatientFile) -> Iterator[Seen]:
    """A date on a live claim's per-diem line that is no billable day with that code and payer."""
    for case in file.cases:
        billable, calendar = file.billable_as(case), case.calendar
        wrong = {key: days & ~billable.get(key, 0) for key, days in file.claimed_as(case).items()}
        for line in file.per_diem[case.episode.name]:
            days = wrong[line.code, line.payer]
            if days or line.from_ < calendar.first or line.to > calendar.last:
                label, claim = line.entry.label, ("claim", line.claim)
                for dates, causes, now in _not_billable(file, case, line, days & calendar.span(line.from_, line.to)):
                    about = claim, ("now", now)
                    yield Seen((case.episode.name,), dates, (line.code,), [label, *causes], (line.payer,), about)


def _not_billable(
    file: PatientFile, case: Case, line: ClaimedLine, wrong: Days
) -> Iterator[tuple[Sequence[int], Sequence[str], str]]:
    """The dates of a line that are not billable as claimed, those alike together, with the causes and what they are
    now: their verdict; of a billable one code and payer; empty for no day of the episode."""
    calendar, because_of = case.calendar, file.causes(case).__getitem__
    for verdict, days in case.verdicts:
        for now, dates in _as_they_are(file, case, verdict, wrong & days) if wrong & days else ():
            for first, last in calendar.runs(dates):
                for causes, alike in groupby(range(first, last + 1), key=because_of):
                    on = [*alike]
                    yield range(on[0], on[-1] + 1), causes, now
    if line.from_ < calendar.first:
        yield range(line.from_, min(line.to + 1, calendar.first)), (), ""
    if line.to > calendar.last:
        yield range(max(line.from_, calendar.last + 1), line.to + 1), (), ""


def _as_they_are(file: PatientFile, case: Case, verdict: Verdict, days: Days) -> Iterable[tuple[str, Days]]:
    """Days of a verdict by what they are."""
    if not verdict.is_billable:
        return [(verdict.words, days)]
    billable = ((f"billable {code} {payer}", part) for (code, payer), part in file.billable_as(case).items())
    return [(now, part & days) for now, part in billable if part & days]


def _of(line: ClaimedLine) -> tuple[tuple[str, str], ...]:
    return (("claim", line.claim),)


def billable_not_claimed(file: PatientFile) -> Iterator[Seen]:
    """A billable day on no live line with its code and payer, not after the last date claimed so far."""
    for case in file.cases:
        claimed = file.claimed_as(case)
        reached = case.calendar.span(0, max([line.to for line in file.per_diem[case.episode.name]], default=0))
        for region in file.billable[case.episode.name] if reached else ():
            own = claimed.get((str(region.code), str(region.payer)), 0)
            for date in case.calendar.dates(region.days & reached & ~own):
                because = file.because(case, date)
                yield Seen((case.episode.name,), (date,), (str(region.code),), because, (region.payer,))


def claimed_before_signature(file: PatientFile) -> Iterator[Seen]:
    """A claimed date for which, when the claim left, no plan that covers it, or no order in force on it, was signed."""
    for case in file.cases:
        lines, last = file.per_diem[case.episode.name], _last_signature(case)
        for signed_by, together in _by_signing(lines, last) if lines else ():
            for regime, days in _with_terms(case, beyond_signatures=signed_by < last):
                unplanned, unordered = (by(case, regime, signed_by) & days for by in (_unplanned, _unordered))
                for line in together if unplanned | unordered else ():
                    yield from _unsigned(case, line, regime, unplanned, unordered)


def _by_signing(lines: Sequence[ClaimedLine], last: int) -> Iterable[tuple[int, Sequence[ClaimedLine]]]:
    """The lines by the date up to which signatures count for them: for most, all there are."""
    early = {line.claimed_on for line in lines if line.claimed_on < last}
    if not early:
        return [(last, lines)]
    groups = [(by, [line for line in lines if line.claimed_on == by]) for by in early]
    return [*groups, (last, [line for line in lines if line.claimed_on >= last])]


def _last_signature(case: Case) -> int:
    """When the last plan or order was signed."""
    signed = [plan.signed_on for plan in case.episode.plans]
    signed += [telling.signed_on or 0 for order in case.evidence.orders.values() for telling, _ in order.tellings]
    return max(signed, default=0)


def _unsigned(case: Case, line: ClaimedLine, regime: Regime, unplanned: Days, unordered: Days) -> Iterator[Seen]:
    """The dates of a line without a signed plan, or without a signed order."""
    for date in case.calendar.dates(case.calendar.span(line.from_, line.to) & (unplanned | unordered)):
        day = case.calendar.day(date)
        plans = _plans(case, date) if unplanned & day else ()
        because = [line.entry.label, *plans, *(_orders(case, day) if unordered & day else ())]
        yield Seen((case.episode.name,), (date,), (line.code,), because, (line.payer, regime.payer), _of(line))


def _with_terms(case: Case, *, beyond_signatures: bool) -> Iterator[tuple[Regime, Days]]:
    """The days whose verdict names terms, by these; those with a code, for which all that had to be signed is signed
    today, only if asked for."""
    asked = 0
    for verdict, days in case.verdicts:
        if verdict.names_terms and (beyond_signatures or not verdict.names_code):
            asked |= days
    return ((regime, asked & regime.days) for regime in case.regimes if asked & regime.days)


def _unplanned(case: Case, regime: Regime, signed_by: int) -> Days:
    """The dates that no plan signed by then covers, where the terms ask for one."""
    if "plan" not in regime.terms.documentation:
        return 0
    signed = [plan for plan in case.episode.plans if plan.signed_on <= signed_by]
    return regime.days & ~case.spans((plan.from_, plan.last_date(regime.terms.plan_max_days)) for plan in signed)


def _unordered(case: Case, regime: Regime, signed_by: int) -> Days:
    """The dates on which no order signed by then is in force, where the terms ask for signatures."""
    if regime.terms.order_signature == "none":
        return 0
    signed = 0
    for order in case.evidence.orders.values():
        for telling, counts in order.tellings:
            if telling.signed_on is not None and telling.signed_on <= signed_by:
                signed |= counts
    return regime.days & ~signed


def _plans(case: Case, date: int) -> Iterator[str]:
    return (plan.entry.label for plan in case.episode.plans if plan.from_ <= date <= plan.to)


def _orders(case: Case, day: Days) -> Iterator[str]:
    tellings = (order.telling_on(day) for order in case.evidence.orders.values())
    return (telling.entry.label for telling in tellings if telling)


def claimed_ahead(file: PatientFile) -> Iterator[Seen]:
    """A date on a live per-diem line that lies after the claim left."""
    for name, lines in file.per_diem.items():
        for line in lines:
            if line.to > line.claimed_on:
                dates = range(max(line.from_, line.claimed_on + 1), line.to + 1)
                yield Seen((name,), dates, (line.code,), (line.entry.label,), (line.payer,), _of(line))


def claimed_twice(file: PatientFile) -> Iterator[Seen]:
    """A date on more than one per-diem line of the patient's live claims."""
    twice = _twice(sorted([(line.from_, line.to) for lines in file.per_diem.values() for line in lines]))
    claimed = [(line, name) for name, lines in file.per_diem.items() for line in lines] if twice else []
    for line, name in sorted(claimed, key=lambda pair: (pair[0].from_, pair[0].to)):
        for first, last in twice[bisect_left(twice, line.from_, key=itemgetter(1)) :]:
            if first > line.to:
                break
            dates = range(max(first, line.from_), min(last, line.to) + 1)
            yield Seen((name,), dates, (line.code,), (line.entry.label,), (line.payer,), _of(line))


def _twice(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches of dates that more than one of the spans has, in order, none touching another."""
    reached, twice = 0, list[tuple[int, int]]()
    for from_, to in spans:
        if from_ <= reached:
            last = min(reached, to)
            if twice and from_ <= twice[-1][1] + 1:
                twice[-1] = twice[-1][0], max(last, twice[-1][1])
            else:
                twice.append((from_, last))
        if to > reached:
            reached = to
    return twice


def claim_units(file: PatientFile) -> Iterator[Seen]:
    """A live per-diem line whose units differ from the days of its span."""
    for case in file.cases:
        for line in file.per_diem[case.episode.name]:
            if line.units != days_between(line.from_, line.to):
                dates = range(line.from_, line.to + 1)
                about = [*_of(line), ("units", str(line.units))]
                yield Seen((case.episode.name,), dates, (line.code,), (line.entry.label,), (line.payer,), about)


def replaces_unknown(file: PatientFile) -> Iterator[Seen]:
    """A replacement or void of no claim that the episode ever knew."""
    for case in file.cases:
        numbers = OwnNumbers(case.episode)
        for claim in case.episode.claims.values():
            if claim.fact.frequency != "1" and not _is_known(case, numbers, replaces(claim), claim.fact.claim):
                yield _whole(case, [claim])


def _is_known(case: Case, numbers: OwnNumbers, named: str | None, own: str) -> bool:
    if named in case.episode.claim_numbers:
        return named != own
    return named is not None and numbers.of(named) not in (named, own)  # by the payer's number


def number_reused(file: PatientFile) -> Iterator[Seen]:
    """Claims of one number that have no date in common: only the one recorded last counts."""
    for case in file.cases:
        told: dict[str, list[Claim]] = {}
        is_repeated = len(case.episode.claims) < len(case.episode.told_claims)
        for claim in case.episode.told_claims if is_repeated else ():
            told.setdefault(claim.fact.claim, []).append(claim)
        for claims in told.values():
            asked = {frozenset(_dates(claim.fact)) for claim in claims}
            if any(one.isdisjoint(other) for one, other in combinations(asked, 2)):
                yield _whole(case, claims)


def _whole(case: Case, claims: Iterable[Claim]) -> Seen:
    """All dates and codes of some claims' lines."""
    claims = list(claims)
    dates = sorted({date for claim in claims for date in _dates(claim.fact)})
    codes = {line.code for claim in claims for line in claim.fact.lines}
    labels = [claim.entry.label for claim in claims]
    about = [("claim", claim.fact.claim) for claim in claims]
    return Seen((case.episode.name,), tuple(dates), codes, labels, [claim.fact.payer for claim in claims], about)


def _dates(claim: ClaimSubmitted) -> set[int]:
    return {date for line in claim.lines for date in range(line.from_.toordinal(), line.to.toordinal() + 1)}
