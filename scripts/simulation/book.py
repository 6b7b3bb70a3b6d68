"""The simulated book: eight payers, five providers. Every rate, name and edition here is invented."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from .clock import number_of

Terms = dict[str, Any]
Rates = dict[str, int]
Agreed = tuple[str, date, date, date | None, Rates | None]
CODE_OF_MODE = {"continuous": "S9326", "intermittent": "S9327", "implanted_pump": "S9328", "unspecified": "S9325"}
GAP_DAYS = 14
"""How long a course runs on without evidence, at the payer that counts it."""
_CHECKED = date(2026, 11, 1)


def npi(nine: int) -> str:
    """The NPI with these nine digits: a Luhn check digit over 80840 and the number."""
    total = 0
    for place, digit in enumerate(reversed(f"80840{nine:09d}")):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{nine:09d}{-total % 10}"


class Payer(NamedTuple):
    """A payer and its editions of terms, as they stand in the book."""

    id: str
    name: str
    kind: str
    terms: tuple[Terms, ...]

    def terms_on(self, day: int, known: int) -> Terms | None:
        """The edition in force on a service date, of those published by the day `known`."""
        best: Terms | None = None
        for terms in self.terms:
            if number_of(terms["from"]) > day or number_of(terms["published"]) > known:
                continue
            if best is None or (terms["from"], terms["published"]) > (best["from"], best["published"]):
                best = terms
        return best


class Provider(NamedTuple):
    """A home infusion provider; an agreement is (payer, signed_on, from, to or None, rates or None)."""

    npi: str
    name: str
    agreements: tuple[Agreed, ...]

    def agrees(self, payer: Payer, day: int) -> bool:
        """Whether an agreement with the payer counts on this day."""
        return self._agreement(payer, day) is not None

    def rates(self, payer: Payer, day: int) -> Rates:
        """The rates of the agreement that counts on this day; none where it leaves them to the payer's terms."""
        agreed = self._agreement(payer, day)
        return (agreed[4] or {}) if agreed else {}

    def _agreement(self, payer: Payer, day: int) -> Agreed | None:
        for agreed in self.agreements:
            owner, signed, start, end, _ = agreed
            if owner == payer.id and number_of(max(signed, start)) <= day and (end is None or day <= number_of(end)):
                return agreed
        return None


def _edition(start: date, published: date, counting: str, pain: str, rates: dict[str, int], **more: Any) -> Terms:
    return {
        "from": start,
        "published": published,
        "checked": _CHECKED,
        "source": more.pop("source", "Invented for the simulation"),
        "accepts_s_codes": more.pop("accepts", True),
        "pain_code": pain,
        "day_counting": counting,
        **more,
        "rate_cents": rates,
    }


def _specific(base: int) -> dict[str, int]:
    return {"S9325": base, "S9326": base + 800, "S9327": base - 900, "S9328": base - 1400}


_OLD, _OLD_PUBLISHED = date(2022, 1, 1), date(2021, 11, 10)
_ND = "Day rule after BCBS North Dakota's public home infusion policy; rates invented"
_TX = "Day rule after BCBS Texas home infusion schedule 2015; rates invented"
_NC = "Day rule after the BCBS North Carolina notice of 2011-04-21; rates invented"
_OR = "Day rule after Oregon Administrative Rules 410-148; rates invented"

