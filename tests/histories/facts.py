"""Facts drawn at random, in the groups that a history mixes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from .book import CODES, LAKESIDE, NORTHSIDE, PAYERS, STRANGER

Fact = dict[str, Any]

START = date(2026, 10, 20)
DAYS = 24
ZONES = ("America/Chicago",) * 4 + ("America/Los_Angeles",) * 3 + ("Asia/Kolkata",)
PLACES = ("12", "32", "99")


def a_day(rng: Random, low: int = 0, high: int = DAYS) -> str:
    """A date of the three weeks."""
    return (START + timedelta(days=rng.randint(low, high))).isoformat()


def after(day: str, days: int) -> str:
    """The date so many days later."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def an_instant(rng: Random) -> datetime:
    """An instant of the three weeks, on the hour or half past it."""
    at = datetime(START.year, START.month, START.day, tzinfo=UTC)
    return at + timedelta(hours=rng.randint(0, DAYS * 24), minutes=rng.choice((0, 0, 30)))


def in_utc(at: datetime) -> str:
    """An instant as text."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def a_span(rng: Random, open_share: float = 0.4) -> dict[str, str]:
    """`from` and, unless open, `to`."""
    first, last = sorted((a_day(rng), a_day(rng)))
    return {"from": first} if rng.random() < open_share else {"from": first, "to": last}


def some_place(rng: Random, share: float) -> dict[str, str]:
    """Now and then another place of service than the home."""
    return {"place_of_service": rng.choice(PLACES)} if rng.random() < share else {}


def opening(rng: Random, patient: str) -> Fact:
    """The first entry of an episode."""
    provider = rng.choice((NORTHSIDE, NORTHSIDE, NORTHSIDE, LAKESIDE))
    fact = {"type": "EpisodeOpened", "patient": patient, "provider": provider, "zone": rng.choice(ZONES)}
    return fact | some_place(rng, 0.02)


def gates(rng: Random, *, calm: bool) -> list[Fact]:
    """What opens most gates of an episode, and nine days on which therapy was served, some left out."""
    payer = rng.choice(PAYERS[:2])
    papers: list[Fact] = [
        {"type": "CoverageVerified", "payer": payer, "member": "M", "from": "2026-01-01"},
        {"type": "DiagnosisRecorded", "icd10": "G89.3", "from": "2026-01-01"},
        {"type": "PlanSigned", "plan": "A", "signed_on": "2026-10-01", "from": "2026-10-01", "to": "2026-12-31"}
        | ({"signed_on": a_day(rng, 4, 14)} if rng.random() < 0.15 else {}),
        {"type": "AuthorizationGranted", "number": "N1", "payer": payer, "from": "2026-10-01", "to": "2026-12-31",
         "codes": list(rng.choice((CODES, CODES, CODES[:3]))), "units": rng.choice((9, 9, 3))},
        *({"type": "PainAssessed", "date": a_day(rng, day, day), "score": 4} for day in (0, 6, 12, 18)),
        ordered(rng) | {"from": START.isoformat(), "order": "A"},
    ]  # fmt: skip
    first, missed = rng.randint(0, 8), rng.choice((0, 0, 0.4))
    dates = [a_day(rng, d, d) for d in range(first, first + rng.choice((9, 9, 14))) if rng.random() >= missed]
    served = [{"type": "DayServed", "order": "A", "date": day} | some_place(rng, 0.02) for day in dates]
    decided = {
        "type": "ConflictResolved",
        "date": a_day(rng, first, first + 8),
        "bill": rng.choice((None, None, *CODES)),
    }
    decisions = [decided | {"reason": "decided"}] if not calm and rng.random() < 0.3 else []
    return [fact for fact in papers if calm or rng.random() < 0.97] + served + decisions


def ordered(rng: Random) -> Fact:
    """An order, most often signed before its first day."""
    fact: Fact = {
        "type": "TherapyOrdered",
        "order": rng.choice("AAB"),
        "mode": rng.choice(("continuous", "intermittent", "implanted_pump", "unspecified")),
        "prescriber": STRANGER,
        "interval_hours": rng.choice((24, 24, 24, 25, 48, 72, 72, 168)),
        **a_span(rng, 0.7),
    }
    signed = rng.choice(("2026-10-01",) * 8 + (a_day(rng), None))
    return fact if signed is None else fact | {"signed_on": signed}


def care(rng: Random) -> Fact:
    """Service, and the orders for it."""
    kind = rng.choice(("served",) * 5 + ("days", "run", "run", "visit", "order", "order", "stop"))
    infused = {"infused": rng.random() < 0.5} if rng.random() < 0.5 else {}
    if kind == "served":
        return {
            "type": "DayServed",
            "order": rng.choice("AAABC"),
            "date": a_day(rng),
            **infused,
            **some_place(rng, 0.06),
        }
    if kind == "days":
        span = a_span(rng, 0.0)
        return {"type": "DaysServed", "order": rng.choice("AAABC"), **span, **infused, **some_place(rng, 0.1)}
    if kind == "run":
        start = an_instant(rng)
        stop = start + timedelta(hours=rng.choice((1, 8, 23, 24, 25, 48, 71, 72, 100)))
        return {
            "type": "InfusionLogged",
            "order": rng.choice("AAB"),
            "started_at": in_utc(start),
            "stopped_at": in_utc(stop),
        }
    if kind == "visit":
        return {"type": "NursingVisited", "date": a_day(rng)}
    if kind == "order":
        return ordered(rng)
    return {"type": "TherapyStopped", "order": rng.choice("AB"), "date": a_day(rng, 8)}


def hospital(rng: Random) -> Fact:
    """An admission or a discharge, by instant or by date, of one of three numbers."""
    at = a_day(rng) if rng.random() < 0.4 else in_utc(an_instant(rng))
    kind = rng.choice(("HospitalAdmitted", "HospitalDischarged", "HospitalDischarged"))
    return {"type": kind, "stay": rng.choice("STU"), "at": at}


def absence(rng: Random) -> Fact:
    """What keeps the patient from being served at home."""
    return rng.choice(
        [
            {"type": "FacilityStayed", "kind": "snf", **a_span(rng, 0.1)},
            {"type": "HospiceElected", **a_span(rng, 0.3)},
            {"type": "TherapyHeld", "hold": rng.choice("HI"), "from": a_day(rng)},
            {"type": "TherapyHeld", "hold": rng.choice("HI"), "from": a_day(rng)},
            {"type": "TherapyResumed", "hold": rng.choice("HI"), "date": a_day(rng)},
            {"type": "TherapyResumed", "hold": rng.choice("HI"), "date": a_day(rng)},
            {"type": "PatientDied", "date": a_day(rng, 15)},
            {"type": "Discharged", "date": a_day(rng, 12)},
        ]
    )


def papers(rng: Random) -> Fact:
    """Coverage, papers, and what changes by day: provider, rank, supply."""
    payer, member = rng.choice(PAYERS), rng.choice(("M", "M", "M-2"))
    supply = {"days_supply": rng.choice((1, 2, 3, 5, 9))} if rng.random() < 0.8 else {}
    dispensed = {"date": a_day(rng), "quantity": rng.choice((1, "2.5")), **supply}
    return rng.choice(
        [
            *[{"type": "CoverageVerified", "payer": payer, "member": member, "rank": rng.randint(1, 2), **a_span(rng)}]
            * 3,
            *[{"type": "CoverageEnded", "payer": payer, "last_date": a_day(rng)}] * 2,
            {"type": "DiagnosisRecorded", "icd10": "M54.50", **a_span(rng)},
            {"type": "PlanSigned", "plan": "B", "signed_on": a_day(rng), **a_span(rng, 0.0)},
            {"type": "PainAssessed", "date": a_day(rng), "score": 3},
            {"type": "ProviderChanged", "provider": rng.choice((NORTHSIDE, LAKESIDE)), "from": a_day(rng)},
            *[{"type": "TherapyRanked", "rank": rng.choice((1, 2, 2, 3, 4)), **a_span(rng)}] * 2,
            {"type": "DrugDispensed", "ndc": "00409117530", "unit": "ML", **dispensed},
            {"type": "SupplyDispensed", "item": "tubing", **dispensed},
        ]
    )


def beside(rng: Random) -> Fact:
    """What is billed beside the per diem, authorizations, and decisions."""
    other = ("A4222", "E0781", "S5501", "S9810", "J2270", "A4223")
    biller = rng.choice(({}, {"billed_by": NORTHSIDE}, {"billed_by": LAKESIDE}, {"billed_by": STRANGER}))
    decided = {"type": "ConflictResolved", "date": a_day(rng), "bill": rng.choice((None, *CODES)), "reason": "decided"}
    return rng.choice(
        [
            {"type": "DrugBilledSeparately", "hcpcs": rng.choice(other), "units": 2, **a_span(rng)},
            {"type": "ServiceBilledSeparately", "code": rng.choice(other), **a_span(rng)},
            {"type": "ServiceBilledSeparately", "code": rng.choice(CODES), "billed_by": STRANGER, **a_span(rng)},
            {"type": "ServiceBilledSeparately", "code": rng.choice(("S9338", "S9500")), **a_span(rng), **biller},
            *[{"type": "AuthorizationGranted", "number": rng.choice(("N1", "N2")), "payer": rng.choice(PAYERS[:2]),
               "codes": rng.choice(([rng.choice(CODES)], list(CODES))), "units": rng.randint(1, 5),
               **a_span(rng, 0.0)}] * 2,
            decided,
            decided,
        ]
    )  # fmt: skip


def claims(rng: Random) -> Fact:
    """A claim: first, replacement or void, of few numbers, so that they meet."""
    numbers = ("C1", "C2", "C3")
    replaced = rng.choice(({}, {"replaces": rng.choice(numbers)}, {"replaces": rng.choice((*numbers, "C9"))}))
    sent = {"sent_on": a_day(rng)} if rng.random() < 0.4 else {}
    lines = [claim_line(rng) for _ in range(rng.randint(1, 3))]
    fact = {"type": "ClaimSubmitted", "claim": rng.choice(numbers), "payer": rng.choice(PAYERS[:2]), "lines": lines}
    return fact | replaced | sent | {"frequency": rng.choice("1178")}


def claim_line(rng: Random) -> Fact:
    """A line of a claim, its units most often right."""
    span = a_span(rng, 0.0)
    if rng.random() < 0.5:
        span["to"] = min(span["to"], after(span["from"], 3))
    days = (date.fromisoformat(span["to"]) - date.fromisoformat(span["from"])).days + 1
    code = rng.choice((*CODES, "S9325", "S9325", "A4222", "S5502"))
    modifiers = {"modifiers": ["SH"]} if rng.random() < 0.1 else {}
    units = days if rng.random() < 0.8 else 3
    return {"code": code, "units": units, "charge_cents": days * 9000, **span, **modifiers}


GROUPS: list[tuple[Callable[[Random], Fact], float]] = [
    (care, 6),
    (hospital, 0.25),
    (absence, 0.35),
    (papers, 1),
    (beside, 1.5),
    (claims, 1.2),
]
"""Every group with its weight; a history draws how much of each it wants."""
