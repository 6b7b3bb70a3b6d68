"""The page docs/reference/terms.md: every key of the book's files, made from the structs that read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

from ledger.book import Agreement, Code, Payer, Provider, Terms
from ledger.facts.forms import LARGEST_INTEGER

_MEANS: Final[dict[type[msgspec.Struct], dict[str, str]]] = {
    Payer: {
        "id": "the name that facts use: `payer` of a `CoverageVerified`",
        "name": "the name people read",
        "kind": "what it is; `medicaid` gives refunds a date (60 days)",
        "terms": "its editions, one `[[terms]]` table each",
    },
    Terms: {
        "from": "the first service date this edition governs, until the next one begins",
        "published": "when the payer published it: nothing before that date knows of it",
        "source": "where it says so: document, section, date",
        "checked": "when somebody last compared it with the source; changes no verdict",
        "accepts_s_codes": "whether the payer takes S codes at all; if not, the next covering payer is asked",
        "pain_code": "`general`: S9325 for every mode of therapy; `specific`: S9326, S9327, S9328 by mode",
        "day_counting": "which dates count as served (rulebook, *Served*)",
        "course_gap_days": "under `course`: how many days after the last evidence the course still runs",
        "rate_cents": "what the payer pays for a day, by code; a code not in it has no rate (`hold no_rate`)",
        "charge_cents": "what the house asks for a day, by code; a code not in it: the rate",
        "max_interval_hours": "doses further apart than this earn no per diem",
        "inpatient_rule": "which dates of a hospital stay are lost: those between, those counted at midnight, or all it touches",
        "hold_days": "whether days of a therapy hold count as access",
        "facility_days": "whether days in a nursing facility can be billed",
        "midday_switch": "which order gives the code on a day when one ends and another begins",
        "places_of_service": "the places whose days the payer covers; 12 is the home",
        "agreement_required": "whether the provider needs an agreement in force",
        "auth_required": "whether each day draws a unit from a prior authorization",
        "order_signature": "whether, and by when, the order has to be signed",
        "documentation": "what has to be on file for a day",
        "plan_signature": "whether the plan is signed before the day, or at the latest before the claim",
        "plan_max_days": "a plan covers no more dates than this, from its `from`",
        "pain_assessment_days": "how many days before a date pain may last have been assessed",
        "exclusion_scope": "whether days of one patient clash in any case, or only with the same payer",
        "bundled_exceptions": "bundled codes that this payer pays apart",
        "concurrent_percent": "what a day pays at therapy rank 1, 2, 3, …, the last for all further ranks",
        "concurrent_modifiers": "the modifier of each therapy rank",
        "place_modifiers": "modifiers by place of service",
        "line_style": "`span`: consecutive days on one claim line; `per_day`: a line a day",
        "line_max_days": "the longest line",
        "split_on_month": "whether a line ends at a month's end",
        "timely_filing_days": "days after service within which the payer accepts the claim; changes no verdict",
    },
    Provider: {
        "npi": "the National Provider Identifier, with a valid check digit",
        "name": "the name people read",
        "taxonomy": "its trade: 3336H0001X is a home infusion pharmacy",
        "agreements": "one `[[agreements]]` table each",
    },
    Agreement: {
        "payer": "the payer's `id`",
        "signed_on": "when both had signed: it counts from the later of this and `from`",
        "from": "the first service date it covers",
        "to": "the last one; without it, open",
        "rate_cents": "what this agreement pays for a day, by code, in place of the terms' rates",
    },
    Code: {
        "code": "five characters",
        "family": "what kind of code it is: pain, catheter_care, pharmacy_hours, bundled, therapy, nursing or drug",
        "label": "in the project's own words",
        "from": "the first service date it is in force",
        "to": "the last one; without it, open",
        "source": "where it is published",
        "excludes": "codes its descriptor rules out beside it; documents the descriptor, the steps apply the rulebook's pairs",
        "includes": "bundled items that it already pays for",
    },
}  # fmt: skip
"""What each key means; a key without a meaning fails."""

_INTRODUCTION: Final = """\
# Terms and the other files of the book

Made from `ledger/book/tables.py` by `scripts/reference`; do not edit.

The book is a folder: `payers/*.toml`, `providers/*.toml`, and `codes.toml` if it replaces the packaged one. Dates are TOML dates,
money is whole cents: 133.00 is `13300`. Misspelt keys, values that are not listed, text that is not in Unicode NFC and whatever is
there twice are refused, all mistakes at once, with file, key and what is allowed.

How to write one: [add a payer](../how-to/add-a-payer.md). The rules that read it: [rulebook](rulebook.md), section 3.
"""
_FILES: Final = (
    ("payers/*.toml", Payer),
    ("[[terms]] of a payer", Terms),
    ("providers/*.toml", Provider),
    ("[[agreements]] of a provider", Agreement),
    ("[[codes]] of codes.toml", Code),
)


def terms_page() -> str:
    """docs/reference/terms.md."""
    parts = [_INTRODUCTION]
    for title, struct in _FILES:
        parts.append(f"## {title}\n")
        head = ["| Key | Values | Default | Meaning |", "| --- | --- | --- | --- |"]
        parts.append("\n".join([*head, *_rows(struct)]) + "\n")
    return "\n".join(parts)


def _rows(struct: type[msgspec.Struct]) -> Iterator[str]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        means = _MEANS[struct][field.encode_name]
        yield f"| `{field.encode_name}` | {_values(field.type)} | {_default(field)} | {means} |"


def _default(field: inspect.Field) -> str:
    if field.required:
        return "required"
    default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return "none" if default is None or default is msgspec.UNSET else f"`{json.dumps(default)}`"


def _values(kind: Any) -> str:
    """What may stand there, in words."""
    match kind:
        case inspect.Metadata():
            return _values(kind.type)
        case inspect.LiteralType():
            return ", ".join(f"`{each}`" for each in sorted(kind.values))
        case inspect.UnionType():
            return " or ".join(_values(each) for each in kind.types if not isinstance(each, inspect.NoneType))
        case inspect.VarTupleType():
            return "tables" if isinstance(kind.item_type, inspect.StructType) else f"list of {_values(kind.item_type)}"
        case inspect.DictType():
            key = "code" if isinstance(kind.value_type, inspect.Metadata) and _is_number(kind.value_type) else "place"
            return f"table of {key} = {_values(kind.value_type)}"
        case inspect.IntType():
            return _whole_number(kind)
    return {inspect.DateType: "date", inspect.BoolType: "`true`, `false`", inspect.StrType: "text"}[type(kind)]


def _is_number(kind: inspect.Metadata) -> bool:
    return isinstance(kind.type, inspect.IntType)


def _whole_number(kind: inspect.IntType) -> str:
    bounds = [f"at least {kind.ge}"] if kind.ge is not None else []
    bounds += [f"at most {kind.le}"] if kind.le is not None and kind.le < LARGEST_INTEGER else []
    return "whole number" + "".join(f", {bound}" for bound in bounds)
