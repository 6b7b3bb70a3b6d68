"""Section 3: the book, with its defaults."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from .dates import Span, a_date, optional_date

DEFAULTS: dict[str, Any] = {
    "course_gap_days": 14,
    "max_interval_hours": 72,
    "inpatient_rule": "served",
    "hold_days": "not_billable",
    "facility_days": "not_billable",
    "midday_switch": "new_order",
    "places_of_service": ["12"],
    "agreement_required": True,
    "auth_required": False,
    "order_signature": "before_claim",
    "documentation": ["diagnosis", "plan", "pain_assessment"],
    "plan_signature": "before_service",
    "plan_max_days": None,
    "pain_assessment_days": 7,
    "exclusion_scope": "patient_day",
    "bundled_exceptions": [],
    "charge_cents": {},
    "concurrent_percent": None,
    "concurrent_modifiers": ["", "SH", "SJ"],
    "place_modifiers": {},
    "line_style": "span",
    "line_max_days": 31,
    "split_on_month": True,
    "correction_days": None,
    "correction_from": "remittance",
}


class Terms:
    """One edition of a payer's terms, defaults applied."""

    def __init__(self, table: dict[str, Any]) -> None:
        said = DEFAULTS | table
        self.from_date = a_date(said["from"])
        self.published = a_date(said["published"])
        self.edition = (self.from_date, self.published)
        self.accepts_s_codes: bool = said["accepts_s_codes"]
        self.pain_code: str = said["pain_code"]
        self.day_counting: str = said["day_counting"]
        self.course_gap_days: int = said["course_gap_days"]
        self.max_interval_hours: int = said["max_interval_hours"]
        self.inpatient_rule: str = said["inpatient_rule"]
        self.hold_days: str = said["hold_days"]
        self.facility_days: str = said["facility_days"]
        self.midday_switch: str = said["midday_switch"]
        self.places_of_service: list[str] = list(said["places_of_service"])
        self.agreement_required: bool = said["agreement_required"]
        self.auth_required: bool = said["auth_required"]
        self.order_signature: str = said["order_signature"]
        self.documentation: list[str] = list(said["documentation"])
        self.plan_signature: str = said["plan_signature"]
        self.plan_max_days: int | None = said["plan_max_days"]
        self.pain_assessment_days: int = said["pain_assessment_days"]
        self.exclusion_scope: str = said["exclusion_scope"]
        self.bundled_exceptions = set(said["bundled_exceptions"])
        self.rate_cents: dict[str, int] = dict(said["rate_cents"])
        self.charge_cents: dict[str, int] = dict(said["charge_cents"])
        self.concurrent_percent: list[int] | None = said["concurrent_percent"]
        self.concurrent_modifiers: list[str] = list(said["concurrent_modifiers"])
        self.place_modifiers: dict[str, list[str]] = dict(said["place_modifiers"])
        self.line_style: str = said["line_style"]
        self.line_max_days: int = said["line_max_days"]
        self.split_on_month: bool = said["split_on_month"]
        self.correction_days: int | None = said["correction_days"]
        self.correction_from: str = said["correction_from"]

    def plan_covers(self, plan: Span, day: date) -> bool:
        """Does a plan cover the date, and no more dates than `plan_max_days`?"""
        if self.plan_max_days is not None:
            plan = plan.cut(plan.first + timedelta(days=self.plan_max_days - 1))
        return plan.covers(day)

    def percent(self, rank: int) -> int:
        """What a day of the rank pays, in percent; the last one said is that of all further ranks."""
        if self.concurrent_percent is None:
            return 100
        return self.concurrent_percent[min(rank, len(self.concurrent_percent)) - 1]

    def modifiers(self, place: str, rank: int) -> list[str]:
        """The place's modifiers, then the rank's, no repeats; where no percent is said, a rank has none."""
        said = list(self.place_modifiers.get(place, []))
        if self.concurrent_percent is not None and rank <= len(self.concurrent_modifiers):
            said.append(self.concurrent_modifiers[rank - 1])
        return list(dict.fromkeys(modifier for modifier in said if modifier))


class Agreement:
    """A provider's agreement with a payer; it counts from the later of `from` and `signed_on`."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.payer: str = table["payer"]
        self.written = (a_date(table["from"]), a_date(table["signed_on"]))
        self.in_force = Span(max(self.written), optional_date(table.get("to")))
        self.rate_cents: dict[str, int] = dict(table.get("rate_cents", {}))


class Reference:
    """Codes, the editions known of each payer's terms, and each provider's agreements."""

    def __init__(self, book: dict[str, Any], published_until: date | None) -> None:
        self.codes = book.get("codes", [])
        self.editions = {
            payer["id"]: [
                terms
                for terms in map(Terms, payer.get("terms", []))
                if published_until is None or terms.published <= published_until
            ]
            for payer in book.get("payers", [])
        }
        self.agreements = {
            provider["npi"]: [Agreement(table) for table in provider.get("agreements", [])]
            for provider in book.get("providers", [])
        }

    def terms(self, payer: str, day: date) -> Terms | None:
        """The edition in force: the newest `from` not after the date; of two with one `from`, the later published."""
        begun = [terms for terms in self.editions.get(payer, []) if terms.from_date <= day]
        return max(begun, key=lambda terms: terms.edition, default=None)

    def agreement(self, provider: str, payer: str, day: date) -> Agreement | None:
        """The agreement in force; of several, the latest `from` as written, then `signed_on`."""
        found = [
            agreement
            for agreement in self.agreements.get(provider, [])
            if agreement.payer == payer and agreement.in_force.covers(day)
        ]
        return max(found, key=lambda agreement: agreement.written, default=None)

    def code_in_force(self, code: str, day: date) -> bool:
        """Is the code in the table and in force?"""
        return any(
            row["code"] == code and Span(a_date(row["from"]), optional_date(row.get("to"))).covers(day)
            for row in self.codes
        )

    def family(self, name: str) -> set[str]:
        """The codes of a family."""
        return {row["code"] for row in self.codes if row["family"] == name}

    def includes(self, code: str) -> set[str]:
        """The codes that a per-diem code includes."""
        return {included for row in self.codes if row["code"] == code for included in row.get("includes", [])}
