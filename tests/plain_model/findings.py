"""Section 5: contradictions and mistakes worth a human's time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from .history import PER_DIEM_CODES, Entry, Episode, a_date, dates_between
from .reference import Reference
from .verdicts import CLASH_RULES, Day, Days

SOFT = frozenset({"specific_pair", "mixed_pain_codes", "billable_not_claimed"})


@dataclass(frozen=True)
class ClaimLine:
    """A line of a live claim."""

    episode: str
    claim: Entry
    code: str
    dates: list[date]
    units: int

    @property
    def payer(self) -> str:
        """The payer the claim went to."""
        return str(self.claim.fact["payer"])


class Book:
    """Findings as they are found: those of one rule and date become one, others stand alone."""

    def __init__(self, patient: str) -> None:
        self.patient = patient
        self.dated: dict[tuple[str, date], tuple[set[str], set[str]]] = {}
        self.rows: list[dict[str, Any]] = []

    def add(self, rule: str, day: date, episode: str, codes: Iterable[str]) -> None:
        """Add to the one finding of this rule and date."""
        episodes, all_codes = self.dated.setdefault((rule, day), (set(), set()))
        episodes.add(episode)
        all_codes.update(codes)

    def add_alone(self, rule: str, dates: Iterable[date], episodes: Iterable[str], codes: Iterable[str]) -> None:
        """Add a finding of its own."""
        self.rows.append(
            {
                "rule": rule,
                "level": "soft" if rule in SOFT else "hard",
                "patient": self.patient,
                "episodes": sorted(set(episodes)),
                "dates": [day.isoformat() for day in sorted(set(dates))],
                "codes": sorted(set(codes)),
            }
        )

    def close(self) -> list[dict[str, Any]]:
        """All findings."""
        for (rule, day), (episodes, codes) in self.dated.items():
            self.add_alone(rule, [day], episodes, codes)
        return self.rows


def findings_of_patient(episodes: list[Episode], judged: dict[str, Days], reference: Reference) -> list[dict[str, Any]]:
    """All findings of one patient."""
    book = Book(episodes[0].patient)
    lines = [line for episode in episodes for line in claim_lines(episode)]
    for episode in episodes:
        days = judged[episode.name]
        own_lines = [line for line in lines if line.episode == episode.name]
        conflicts(book, days)
        billed_beside_per_diem(book, days, episodes, lines, reference)
        served_when_impossible(book, episode, days)
        mixed_pain_codes(book, episode, days)
        claimed_not_billable(book, days, own_lines)
        billable_not_claimed(book, days, own_lines)
        claimed_before_signature(book, episode, days, own_lines)
    claimed_twice(book, lines)
    claim_units(book, lines)
    return book.close()


def claim_lines(episode: Episode) -> list[ClaimLine]:
    """Every line of every live claim of the episode."""
    return [
        ClaimLine(
            episode.name,
            claim,
            line["code"],
            list(dates_between(a_date(line["from"]), a_date(line["to"]))),
            line["units"],
        )
        for claim in episode.live_claims()
        for line in claim.fact["lines"]
    ]


def per_diem(lines: list[ClaimLine]) -> list[ClaimLine]:
    """The lines of S9325 to S9328."""
    return [line for line in lines if line.code in PER_DIEM_CODES]


def billable(days: Days) -> list[Day]:
    """The billable days, in date order."""
    return [day for _, day in sorted(days.items()) if day.status == "billable"]


def conflicts(book: Book, days: Days) -> None:
    """A day with the verdict `conflict`."""
    for day in days.values():
        if day.reason in CLASH_RULES:
            own = day.candidates if day.code is None else {day.code}
            book.add(day.reason, day.date, day.episode, own | day.clashing)


def billed_beside_per_diem(
    book: Book, days: Days, episodes: list[Episode], lines: list[ClaimLine], reference: Reference
) -> None:
    """Codes billed separately on a billable day that may not stand beside the per diem, or are inside it."""
    for day in billable(days):
        assert day.terms is not None
        assert day.code is not None
        billed = codes_billed_separately(episodes, lines, day.date)
        unwanted = {
            "catheter_care_with_per_diem": reference.family("catheter_care"),
            "pharmacy_hours_with_per_diem": reference.family("pharmacy_hours"),
            "bundled_item_billed": reference.includes(day.code) - day.terms.bundled_exceptions,
        }
        for rule, codes in unwanted.items():
            if billed & codes:
                book.add(rule, day.date, day.episode, (billed & codes) | {day.code})


def codes_billed_separately(episodes: list[Episode], lines: list[ClaimLine], day: date) -> set[str]:
    """Codes billed for the patient on the date, in any episode: services, drugs and lines of live claims."""
    codes = {line.code for line in lines if day in line.dates}
    for episode in episodes:
        for fact_type, field in (("ServiceBilledSeparately", "code"), ("DrugBilledSeparately", "hcpcs")):
            codes |= {entry.fact[field] for entry in episode.all(fact_type) if entry.billed_span().covers(day)}
    return codes


def served_when_impossible(book: Book, episode: Episode, days: Days) -> None:
    """Infused evidence on a date after death, after discharge, or in hospital."""
    rules = {
        "after_death": "served_after_death",
        "after_discharge": "served_after_discharge",
        "inpatient": "served_while_inpatient",
    }
    for _, date_infused in episode.infused_evidence():
        day = days.get(date_infused)
        if day is not None and day.reason in rules:
            book.add(rules[day.reason], day.date, day.episode, [])


def mixed_pain_codes(book: Book, episode: Episode, days: Days) -> None:
    """Under one payer's one edition, some billable days with S9325 and others with a specific code."""
    editions: dict[tuple[str | None, tuple[date, date]], list[Day]] = {}
    for day in billable(days):
        assert day.terms is not None
        editions.setdefault((day.payer, day.terms.edition), []).append(day)
    for together in editions.values():
        codes = {str(day.code) for day in together}
        if "S9325" in codes and len(codes) > 1:
            book.add_alone("mixed_pain_codes", [day.date for day in together], [episode.name], codes)


