"""claims.md section 6: claims that are not as they are known now, and that their payer corrects no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from .dates import a_date, dates_between, local_date
from .day import PER_DIEM_CODES, Days, billable_days
from .entries import Entry
from .episode import Episode
from .reference import Reference

if TYPE_CHECKING:
    from .findings import Found

NOT_JUDGED_BY = frozenset(
    {
        *("SupplyDispensed", "ResponseNoted", "CoordinationNoted", "PatientIdentified", "SubscriberIdentified"),
        "DrugAdministered",
    }
)
SETTLED = frozenset({"AppealFiled", "RefundSent", "WrittenOff"})


def correction_window(found: Found, episode: Episode, days: Days, reference: Reference) -> None:
    """A live claim that differs from the days as they are, its window shut when the last of the episode was heard."""
    heard = [entry.recorded_at for entry in episode.entries if entry.type not in NOT_JUDGED_BY]
    heard_on = local_date(heard[-1], episode.zone)
    settled = {entry.fact["claim"] for entry in episode.live if entry.type in SETTLED}
    claimed = {day for claim in episode.live_claims() for day in asked(claim)}
    for claim in episode.live_claims():
        until = last_date(episode, claim, reference)
        if until is None or until >= heard_on or claim.fact["claim"] in settled:
            continue
        differing = differing_dates(episode, claim, days, claimed)
        if differing:
            found.add_alone("correction_window", differing, [episode.name], per_diem_or_all(claim))


def per_diem_or_all(claim: Entry) -> set[str]:
    """The codes of the claim's days; of a claim without any, all its codes."""
    codes = {line["code"] for line in claim.fact["lines"]}
    return codes & set(PER_DIEM_CODES) or codes


def last_date(episode: Episode, claim: Entry, reference: Reference) -> date | None:
    """Until when the payer takes corrections, by the terms on the claim's last date."""
    last = max(a_date(line["to"]) for line in claim.fact["lines"])
    terms = reference.terms(claim.fact["payer"], last)
    if terms is None or terms.correction_days is None:
        return None
    if terms.correction_from == "service":
        return last + timedelta(days=terms.correction_days)
    answers = [entry for entry in episode.live if entry.type == "RemittancePosted"]
    paid_on = [entry.date("paid_on") for entry in answers if entry.fact["claim"] == claim.fact["claim"]]
    return min(paid_on) + timedelta(days=terms.correction_days) if paid_on else None


def asked(claim: Entry) -> dict[date, dict[str, Any]]:
    """The claim's per-diem dates, each with its line (the last of several)."""
    lines = [line for line in claim.fact["lines"] if line["code"] in PER_DIEM_CODES]
    return {day: line for line in lines for day in dates_of(line)}


def dates_of(line: dict[str, Any]) -> Iterator[date]:
    """Every date of a line."""
    return dates_between(a_date(line["from"]), a_date(line["to"]))


def differing_dates(episode: Episode, claim: Entry, days: Days, claimed: set[date]) -> set[date]:
    """The dates on which the claim asks for something else than is billable, or for nothing though something is."""
    payer, own = claim.fact["payer"], asked(claim)
    now = {day.date: day for day in billable_days(days)}
    found, right = set[date](), set[date]()
    for line in claim.fact["lines"]:
        if line["code"] not in PER_DIEM_CODES:
            continue
        dates = list(dates_of(line))
        for day in dates:
            billable = now.get(day)
            as_claimed = billable is not None and (billable.code, billable.payer) == (line["code"], payer)
            if not as_claimed or line["units"] != len(dates) or otherwise(line, billable):
                found.add(day)
            if as_claimed:
                right.add(day)
    if own:
        inside = dates_between(min(own), max(own))
        found |= {day for day in inside if day in now and day not in claimed and now[day].payer == payer}
    if "diagnoses" in claim.fact and named(claim) != diagnoses(episode, claim):
        found |= right
        if not found:  # nothing of it was a day
            found = {day for line in claim.fact["lines"] for day in dates_of(line)}
    return found


def otherwise(line: dict[str, Any], billable: Any) -> bool:
    """Does the day have another authorization than the line names, or other modifiers?"""
    other_number = "authorization" in line and line["authorization"] != billable.authorization
    return other_number or sorted(line.get("modifiers", [])) != sorted(billable.modifiers)


def diagnoses(episode: Episode, claim: Entry) -> set[str]:
    """The diagnoses in force on some of the claim's dates."""
    first = min(a_date(line["from"]) for line in claim.fact["lines"])
    last = max(a_date(line["to"]) for line in claim.fact["lines"])
    spans = [(entry.fact["icd10"].replace(".", ""), entry.span()) for entry in episode.all("DiagnosisRecorded")]
    codes = {code for code, span in spans if span.first <= last and (span.last is None or first <= span.last)}
    return {code for code in codes if not (code.startswith("G892") and "G893" in codes)}


def named(claim: Entry) -> set[str]:
    """The diagnoses that a claim names, without their dots."""
    return {code.replace(".", "") for code in claim.fact["diagnoses"]}
