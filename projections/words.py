"""Words for reports: dates, instants, money and verdicts as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from ledger.judge.regions import JudgedDay

STATUS: Final = {"billable": "billable", "not_billable": "not billable", "hold": "on hold", "conflict": "in conflict"}
"""A verdict's first word as a person says it."""
MARKS: Final = {"billable": "✓", "hold": "?", "not_billable": "✕", "conflict": "!"}
"""A verdict's first word as one mark of a calendar."""


REASONS: Final = {
    "after_death": "after the patient's death",
    "after_discharge": "after the discharge",
    "coverage_unverified": "coverage not verified",
    "not_covered": "not covered",
    "payer_excludes_s_codes": "payer takes no S codes",
    "no_terms": "no terms of the payer in the book",
    "place_of_service": "place of service not paid",
    "no_agreement": "no agreement with the payer in the book",
    "inpatient": "patient in hospital",
    "facility": "patient in a nursing facility",
    "hospice": "hospice elected",
    "held": "therapy on hold",
    "not_served": "not served",
    "under_24_hours": "under 24 hours of infusion",
    "no_order": "no order in force",
    "interval_too_long": "doses too far apart",
    "order_unsigned": "order not signed",
    "no_diagnosis": "no diagnosis",
    "plan_missing": "no plan of treatment",
    "plan_unsigned": "plan signed late",
    "pain_assessment_overdue": "pain assessment overdue",
    "conflict_resolved": "decided to bill nothing",
    "pain_code_exclusion": "S9325 and another per diem",
    "duplicate_per_diem": "per diem billed twice",
    "specific_pair": "two per diems",
    "auth_missing": "no authorization",
    "auth_exhausted": "authorized units used up",
    "no_rate": "no rate in the book",
    "concurrent_unpaid": "further therapy not paid",
}
"""A verdict's second word as a person says it."""


COUNTED: Final = {
    "access": "days of access",
    "course": "the course of therapy",
    "infused": "days infused",
    "infused_or_nursing": "days infused or nursed",
    "rolling_24h": "full 24 hours of infusion",
}
"""What a payer counts under each ``day_counting``."""


def said(status: str, reason: str | None, code: str | None) -> str:
    """A verdict in short: ``billable S9325``, ``on hold: plan signed late``."""
    return f"{STATUS[status]}: {REASONS[reason]}" if reason else f"{STATUS[status]} {code}"


def listed(words: Iterable[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``; no repeats."""
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} and {last}" if first else last


def verdict_text(day: JudgedDay) -> str:
    """A day's verdict in two words: ``billable S9325``, ``hold plan_missing``."""
    return f"{day.verdict.status} {day.verdict.reason or day.code}"


def utc_text(at: datetime) -> str:
    """An instant as rows carry it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def minute(instant: str) -> str:
    """An instant of a row as a person reads it, to the minute."""
    return f"{instant[:10]} {instant[11:16]} UTC"


@lru_cache(maxsize=65_536)
def iso(ordinal: int) -> str:
    """A service date as reports write it."""
    return date.fromordinal(ordinal).isoformat()


def dollars(cents: int) -> str:
    """Whole cents as dollars."""
    return f"{cents // 100}.{cents % 100:02d} dollars"


def date_runs(dates: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Dates, ascending, as unbroken runs: first and last of each."""
    first = last = ""
    for day in dates:
        if last and date.fromisoformat(day).toordinal() - date.fromisoformat(last).toordinal() == 1:
            last = day
            continue
        if first:
            yield first, last
        first = last = day
    if first:
        yield first, last