def claimed_not_billable(book: Book, days: Days, own_lines: list[ClaimLine]) -> None:
    """A claimed date that is no billable day of the episode with that code and payer."""
    right = {(day.date, day.code, day.payer) for day in billable(days)}
    for line in per_diem(own_lines):
        for claimed in line.dates:
            if (claimed, line.code, line.payer) not in right:
                book.add("claimed_not_billable", claimed, line.episode, [line.code])


def billable_not_claimed(book: Book, days: Days, own_lines: list[ClaimLine]) -> None:
    """A billable day on no live claim's line, though something later (or as late) was claimed."""
    claimed = {(day, line.code, line.payer) for line in own_lines for day in line.dates}
    latest = max((day for line in per_diem(own_lines) for day in line.dates), default=date.min)
    for day in billable(days):
        if day.date <= latest and (day.date, day.code, day.payer) not in claimed:
            book.add("billable_not_claimed", day.date, day.episode, [str(day.code)])


def claimed_before_signature(book: Book, episode: Episode, days: Days, own_lines: list[ClaimLine]) -> None:
    """A claimed date whose covering plans were all signed after the claim left, or that no plan covers."""
    for line in per_diem(own_lines):
        for claimed in line.dates:
            day = days.get(claimed)
            if day is None or day.terms is None or "plan" not in day.terms.documentation:
                continue
            plans = [plan for plan in episode.all("PlanSigned") if plan.span().covers(claimed)]
            if not any(plan.date("signed_on") <= line.claim.recorded_at.date() for plan in plans):
                book.add("claimed_before_signature", claimed, line.episode, [line.code])


def claimed_twice(book: Book, lines: list[ClaimLine]) -> None:
    """A date on more than one per-diem line of the patient's live claims."""
    by_date: dict[date, list[ClaimLine]] = {}
    for line in per_diem(lines):
        for claimed in line.dates:
            by_date.setdefault(claimed, []).append(line)
    for claimed, together in by_date.items():
        if len(together) > 1:
            for line in together:
                book.add("claimed_twice", claimed, line.episode, [line.code])


def claim_units(book: Book, lines: list[ClaimLine]) -> None:
    """A per-diem line whose units differ from the days of its span."""
    for line in per_diem(lines):
        if line.units != len(line.dates):
            book.add_alone("claim_units", line.dates, [line.episode], [line.code])