PRAIRIE = Payer(
    "prairie-blue",
    "Prairie Blue (simulated)",
    "commercial",
    (
        _edition(_OLD, _OLD_PUBLISHED, "infused", "general", {"S9325": 9000}, source=_ND),
        _edition(date(2025, 1, 1), date(2024, 11, 15), "infused", "general", {"S9325": 9400}, source=_ND),
        # told late: known only from the twentieth of August on
        _edition(date(2025, 7, 1), date(2025, 8, 20), "infused", "specific", _specific(9400)),
    ),
)
GULF = Payer(
    "gulf-shield",
    "Gulf Shield (simulated)",
    "commercial",
    (
        _edition(
            _OLD, _OLD_PUBLISHED, "infused_or_nursing", "general", {"S9325": 8800},
            source=_TX, auth_required=True, line_style="per_day", timely_filing_days=95,
            concurrent_percent=[100, 50, 0],
        ),
    ),
)  # fmt: skip
LAKESHORE = Payer(
    "lakeshore-access",
    "Lakeshore Access (simulated)",
    "commercial",
    (
        _edition(
            _OLD, _OLD_PUBLISHED, "access", "specific", _specific(10_000),
            hold_days="access", exclusion_scope="patient_day_payer", line_max_days=14, split_on_month=False,
        ),
        _edition(
            date(2024, 7, 1), date(2024, 5, 2), "access", "specific", _specific(10_300), charge_cents=_specific(15_000),
            hold_days="not_billable", exclusion_scope="patient_day_payer", line_max_days=14, split_on_month=False,
        ),
    ),
)  # fmt: skip
CAROLINA = Payer(
    "carolina-hours",
    "Carolina Hours (simulated)",
    "commercial",
    (
        _edition(
            _OLD, _OLD_PUBLISHED, "rolling_24h", "general", {"S9325": 11_000},
            source=_NC, plan_signature="before_claim", pain_assessment_days=14,
        ),
    ),
)  # fmt: skip
SUMMIT = Payer(
    "summit-choice",
    "Summit Choice (simulated)",
    "commercial",
    (
        _edition(
            _OLD, _OLD_PUBLISHED, "infused", "specific", _specific(9700),
            auth_required=True, inpatient_rule="midnight_census", midday_switch="old_order",
            order_signature="before_service", plan_max_days=60,
        ),
    ),
)  # fmt: skip
MEDICAID = Payer(
    "cascade-medicaid",
    "Cascade Medicaid (simulated)",
    "medicaid",
    (
        _edition(
            _OLD, _OLD_PUBLISHED, "course", "general", {"S9325": 7200},
            course_gap_days=GAP_DAYS, place_modifiers={"13": ["SS"]},
            source=_OR, inpatient_rule="any_overlap", facility_days="billable", places_of_service=["12", "13"],
            documentation=["diagnosis", "plan"], bundled_exceptions=["A4222"], timely_filing_days=365,
        ),
    ),
)  # fmt: skip
HARBOR = Payer(
    "harbor-mutual",
    "Harbor Mutual (simulated)",
    "commercial",
    (
        _edition(
            date(2023, 7, 1), date(2023, 5, 15), "access", "specific",
            {"S9325": 8000, "S9326": 8900, "S9327": 7700},  # no rate for an implanted pump
            max_interval_hours=48, agreement_required=False, documentation=["plan"], order_signature="none",
        ),
    ),
)  # fmt: skip
MEDICARE = Payer(
    "medicare",
    "Medicare",
    "medicare",
    (
        _edition(
            date(2002, 1, 1), date(2001, 12, 1), "access", "general", {},
            source="HCPCS S9325: not payable by Medicare", accepts=False,
        ),
    ),
)  # fmt: skip

PAYERS = (PRAIRIE, GULF, LAKESHORE, CAROLINA, SUMMIT, MEDICAID, HARBOR, MEDICARE)
_PAYING = tuple(p.id for p in PAYERS if p is not MEDICARE)


def _everyone(*but: str, rates: dict[str, Rates] | None = None) -> tuple[Agreed, ...]:
    own = rates or {}
    return tuple((p, date(2021, 12, 1), date(2022, 1, 1), None, own.get(p)) for p in _PAYING if p not in but)


PROVIDERS = (
    Provider(npi(123456789), "Northside Home Infusion (simulated)", _everyone()),
    Provider(
        npi(130046721),
        "Riverbend Infusion Care (simulated)",
        _everyone(rates={"carolina-hours": {"S9325": 10_400}, "summit-choice": {"S9326": 10_900}}),
    ),
    Provider(npi(144107385), "Harborview Home Pharmacy (simulated)", _everyone()),
    Provider(npi(151992640), "Desert Sky Infusion (simulated)", _everyone("summit-choice", "gulf-shield")),
    Provider(
        npi(168203954),
        "Foothill Home Therapies (simulated)",
        (
            *_everyone("lakeshore-access", "carolina-hours"),
            ("lakeshore-access", date(2024, 9, 16), date(2023, 1, 1), None, None),  # in force only once signed
            ("carolina-hours", date(2021, 12, 1), date(2022, 1, 1), date(2024, 12, 31), None),
        ),
    ),
)
PRESCRIBERS = tuple(npi(170_000_000 + 7_919 * n) for n in range(40))
OUTSIDERS = tuple(npi(190_000_000 + 104_729 * n) for n in range(12))  # providers of others, never an episode's own


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }" if value else "{}"
    return str(value)


def _table(pairs: dict[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in pairs.items())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_book(folder: Path) -> None:
    """Write the payers' and providers' files; codes stay the packaged ones."""
    for payer in PAYERS:
        head = _table({"id": payer.id, "name": payer.name, "kind": payer.kind})
        parts = [head, *("[[terms]]\n" + _table(terms) for terms in payer.terms)]
        _write(folder / "payers" / f"{payer.id}.toml", "\n".join(parts))
    for provider in PROVIDERS:
        parts = [_table({"npi": provider.npi, "name": provider.name, "taxonomy": "3336H0001X"})]
        for owner, signed, start, end, rates in provider.agreements:
            row = {"payer": owner, "signed_on": signed, "from": start, "to": end, "rate_cents": rates}
            parts.append("[[agreements]]\n" + _table({key: value for key, value in row.items() if value is not None}))
        slug = provider.name.split(" ")[0].lower()
        _write(folder / "providers" / f"{slug}.toml", "\n".join(parts))
