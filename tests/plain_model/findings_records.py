"""Section 5: what the records of one episode say against each other."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from .dates import touched
from .day import Day, Days
from .entries import Entry
from .episode import Episode
from .evidence import Evidence, Runs, join_runs
from .patients import EVERYWHERE
from .stays import HospitalFact

if TYPE_CHECKING:
    from .findings import Found

LONGEST_GAP = timedelta(days=180)


def record_findings(found: Found, episode: Episode, evidence: Evidence, days: Days) -> None:
    """The findings that look at one episode's own records."""
    for resumption in episode.unmatched_resumptions():
        found.add_alone("unmatched", [resumption.date()], [episode.name])
    voided_with_facts(found, episode)
    evidence_gap(found, episode, evidence)
    coverage_overlap(found, episode, days)
    coverage_reinstated(found, episode)
    runs_disagree(found, episode, evidence)
    served_beyond_supply(found, episode, evidence)
    decision_without_effect(found, episode, days)


def voided_with_facts(found: Found, episode: Episode) -> None:
    """A voided episode that holds a live fact of those that count in every episode of the patient."""
    facts = [entry for entry in episode.live if entry.type in EVERYWHERE]
    if episode.voided and facts:
        found.add_alone("voided_with_facts", [date_of(entry, episode) for entry in facts], [episode.name])


def date_of(entry: Entry, episode: Episode) -> date:
    """The local date of a fact that counts everywhere, or its `from`."""
    if "at" in entry.fact:
        return HospitalFact(entry, episode.zone).date
    return entry.date("date" if "date" in entry.fact else "from")


def evidence_gap(found: Found, episode: Episode, evidence: Evidence) -> None:
    """Two neighbouring dates of evidence more than 180 days apart."""
    for before, after in pairwise(evidence.all_dates()):
        if after - before > LONGEST_GAP:
            found.add_alone("evidence_gap", [before, after], [episode.name])


def coverage_overlap(found: Found, episode: Episode, days: Days) -> None:
    """A day past step 5 on which spells of its rank of two payers remain; one finding per pair of payers."""
    pairs: dict[frozenset[str], set[date]] = {}
    for day in days.values():
        if day.passed(5) and day.payer is not None:
            for other in day.same_rank:
                pairs.setdefault(frozenset({day.payer, other}), set()).add(day.date)
    for dates in pairs.values():
        found.add_alone("coverage_overlap", dates, [episode.name])


def coverage_reinstated(found: Found, episode: Episode) -> None:
    """A spell told after an end of its payer's coverage, that begins on or before that end."""
    for spell in episode.all("CoverageVerified"):
        ended = [
            ending.date("last_date")
            for ending in episode.all("CoverageEnded")
            if ending.fact["payer"] == spell.fact["payer"]
            and ending.chain < spell.chain
            and spell.date("from") <= ending.date("last_date")
        ]
        if ended:
            found.add_alone("coverage_reinstated", [spell.date("from"), *ended], [episode.name])


def runs_disagree(found: Found, episode: Episode, evidence: Evidence) -> None:
    """Runs of one order from two sources that overlap and differ; one finding per pair of joined runs."""
    for order in {run.fact["order"] for run in evidence.runs}:
        logged = [run for run in evidence.runs if run.fact["order"] == order]
        by_source: dict[str, Runs] = {
            source: join_runs(run for run in logged if run.source == source)
            for source in {run.source for run in logged}
        }
        for one, other in combinations(sorted(by_source), 2):
            for first in by_source[one]:
                for second in by_source[other]:
                    overlap = first[0] < second[1] and second[0] < first[1]
                    if overlap and first != second:
                        both = set(touched(*first, episode.zone)) & set(touched(*second, episode.zone))
                        found.add_alone("runs_disagree", both, [episode.name])


def served_beyond_supply(found: Found, episode: Episode, evidence: Evidence) -> None:
    """A date with infused evidence that takes from an empty stock, while the stock is known."""
    dispensed = episode.all("DrugDispensed")
    infused = evidence.infused_dates()
    stock, known = 0, False
    for day in sorted({*infused, *(entry.date() for entry in dispensed)}):
        today = [entry.fact.get("days_supply") for entry in dispensed if entry.date() == day]
        if today:
            known = None not in today
        stock += max((days for days in today if days is not None), default=0)
        if day in infused:
            if known and stock == 0:
                found.add("served_beyond_supply", day, episode.name)
            stock = max(0, stock - 1)


def decision_without_effect(found: Found, episode: Episode, days: Days) -> None:
    """A decision for no day of the episode, or for a code that the day has not, or that changed nothing."""
    for d, resolution in episode.resolutions.items():
        bill = resolution.fact["bill"]
        day = days.get(d)
        if day is None or (bill is not None and not took_effect(day, bill)):
            found.add("decision_without_effect", d, episode.name, [] if bill is None else [bill])


def took_effect(day: Day, bill: str) -> bool:
    """Is the decided code the day's, and was it needed for that, or does the day stand past step 22?"""
    if not day.passed(21) or day.code != bill:
        return False
    return day.failed_step != 22 or len(day.candidates) > 1
