"""The tables of the book's files, one struct each: the only declaration of their keys, values and defaults."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from ledger.book.claim_tables import Billing, Edi
from ledger.book.values import BookNpi, Name, form_of
from ledger.facts.forms import (
    LARGEST_INTEGER,
    Cents,
    Hcpcs,
    Modifiers,
    check_modifiers,
)

PER_DIEM: Final = {"continuous": "S9326", "intermittent": "S9327", "implanted_pump": "S9328", "unspecified": "S9325"}
"""The per-diem code of each mode of therapy (rulebook section 4, Code)."""
GENERAL: Final = "S9325"
PER_DIEM_CODES: Final = frozenset(PER_DIEM.values())

FAMILIES: Final = ("pain", "catheter_care", "pharmacy_hours", "bundled", "therapy", "nursing", "drug")
"""The kinds of codes; rules read the first five, the others are there to be named."""
_FAMILIES_OF_EDITION_1: Final = ("supply", "equipment")
"""What was split from ``bundled`` before; a code table written then is read as ever."""
FIRST_AGREEMENT: Final = date(1900, 1, 1)


def _check_family(value: Any) -> Any:
    if value not in FAMILIES and value not in _FAMILIES_OF_EDITION_1:
        raise ValueError
    return value


def _check_first_date(value: Any) -> Any:
    if value < FIRST_AGREEMENT:
        raise ValueError
    return value


def _check_rank_modifier(value: Any) -> Any:
    return value and check_modifiers([value])


Rates = Annotated[dict[Hcpcs, Cents], form_of("a table of whole cents by code, such as { S9325 = 13300 }")]
PlaceModifiers = Annotated[dict[str, Modifiers], form_of('a table of modifiers by place, such as { 13 = ["GT"] }')]
Family = Annotated[str, form_of(f"one of {', '.join(FAMILIES)}", _check_family)]
Positive = Annotated[int, Meta(ge=1, le=LARGEST_INTEGER)]
NotNegative = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
Percents = Annotated[
    tuple[Annotated[int, Meta(ge=0, le=100)], ...],
    form_of("a list of whole numbers from 0 to 100, one or more", min_length=1),
]
RankModifier = Annotated[str, form_of('a modifier of two capitals or digits, or "" for none', _check_rank_modifier)]


class Code(Struct, frozen=True, forbid_unknown_fields=True):
    """One billing code: its family, what its per diem excludes and includes, and when it is in force."""

    code: Hcpcs
    family: Family
    label: Name
    from_: date = field(name="from")
    source: Name
    to: date | None = None
    excludes: tuple[Hcpcs, ...] = ()
    includes: tuple[Hcpcs, ...] = ()


class Terms(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One edition of a payer's terms, known by its ``from`` and ``published``."""

    from_: date = field(name="from")
    published: date
    source: Name
    checked: date
    accepts_s_codes: bool
    pain_code: Literal["general", "specific"]
    day_counting: Literal["access", "course", "infused", "infused_or_nursing", "rolling_24h"]
    rate_cents: Rates
    charge_cents: Rates = {}
    course_gap_days: Annotated[int, Meta(ge=0, le=366)] = 14
    max_interval_hours: Positive = 72
    inpatient_rule: Literal["served", "midnight_census", "any_overlap"] = "served"
    hold_days: Literal["not_billable", "access"] = "not_billable"
    facility_days: Literal["not_billable", "billable"] = "not_billable"
    midday_switch: Literal["new_order", "old_order"] = "new_order"
    places_of_service: tuple[str, ...] = ("12",)
    agreement_required: bool = True
    auth_required: bool = False
    order_signature: Literal["none", "before_claim", "before_service"] = "before_claim"
    documentation: tuple[Literal["diagnosis", "plan", "pain_assessment"], ...] = (
        "diagnosis",
        "plan",
        "pain_assessment",
    )
    plan_signature: Literal["before_service", "before_claim"] = "before_service"
    plan_max_days: Positive | None = None
    pain_assessment_days: NotNegative = 7
    exclusion_scope: Literal["patient_day", "patient_day_payer"] = "patient_day"
    bundled_exceptions: tuple[Hcpcs, ...] = ()
    concurrent_percent: Percents | None = None
    concurrent_modifiers: tuple[RankModifier, ...] = ("", "SH", "SJ")
    place_modifiers: PlaceModifiers = {}
    line_style: Literal["span", "per_day"] = "span"
    line_max_days: Positive = 31
    split_on_month: bool = True
    timely_filing_days: Positive = 180
    corrections: Literal["replacement", "void_and_new", "none"] = "replacement"
    correction_days: Positive | None = None
    correction_from: Literal["remittance", "service"] = "remittance"
    appeal_days: Positive | None = None
    drug_lines: Literal["same_claim", "separate_claim", "none"] = "none"
    nursing_lines: Literal["same_claim", "separate_claim", "none"] = "none"
    nursing_credentials: tuple[str, ...] = ()
    nursing_round_minutes: Annotated[int, Meta(ge=1, le=60)] = 31
    tolerance_cents: NotNegative = 0


class Payer(Struct, frozen=True, forbid_unknown_fields=True):
    """A payer and all editions of its terms."""

    id: Name
    name: Name
    kind: Literal["commercial", "medicaid", "medicare"]
    terms: tuple[Terms, ...]
    edi: Edi | None = None


class Agreement(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider's agreement with a payer; it counts from the later of ``from`` and ``signed_on``."""

    payer: Name
    signed_on: date
    from_: Annotated[date, form_of(f"a date from {FIRST_AGREEMENT}", _check_first_date)] = field(name="from")
    to: date | None = None
    rate_cents: Rates = {}


class Provider(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider by its NPI."""

    npi: BookNpi
    name: Name
    taxonomy: Name
    agreements: tuple[Agreement, ...] = ()
    billing: Billing | None = None
    branch: Name | None = None


class CodeTable(Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``codes.toml``."""

    codes: tuple[Code, ...]


ADDED_IN_EDITION_2: Final[dict[type[Struct], tuple[str, ...]]] = {
    Terms: (
        "charge_cents", "course_gap_days", "order_signature", "plan_max_days", "concurrent_percent",
        "concurrent_modifiers", "place_modifiers",
        "corrections", "correction_days", "correction_from", "appeal_days", "drug_lines", "nursing_lines",
        "nursing_credentials", "nursing_round_minutes", "tolerance_cents",
    ),
    Agreement: ("rate_cents",),
    Payer: ("edi",),
    Provider: ("billing", "branch"),
}  # fmt: skip
"""The keys that a book recorded under edition 1 of the rulebook, or before claims were made here, does not have."""
