"""Section 5: contradictions and mistakes worth a human's time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from .dates import in_text
from .day import CONFLICT_RULES, Days, billable_days
from .evidence import Evidence
from .findings_claims import ClaimLine, claim_findings, claim_lines, per_diem
from .findings_records import record_findings
from .findings_stays import stay_findings
from .findings_windows import correction_window
from .patients import Patient
from .reference import Reference

SOFT = frozenset(
    {
        *("specific_pair", "mixed_pain_codes", "billable_not_claimed", "unmatched", "stays_adjoin", "stay_stretched"),
        *("stay_open", "voided_with_facts", "evidence_gap", "coverage_overlap", "coverage_reinstated"),
        *("runs_disagree", "served_beyond_supply", "concurrent_unranked", "decision_without_effect"),
        "correction_window",
    }
)


class Found:
    """Findings as they are found: those of one rule and date become one, others are findings of their own."""

    def __init__(self, patient: str) -> None:
        self.patient = patient
        self.dated: dict[tuple[str, date], tuple[set[str], set[str]]] = {}
        self.rows: list[dict[str, Any]] = []

    def add(self, rule: str, day: date, episode: str, codes: Iterable[str] = ()) -> None:
        """Add to the one finding of this rule and date."""
        episodes, all_codes = self.dated.setdefault((rule, day), (set(), set()))
        episodes.add(episode)
        all_codes.update(codes)

    def add_alone(self, rule: str, dates: Iterable[date], episodes: Iterable[str], codes: Iterable[str] = ()) -> None:
        """Add a finding of its own."""
        self.rows.append(
            {
                "rule": rule,
                "level": "soft" if rule in SOFT else "hard",
                "patient": self.patient,
                "episodes": sorted(set(episodes)),
                "dates": in_text(dates),
                "codes": sorted(set(codes)),
            }
        )

    def close(self) -> list[dict[str, Any]]:
        """All findings."""
        for (rule, day), (episodes, codes) in self.dated.items():
            self.add_alone(rule, [day], episodes, codes)
        return self.rows


def findings_of_patient(patient: Patient, judged: dict[str, Days], reference: Reference) -> list[dict[str, Any]]:
    """All findings of one patient."""
    found = Found(patient.name)
    lines = [line for episode in patient.episodes for line in claim_lines(episode)]
    for episode in patient.episodes:
        days = judged[episode.name]
        evidence = Evidence(episode)
        conflicts(found, days)
        billed_beside_per_diem(found, days, patient, lines, reference)
        concurrent_unranked(found, days, patient, reference)
        served_when_impossible(found, days, evidence)
        mixed_pain_codes(found, days)
        record_findings(found, episode, evidence, days)
        claim_findings(found, episode, days, [line for line in lines if line.episode == episode.name])
        correction_window(found, episode, days, reference)
    claimed_twice(found, lines)
    stay_findings(found, patient)
    return found.close()


def conflicts(found: Found, days: Days) -> None:
    """`pain_code_exclusion`, `duplicate_per_diem`, `specific_pair`: a day with that verdict."""
    for day in days.values():
        if day.reason in CONFLICT_RULES:
            own = day.candidates if day.code is None else {day.code}
            found.add(day.reason, day.date, day.episode, own | day.clashing)


def billed_beside_per_diem(
    found: Found, days: Days, patient: Patient, lines: list[ClaimLine], reference: Reference
) -> None:
    """Codes billed separately on a billable day that may not stand beside the per diem, or are inside it."""
    for day in billable_days(days):
        billed = codes_billed_separately(patient, lines, day.date)
        unwanted = {
            "catheter_care_with_per_diem": reference.family("catheter_care"),
            "pharmacy_hours_with_per_diem": reference.family("pharmacy_hours"),
            "bundled_item_billed": reference.includes(day.own_code) - day.in_terms.bundled_exceptions,
        }
        for rule, codes in unwanted.items():
            if billed & codes:
                found.add(rule, day.date, day.episode, (billed & codes) | {day.own_code})


def codes_billed_separately(patient: Patient, lines: list[ClaimLine], day: date) -> set[str]:
    """Codes billed for the patient on the date, in any episode: services, drugs and lines of live claims."""
    codes = {line.code for line in lines if line.span.covers(day)}
    for episode in patient.episodes:
        for fact_type, field in (("ServiceBilledSeparately", "code"), ("DrugBilledSeparately", "hcpcs")):
            codes |= {entry.fact[field] for entry in episode.all(fact_type) if entry.billed_span().covers(day)}
    return codes


def concurrent_unranked(found: Found, days: Days, patient: Patient, reference: Reference) -> None:
    """Another therapy's per diem, by nobody named or by the day's provider, on a billable day without a rank told."""
    therapies = reference.family("therapy")
    services = [entry for episode in patient.episodes for entry in episode.all("ServiceBilledSeparately")]
    for day in billable_days(days):
        codes = {
            service.fact["code"]
            for service in services
            if service.fact["code"] in therapies
            and service.billed_span().covers(day.date)
            and service.fact.get("billed_by", day.provider) == day.provider
        }
        if codes and day.told_rank is None:
            found.add("concurrent_unranked", day.date, day.episode, codes | {day.own_code})


def served_when_impossible(found: Found, days: Days, evidence: Evidence) -> None:
    """Infused evidence on a date whose verdict is `after_death`, `after_discharge` or `inpatient`."""
    rules = {
        "after_death": "served_after_death",
        "after_discharge": "served_after_discharge",
        "inpatient": "served_while_inpatient",
    }
    for infused in evidence.infused_dates():
        day = days.get(infused)
        if day is not None and day.reason in rules:
            found.add(rules[day.reason], day.date, day.episode)


def mixed_pain_codes(found: Found, days: Days) -> None:
    """Under one payer's one edition, some billable days with S9325 and others with a specific code."""
    editions: dict[object, list[Any]] = {}
    for day in billable_days(days):
        editions.setdefault((day.payer, day.in_terms.edition), []).append(day)
    for together in editions.values():
        codes = {day.own_code for day in together}
        if "S9325" in codes and len(codes) > 1:
            found.add_alone("mixed_pain_codes", [day.date for day in together], [together[0].episode], codes)


def claimed_twice(found: Found, lines: list[ClaimLine]) -> None:
    """A date on more than one per-diem line of the patient's live claims."""
    by_date: dict[date, list[ClaimLine]] = {}
    for line in per_diem(lines):
        for claimed in line.dates():
            by_date.setdefault(claimed, []).append(line)
    for claimed, together in by_date.items():
        if len(together) > 1:
            for line in together:
                found.add("claimed_twice", claimed, line.episode, [line.code])
