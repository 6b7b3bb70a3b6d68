"""Findings on what was recorded: stays, holds, evidence, coverage and supplies that do not fit (section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import combinations, pairwise
from typing import Final

from msgspec import UnsetType

from ledger.day_set import Days
from ledger.facts.entry import Entry, statement_of
from ledger.facts.events import DrugDispensed
from ledger.judge.case import Case
from ledger.judge.evidence import Stretch, local_dates_of_run, merged_runs
from ledger.judge.groups import Mark, groups, recorded
from ledger.judge.sightings import PatientFile, Seen
from ledger.judge.stays import Stay

EVIDENCE_GAP_DAYS: Final = 180
NEIGHBOURING_DISCHARGES: Final = timedelta(hours=24)


def unmatched(file: PatientFile) -> Iterator[Seen]:
    """A discharge from hospital, or a resumption, that belongs to no stay or hold."""
    for home in file.cases[0].patient.unmatched if file.cases else ():
        about = [("what", "discharge from hospital")]
        yield Seen((home.entry.episode,), (home.on,), (), (home.entry.label,), about=about)
    for case in file.cases:
        for hold, resumed in case.episode.resumed.items():
            marks = [Mark(held.date, True, held.entry) for held in case.episode.holds.get(hold, ())]
            marks += [Mark(one.date, False, one.entry) for one in resumed]
            for mark in groups(marks)[1]:
                about = [("what", "resumption of therapy")]
                yield Seen((case.episode.name,), (mark.at,), (), (mark.entry.label,), about=about)


def stays_adjoin(file: PatientFile) -> Iterator[Seen]:
    """Two stays, not joined, the later of which begins on the date the earlier ends or the next."""
    stays = file.cases[0].patient.stays if file.cases else []
    for earlier, later in combinations(stays, 2):
        end, begin = earlier.discharged, later.admitted
        if end is not None and end.on <= begin.on <= end.on + 1:
            entries = [*earlier.entries, *later.entries]
            yield Seen(_episodes(entries), tuple(sorted({end.on, begin.on})), (), _labels(entries))


def stay_stretched(file: PatientFile) -> Iterator[Seen]:
    """A group of one number with neighbouring discharges over a day apart: an admission between may be missing."""
    for part in file.cases[0].patient.parts if file.cases else ():
        pairs = pairwise(part.discharges)
        apart = [home for pair in pairs if pair[1].at - pair[0].at > NEIGHBOURING_DISCHARGES for home in pair]
        if apart:
            entries = [home.entry for home in apart]
            yield Seen(_episodes(entries), tuple(sorted({home.on for home in apart})), (), _labels(entries))


def stay_open(file: PatientFile) -> Iterator[Seen]:
    """A stay without a discharge that was joined with a later one."""
    for stay in file.cases[0].patient.stays if file.cases else ():
        yield from _left_open(stay)


def _left_open(stay: Stay) -> Iterator[Seen]:
    for part in stay.parts:
        first = part.admitted
        later = [other.admitted for other in stay.parts if other.admitted.at > first.at]
        if part.discharged is None and later:
            nearest = min(one.at for one in later)
            then = max((one for one in later if one.at == nearest), key=lambda one: recorded(one.entry))
            entries = [first.entry, then.entry]
            yield Seen(_episodes(entries), tuple(sorted({first.on, then.on})), (), _labels(entries))


def voided_with_facts(file: PatientFile) -> Iterator[Seen]:
    """A voided episode that holds what would count in every episode of the patient."""
    for case in file.cases:
        facts = case.episode.shared_though
        if facts:
            dates = tuple(sorted({fact.date for fact in facts}))
            labels = _labels([*(fact.entry for fact in facts), *case.episode.voided])
            yield Seen((case.episode.name,), dates, (), labels)


def evidence_gap(file: PatientFile) -> Iterator[Seen]:
    """Neighbouring dates of evidence over half a year apart: a year may be mistyped."""
    for case in file.cases:
        if case.calendar.last - case.calendar.first <= EVIDENCE_GAP_DAYS:
            continue
        evidence = case.evidence.visited
        for days in case.evidence.recorded.values():
            evidence |= days
        runs = list(case.calendar.runs(evidence))
        for (_, last), (first, _) in pairwise(runs):
            if first - last > EVIDENCE_GAP_DAYS:
                because = _labels([*_evidence_on(case, last), *_evidence_on(case, first)])
                yield Seen((case.episode.name,), (last, first), (), because)


def _evidence_on(case: Case, date: int) -> list[Entry]:
    visits = [visit.entry for visit in case.episode.visits if visit.date == date]
    return visits + [entry for order in case.evidence.recorded for entry in case.evidence.entries_on(order, date)]


def coverage_overlap(file: PatientFile) -> Iterator[Seen]:
    """Days on which two payers have the rank of the day: one finding for each pair of them."""
    for case in file.cases:
        pairs: dict[tuple[str, str], Days] = {}
        for (payer, rank), days in case.ranked_payers.items() if len(case.spells) > 1 else ():
            for other, covered in _remaining(case, rank).items():
                if other != payer and covered & days & _past_payer(case):
                    pair = min(payer, other), max(payer, other)
                    pairs[pair] = pairs.get(pair, 0) | (covered & days & _past_payer(case))
        for pair, days in pairs.items():
            dates = tuple(case.calendar.dates(days))
            spells = [s for s in case.spells if s.payer in pair and case.calendar.span(s.from_, s.to) & days]
            yield Seen((case.episode.name,), dates, (), [spell.entry.label for spell in spells], pair)


def _remaining(case: Case, rank: int) -> dict[str, Days]:
    """The dates on which a spell of the rank remains, by payer: its terms do not exclude S codes."""
    remaining: dict[str, Days] = {}
    for spell in case.spells:
        if spell.rank == rank:
            covered = case.calendar.span(spell.from_, spell.to)
            for terms, first, last in case.book.editions(spell.payer):
                if not terms.accepts_s_codes:
                    covered &= ~case.calendar.span(first, last)
            remaining[spell.payer] = remaining.get(spell.payer, 0) | covered
    return remaining


def _past_payer(case: Case) -> Days:
    """The days that have come far enough to have a payer."""
    past = 0
    for verdict, days in case.verdicts:
        if verdict.names_payer:
            past |= days
    return past


def coverage_reinstated(file: PatientFile) -> Iterator[Seen]:
    """A spell verified after an end of its payer that it would have been cut by: the end is undone."""
    for case in file.cases:
        for told in case.episode.coverage if case.episode.coverage_ends else ():
            ends = [
                end
                for end in case.episode.coverage_ends
                if end.fact.payer == told.fact.payer
                and end.first.version < told.first.version
                and told.fact.from_ <= end.fact.last_date
            ]
            if ends:
                dates = {told.fact.from_.toordinal(), *(end.fact.last_date.toordinal() for end in ends)}
                labels = _labels([told.entry, *(end.entry for end in ends)])
                yield Seen((case.episode.name,), tuple(sorted(dates)), (), labels, (told.fact.payer,))


def runs_disagree(file: PatientFile) -> Iterator[Seen]:
    """Logs of one order from two sources that overlap and differ."""
    for case in file.cases:
        for runs in case.episode.runs.values():
            sources = {run.entry.source for run in runs}
            by_source: dict[str, list[Stretch]] = {}
            for source in sources if len(sources) > 1 else ():
                by_source[source] = merged_runs(run for run in runs if run.entry.source == source)
            for one, other in combinations(sorted(by_source), 2):
                for mine in by_source[one]:
                    for theirs in by_source[other]:
                        yield from _disagreeing(case, mine, theirs)


def _disagreeing(case: Case, one: Stretch, other: Stretch) -> Iterator[Seen]:
    same = (one.started_at, one.stopped_at) == (other.started_at, other.stopped_at)
    if same or one.started_at >= other.stopped_at or other.started_at >= one.stopped_at:
        return
    (first, last), (from_, to) = (local_dates_of_run(stretch, case.evidence.tz) for stretch in (one, other))
    dates = range(max(first, from_), min(last, to) + 1)
    yield Seen((case.episode.name,), dates, (), [*one.labels, *other.labels])


def served_beyond_supply(file: PatientFile) -> Iterator[Seen]:
    """A date with an infusion for which no dispensed supply is left."""
    for case in file.cases:
        supplies = [_supply(entry) for entry in case.episode.dispensed] if case.episode.supplied else []
        for date in _beyond_supply(case, supplies) if supplies else ():
            evidence = [e for order in case.evidence.infused for e in case.evidence.entries_on(order, date)]
            before = [entry for on, _, entry in supplies if on <= date]
            yield Seen((case.episode.name,), (date,), (), _labels([*evidence, *before]))


def _supply(entry: Entry) -> tuple[int, int | None, Entry]:
    """When a drug left the pharmacy, and for how many days if that was said."""
    fact = statement_of(entry)
    assert isinstance(fact, DrugDispensed)
    return fact.date.toordinal(), None if isinstance(fact.days_supply, UnsetType) else fact.days_supply, entry


def _beyond_supply(case: Case, supplies: Iterable[tuple[int, int | None, Entry]]) -> Iterator[int]:
    """Dispensing fills a stock, then infusion takes from it; where a supply is not said, nothing is asked."""
    dispensed: dict[int, list[int | None]] = {}
    for on, days, _ in supplies:
        dispensed.setdefault(on, []).append(days)
    infused = set(case.calendar.dates(case.evidence.any_infused))
    stock, is_asked = 0, False
    for date in sorted(infused | dispensed.keys()):
        if date in dispensed:
            is_asked = None not in dispensed[date]
            stock += max((days for days in dispensed[date] if days is not None), default=0)
        if date in infused:
            if stock:
                stock -= 1
            elif is_asked:
                yield date


def _labels(entries: Iterable[Entry]) -> list[str]:
    return [entry.label for entry in entries]


def _episodes(entries: Iterable[Entry]) -> tuple[str, ...]:
    return tuple(sorted({entry.episode for entry in entries}))
