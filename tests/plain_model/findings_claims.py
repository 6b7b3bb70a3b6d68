"""Section 5: the claims of an episode held against its days and its papers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING, Any

from .dates import Span, a_date, dates_between
from .day import PER_DIEM_CODES, Day, Days, billable_days
from .entries import Entry, told_fact
from .episode import CLAIM, Episode

if TYPE_CHECKING:
    from .findings import Found


@dataclass(frozen=True)
class ClaimLine:
    """A line of a live claim."""

    episode: str
    claim: Entry
    claim_date: date
    code: str
    span: Span
    units: Any

    @property
    def payer(self) -> str:
        """The payer the claim went to."""
        return str(self.claim.fact["payer"])

    def dates(self) -> list[date]:
        """Every date of the line."""
        assert self.span.last is not None
        return list(dates_between(self.span.first, self.span.last))


def claim_lines(episode: Episode) -> list[ClaimLine]:
    """Every line of every live claim of the episode."""
    return [
        ClaimLine(
            episode.name,
            claim,
            episode.claim_date(claim),
            line["code"],
            Span(a_date(line["from"]), a_date(line["to"])),
            line["units"],
        )
        for claim in episode.live_claims()
        for line in claim.fact["lines"]
    ]


def per_diem(lines: list[ClaimLine]) -> list[ClaimLine]:
    """The lines of S9325 to S9328."""
    return [line for line in lines if line.code in PER_DIEM_CODES]


def claim_findings(found: Found, episode: Episode, days: Days, lines: list[ClaimLine]) -> None:
    """All findings of the episode's claims but `claimed_twice`, which looks across episodes."""
    billable_not_claimed(found, days, lines)
    for line in per_diem(lines):
        claimed_not_billable(found, days, line)
        claimed_before_signature(found, episode, days, line)
        claimed_ahead(found, line)
        claim_units(found, line)
    replaces_unknown(found, episode)
    number_reused(found, episode)


def claimed_not_billable(found: Found, days: Days, line: ClaimLine) -> None:
    """A claimed date that is no billable day of the episode with that code and payer."""
    right = {day.date for day in billable_days(days) if (day.code, day.payer) == (line.code, line.payer)}
    for claimed in line.dates():
        if claimed not in right:
            found.add("claimed_not_billable", claimed, line.episode, [line.code])


def billable_not_claimed(found: Found, days: Days, lines: list[ClaimLine]) -> None:
    """A billable day on no live claim's line, though something later (or as late) was claimed."""
    latest = max((day for line in per_diem(lines) for day in line.dates()), default=date.min)
    for day in billable_days(days):
        claimed = any((line.code, line.payer) == (day.code, day.payer) and line.span.covers(day.date) for line in lines)
        if day.date <= latest and not claimed:
            found.add("billable_not_claimed", day.date, day.episode, [day.own_code])


def claimed_before_signature(found: Found, episode: Episode, days: Days, line: ClaimLine) -> None:
    """A claimed date whose terms ask for a plan or a signed order, and none was signed when the claim left."""
    for claimed in line.dates():
        day = days.get(claimed)
        if day is None or not day.passed(6):
            continue
        unplanned = "plan" in day.in_terms.documentation and not plan_was_signed(episode, day, line.claim_date)
        unordered = day.in_terms.order_signature != "none" and not order_was_signed(episode, claimed, line.claim_date)
        if unplanned or unordered:
            found.add("claimed_before_signature", claimed, line.episode, [line.code])


def plan_was_signed(episode: Episode, day: Day, claim_date: date) -> bool:
    """Was a plan that covers the day, within `plan_max_days`, signed on or before the claim's date?"""
    plans = [plan for plan in episode.all("PlanSigned") if day.in_terms.plan_covers(plan.span(), day.date)]
    return any(plan.date("signed_on") <= claim_date for plan in plans)


def order_was_signed(episode: Episode, day: date, claim_date: date) -> bool:
    """Was an order in force on the day signed on or before the claim's date?"""
    orders = episode.orders.in_force(day).values()
    return any(order.signed_on is not None and order.signed_on <= claim_date for order in orders)


def claimed_ahead(found: Found, line: ClaimLine) -> None:
    """A claimed date after the claim's date."""
    for claimed in line.dates():
        if claimed > line.claim_date:
            found.add("claimed_ahead", claimed, line.episode, [line.code])


def claim_units(found: Found, line: ClaimLine) -> None:
    """A per-diem line whose units differ from the days of its span."""
    if line.units != len(line.dates()):
        found.add_alone("claim_units", line.dates(), [line.episode], [line.code])


def replaces_unknown(found: Found, episode: Episode) -> None:
    """A replacement or void, its claim live or not, of no number, its own, or one that was never a claim here."""
    for claim in episode.claims_that_count().values():
        if claim.fact["frequency"] not in ("7", "8"):
            continue
        replaced = claim.fact.get("replaces")
        ever = {
            told_fact(entry)["claim"]
            for entry in episode.entries
            if told_fact(entry)["type"] == CLAIM and entry.identity != claim.identity
        }
        if replaced is None or replaced == claim.fact["claim"] or replaced not in ever:
            found.add_alone("replaces_unknown", dates_of_lines(claim), [episode.name], codes_of_lines(claim))


def number_reused(found: Found, episode: Episode) -> None:
    """Two live claims of one number whose lines have no date in common."""
    for number in episode.claims_that_count():
        told = [claim for claim in episode.all(CLAIM) if claim.fact["claim"] == number]
        if any(not dates_of_lines(one) & dates_of_lines(other) for one, other in combinations(told, 2)):
            dates = {day for claim in told for day in dates_of_lines(claim)}
            found.add_alone(
                "number_reused", dates, [episode.name], {code for claim in told for code in codes_of_lines(claim)}
            )


def dates_of_lines(claim: Entry) -> set[date]:
    """All dates of a claim's lines."""
    return {day for line in claim.fact["lines"] for day in dates_between(a_date(line["from"]), a_date(line["to"]))}


def codes_of_lines(claim: Entry) -> set[str]:
    """The codes of a claim's lines."""
    return {line["code"] for line in claim.fact["lines"]}
