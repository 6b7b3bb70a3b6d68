"""A book drawn at random: two payers with two or three editions each, two providers and their agreements."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

NORTHSIDE, LAKESIDE, STRANGER = "1234567893", "1999999984", "1245319599"
PAYERS = ("alpha", "beta", "nowhere")
"""The last has no terms."""
CODES = ("S9325", "S9326", "S9327", "S9328")
CHOICES: dict[str, tuple[Any, ...]] = {
    "pain_code": ("specific", "specific", "specific", "general"),
    "day_counting": ("access", "access", "course", "course", "infused", "infused_or_nursing", "rolling_24h"),
    "course_gap_days": (14, 3, 1, 0),
    "accepts_s_codes": (True,) * 24 + (False,),
    "max_interval_hours": (72, 48, 168),
    "inpatient_rule": ("served", "midnight_census", "any_overlap"),
    "hold_days": ("not_billable", "access"),
    "facility_days": ("not_billable", "billable"),
    "midday_switch": ("new_order", "old_order"),
    "places_of_service": (["12"], ["12", "32"], ["12", "32", "99"]),
    "agreement_required": (True, False),
    "auth_required": (True, True, True, False),
    "order_signature": ("none", "before_claim", "before_service"),
    "documentation": (["diagnosis", "plan", "pain_assessment"], ["plan"], []),
    "plan_signature": ("before_service", "before_claim"),
    "plan_max_days": (90, 60, 30),
    "pain_assessment_days": (14, 7, 3, 0),
    "exclusion_scope": ("patient_day", "patient_day_payer"),
    "bundled_exceptions": ([], ["A4222"]),
    "charge_cents": ({"S9325": 15000}, {"S9325": 15000, "S9326": 16000, "S9327": 17000, "S9328": 18000}),
    "concurrent_percent": ([100, 50, 0], [100, 0], [100, 75], [90, 33, 33, 0]),
    "concurrent_modifiers": (["", "SH", "SJ"], ["GY", "SH"], ["", "", "SJ", "GT"]),
    "place_modifiers": ({"32": ["GT"]}, {"12": ["SH"], "32": ["GT", "SJ"]}),
    "line_style": ("span", "span", "per_day"),
    "line_max_days": (31, 3),
    "split_on_month": (True, False),
}
"""The values of each key of an edition; half the editions keep a key's default."""
CALM: dict[str, Any] = {
    "accepts_s_codes": True,
    "max_interval_hours": 168,
    "places_of_service": ["12", "32", "99"],
    "agreement_required": False,
    "order_signature": "none",
    "documentation": [],
}
"""Terms that ask for little."""
ALWAYS = ("pain_code", "day_counting", "accepts_s_codes")


def book(rng: Random, *, calm: bool = False) -> dict[str, Any]:
    """Codes, payers and providers in the shape of the TOML files; calm terms ask for little."""
    agreements = [{"payer": payer, "signed_on": date(2025, 1, 1), "from": date(2025, 2, 1)} for payer in PAYERS[:2]]
    short = [dict(agreements[0], signed_on=date(2026, 10, 24), to=date(2026, 11, 6)), agreements[1]]
    return {
        "codes": codes(),
        "payers": [payer(rng, "alpha", calm), payer(rng, "beta", calm)],
        "providers": [
            {"npi": NORTHSIDE, "name": "N", "taxonomy": "3336H0001X", "agreements": agreements + agreed_rates(rng)},
            {"npi": LAKESIDE, "name": "L", "taxonomy": "3336H0001X", "agreements": short},
        ],
    }


def codes() -> list[dict[str, Any]]:
    """The table of codes, one of them out of force from November 4 on."""
    included = ["A4222", "A4223", "E0781"]
    table = [code(each, "pain", includes=included) for each in CODES]
    table[3]["to"] = date(2026, 11, 3)
    table += [code("S5501", "catheter_care"), code("S5502", "catheter_care"), code("S9810", "pharmacy_hours")]
    return [*table, code("S9338", "therapy"), code("S9500", "therapy")]


def code(name: str, family: str, **more: Any) -> dict[str, Any]:
    """One row of the table."""
    return {"code": name, "family": family, "label": name, "from": date(2002, 1, 1), "source": "HCPCS", **more}


def agreed_rates(rng: Random) -> list[dict[str, Any]]:
    """Agreements with rates of their own, signed before they begin or after."""
    found = []
    for number in range(rng.choice((0, 0, 1, 2))):
        begins = date(2026, 10, 1) + timedelta(days=rng.randint(0, 30))
        signed = begins + timedelta(days=rng.choice((-20, 3, 13)) + number)
        rates = {each: 7001 + 100 * number + 7 * CODES.index(each) for each in rng.sample(CODES, 3)}
        found.append({"payer": rng.choice(PAYERS[:2]), "signed_on": signed, "from": begins, "rate_cents": rates})
    return found


def payer(rng: Random, name: str, calm: bool) -> dict[str, Any]:
    """A payer with one to three editions, the later ones published late."""
    start = date(2026, 10, 20)
    terms = [edition(rng, calm, date(2025, 1, 1), date(2024, 6, 1))]
    if rng.random() < (0.2 if calm else 0.6):
        terms.append(
            edition(rng, calm, start + timedelta(days=rng.randint(0, 20)), date(2026, 10, rng.randint(20, 31)))
        )
    if rng.random() < 0.3:
        terms.append(edition(rng, calm, terms[-1]["from"], date(2026, 11, rng.randint(1, 20))))
    return {"id": name, "name": name, "kind": "commercial", "terms": terms}


def edition(rng: Random, calm: bool, from_: date, published: date) -> dict[str, Any]:
    """One edition, every term drawn anew."""
    rates = {each: 9000 + 101 * place for place, each in enumerate(CODES)}
    if rng.random() < 0.1:
        del rates[rng.choice(CODES)]
    terms = {key: rng.choice(values) for key, values in CHOICES.items() if key in ALWAYS or rng.random() < 0.5}
    return terms | (CALM if calm else {}) | window(terms) | {
        "from": from_, "published": published, "source": "invented", "checked": published, "rate_cents": rates,
    }  # fmt: skip


def window(terms: dict[str, Any]) -> dict[str, Any]:
    """Of some editions until when corrections are taken; drawn from the other terms, which stay as they were."""
    rng = Random(repr(sorted(terms.items())))
    if rng.random() < 0.5:
        return {}
    return {"correction_days": rng.choice((1, 10, 30)), "correction_from": rng.choice(("service", "remittance"))}
