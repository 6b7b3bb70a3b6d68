"""Section 3: the book, with its defaults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from .history import Span, a_date, optional_date


@dataclass(frozen=True)
class Terms:
    """One edition of a payer's terms, defaults applied."""

    from_date: date
    published: date
    accepts_s_codes: bool
    pain_code: str
    day_counting: str
    max_interval_hours: int
    inpatient_rule: str
    hold_days: str
    facility_days: str
    midday_switch: str
    places_of_service: tuple[str, ...]
    agreement_required: bool
    auth_required: bool
    documentation: frozenset[str]
    plan_signature: str
    pain_assessment_days: int
    exclusion_scope: str
    bundled_exceptions: frozenset[str]
    rate_cents: tuple[tuple[str, int], ...]
    line_style: str
    line_max_days: int
    split_on_month: bool

    @staticmethod
    def of(table: dict[str, Any]) -> Terms:
        """Read one `[[terms]]` table."""
        return Terms(
            from_date=a_date(table["from"]),
            published=a_date(table["published"]),
            accepts_s_codes=table["accepts_s_codes"],
            pain_code=table["pain_code"],
            day_counting=table["day_counting"],
            max_interval_hours=table.get("max_interval_hours", 72),
            inpatient_rule=table.get("inpatient_rule", "served"),
            hold_days=table.get("hold_days", "not_billable"),
            facility_days=table.get("facility_days", "not_billable"),
            midday_switch=table.get("midday_switch", "new_order"),
            places_of_service=tuple(table.get("places_of_service", ["12"])),
            agreement_required=table.get("agreement_required", True),
            auth_required=table.get("auth_required", False),
            documentation=frozenset(table.get("documentation", ["diagnosis", "plan", "pain_assessment"])),
            plan_signature=table.get("plan_signature", "before_service"),
            pain_assessment_days=table.get("pain_assessment_days", 7),
            exclusion_scope=table.get("exclusion_scope", "patient_day"),
            bundled_exceptions=frozenset(table.get("bundled_exceptions", [])),
            rate_cents=tuple(sorted(table["rate_cents"].items())),
            line_style=table.get("line_style", "span"),
            line_max_days=table.get("line_max_days", 31),
            split_on_month=table.get("split_on_month", True),
        )

    @property
    def edition(self) -> tuple[date, date]:
        """What names an edition of one payer."""
        return self.from_date, self.published

    def rate(self, code: str) -> int | None:
        """Cents a day for the code, if the edition has a rate for it."""
        return dict(self.rate_cents).get(code)


@dataclass(frozen=True)
class Code:
    """One row of the code table."""

    code: str
    family: str
    in_force: Span
    includes: frozenset[str]


@dataclass(frozen=True)
class Reference:
    """Codes, the editions known of each payer's terms, and each provider's agreements as (payer, dates that count)."""

    codes: list[Code]
    editions: dict[str, list[Terms]]
    agreements: dict[str, list[tuple[str, Span]]]

    @staticmethod
    def of(book: dict[str, Any], published_until: date | None) -> Reference:
        """Read the book; terms published after `published_until` are not known."""
        codes = [
            Code(
                row["code"],
                row["family"],
                Span(a_date(row["from"]), optional_date(row.get("to"))),
                frozenset(row.get("includes", [])),
            )
            for row in book.get("codes", [])
        ]
        editions = {
            payer["id"]: [
                terms
                for terms in map(Terms.of, payer.get("terms", []))
                if published_until is None or terms.published <= published_until
            ]
            for payer in book.get("payers", [])
        }
        agreements = {
            provider["npi"]: [
                (
                    row["payer"],
                    Span(max(a_date(row["from"]), a_date(row["signed_on"])), optional_date(row.get("to"))),
                )
                for row in provider.get("agreements", [])
            ]
            for provider in book.get("providers", [])
        }
        return Reference(codes, editions, agreements)

    def terms(self, payer: str, day: date) -> Terms | None:
        """The edition in force: the newest `from` not after the date; of two with one `from`, the later published."""
        begun = [terms for terms in self.editions.get(payer, []) if terms.from_date <= day]
        return max(begun, key=lambda terms: terms.edition, default=None)

    def has_agreement(self, provider: str, payer: str, day: date) -> bool:
        """Is the provider in the book, with an agreement with the payer in force?"""
        return any(other == payer and span.covers(day) for other, span in self.agreements.get(provider, []))

    def code_in_force(self, code: str, day: date) -> bool:
        """Is the code in the table and in force?"""
        return any(row.code == code and row.in_force.covers(day) for row in self.codes)

    def family(self, name: str) -> set[str]:
        """The codes of a family."""
        return {row.code for row in self.codes if row.family == name}

    def includes(self, code: str) -> set[str]:
        """The codes that a per diem code includes."""
        return {included for row in self.codes if row.code == code for included in row.includes}
