"""Random histories that reach deep into the rulebook: facts, corrections, retractions and claims over three weeks.

``history(rng)`` draws every choice from ``rng``, so that it serves seeded loops and Hypothesis alike (``st.randoms``).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

NORTHSIDE, LAKESIDE, STRANGER = "1234567893", "1999999984", "1245319599"
START = date(2026, 10, 20)
DAYS = 24
ZONES = ("America/Chicago", "America/Los_Angeles")
PAYERS = ("alpha", "beta", "nowhere")
PER_DIEM = {"continuous": "S9326", "intermittent": "S9327", "implanted_pump": "S9328", "unspecified": "S9325"}
MODES, CODES = tuple(PER_DIEM), tuple(sorted(PER_DIEM.values()))


def history(rng: Random) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Accepted intake entries in recorded order (each with ``recorded_at``), and the book to judge them by."""
    teller = _Teller(rng)
    episodes = [("E1", "P1"), ("E2", "P1"), ("E3", "P2")][: rng.choice((1, 2, 2, 2, 3))]
    for episode, patient in episodes:
        teller.tell(episode, _opening(rng, patient))
    for episode, _ in episodes:
        for fact in _gates(rng):
            teller.tell(episode, fact)
    weights = rng.choice(((8, 0.2, 2), (8, 0.2, 6), (6, 3, 2)))
    for _ in range(rng.randint(5, 45)):
        episode = rng.choice(episodes)[0]
        teller.tell(episode, rng.choices([_care, _trouble, _money], weights)[0](rng))
        if rng.random() < 0.12:
            teller.mend(episode)
    tables = book(rng)
    if len(episodes) > 1 and rng.random() < 0.4:
        _settle(rng, teller, [episode for episode, _ in episodes], tables)
    return teller.entries, tables


def _settle(rng: Random, teller: _Teller, episodes: list[str], tables: dict[str, Any]) -> None:
    """Orders whose codes conflict on a day or two, settled by a human or not, beside the other episodes' service."""
    for terms in (terms for payer in tables["payers"] for terms in payer["terms"]):
        terms["pain_code"] = rng.choice(("specific", "specific", terms["pain_code"]))
    first, several = rng.randint(4, 18), rng.choice(episodes)
    for episode in rng.sample(episodes, len(episodes)):
        modes = rng.sample(MODES, 2 if episode == several else rng.choice((0, 1, 1)))
        for order, mode in zip("YZ", modes, strict=False):
            ordered = {"type": "TherapyOrdered", "order": order, "mode": mode, "prescriber": STRANGER}
            teller.tell(episode, ordered | {"from": START.isoformat()})
            for day in range(first, first + rng.choice((1, 2))):
                teller.tell(episode, {"type": "DayServed", "order": order, "date": _day(rng, day, day)})
        if len(modes) > 1 and rng.random() < 0.9:
            code = PER_DIEM[rng.choice((*modes, *modes, *modes, *MODES))]
            decided = {"type": "ConflictResolved", "date": _day(rng, first, first), "bill": code}
            teller.tell(episode, decided | {"reason": "decided"})
    if rng.random() < 0.15:
        teller.mend(rng.choice(episodes))


class _Teller:
    def __init__(self, rng: Random) -> None:
        self.rng, self.entries = rng, []  # type: tuple[Random, list[dict[str, Any]]]
        self.clock = datetime(2026, 10, 25, 3, tzinfo=UTC)

    def tell(self, episode: str, fact: dict[str, Any]) -> None:
        self.clock += timedelta(minutes=self.rng.choice((0, 1, 600, 1441)))
        self.entries.append(
            {
                "episode": episode,
                "source": self.rng.choice(("pump", "chart")),
                "id": str(len(self.entries)),
                "by": "rn-1",
                "recorded_at": self.clock.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "fact": fact,
            }
        )

    def mend(self, episode: str) -> None:
        earlier = [entry for entry in self.entries if entry["episode"] == episode]
        target = self.rng.choice(earlier)
        root = _root(earlier, target)
        naming = {"target_source": target["source"], "target_id": target["id"], "reason": "mistaken"}
        retracts = target["fact"]["type"] == "FactRetracted" or self.rng.random() < 0.5
        if retracts and target["fact"]["type"] != "EpisodeOpened":
            self.tell(episode, {"type": "FactRetracted", **naming})
        elif root["fact"]["type"] == "EpisodeOpened":
            right = _opening(self.rng, self.rng.choice(("P1", "P1", "P2")))
            self.tell(episode, {"type": "FactCorrected", **naming, "fact": right})
        elif target["fact"]["type"] != "FactRetracted":
            right = self.rng.choice((_care, _trouble, _money))(self.rng)
            self.tell(episode, {"type": "FactCorrected", **naming, "fact": right})


def _root(entries: list[dict[str, Any]], entry: dict[str, Any]) -> dict[str, Any]:
    while entry["fact"]["type"] == "FactCorrected":
        named = (entry["fact"]["target_source"], entry["fact"]["target_id"])
        entry = next(e for e in entries if (e["source"], e["id"]) == named)
    return entry


def _day(rng: Random, low: int = 0, high: int = DAYS) -> str:
    return (START + timedelta(days=rng.randint(low, high))).isoformat()


def _instant(rng: Random) -> datetime:
    at = datetime(START.year, START.month, START.day, tzinfo=UTC)
    return at + timedelta(hours=rng.randint(0, DAYS * 24), minutes=rng.choice((0, 0, 30)))


def _span(rng: Random, open_share: float = 0.4) -> dict[str, str]:
    first, last = sorted((_day(rng), _day(rng)))
    return {"from": first} if rng.random() < open_share else {"from": first, "to": last}


def _opening(rng: Random, patient: str) -> dict[str, Any]:
    fact = {
        "type": "EpisodeOpened",
        "patient": patient,
        "provider": rng.choice((NORTHSIDE, NORTHSIDE, NORTHSIDE, LAKESIDE)),
        "zone": rng.choice(ZONES),
    }
    return fact | ({"place_of_service": "32"} if rng.random() < 0.03 else {})


def _gates(rng: Random) -> list[dict[str, Any]]:
    payer = rng.choice(PAYERS[:2])
    facts: list[dict[str, Any]] = [
        {"type": "CoverageVerified", "payer": payer, "member": "M", "from": "2026-01-01"},
        {"type": "DiagnosisRecorded", "icd10": "G89.3", "from": "2026-01-01"},
        {"type": "PlanSigned", "plan": "A", "signed_on": "2026-10-01", "from": "2026-10-01", "to": "2026-12-31"}
        | ({"signed_on": _day(rng, 4, 14)} if rng.random() < 0.15 else {}),
        {"type": "AuthorizationGranted", "number": "N1", "payer": payer, "from": "2026-10-01", "to": "2026-12-31",
         "codes": list(rng.choice((CODES, CODES, CODES[:3]))), "units": rng.choice((9, 9, 3))},
        *({"type": "PainAssessed", "date": _day(rng, day, day), "score": 4} for day in (0, 6, 12, 18)),
        _order(rng) | {"from": START.isoformat(), "order": "A"},
    ]  # fmt: skip
    first = rng.randint(0, 10)
    served = [{"type": "DayServed", "order": "A", "date": _day(rng, d, d)} for d in range(first, first + 9)]
    decided = {"type": "ConflictResolved", "date": rng.choice(served)["date"], "bill": rng.choice((None, *CODES))}
    decisions = [decided | {"reason": "decided"}] if rng.random() < 0.25 else []
    return [fact for fact in facts if rng.random() < 0.95] + served + decisions


def _order(rng: Random) -> dict[str, Any]:
    return {
        "type": "TherapyOrdered",
        "order": rng.choice("AAB"),
        "mode": rng.choice(MODES),
        "prescriber": STRANGER,
        "interval_hours": rng.choice((24, 24, 25, 48, 72, 168)),
        **_span(rng, 0.7),
    }


def _care(rng: Random) -> dict[str, Any]:
    kind = rng.choice(("served", "served", "served", "served", "served", "run", "visit", "order", "stop"))
    if kind == "served":
        infused = {"infused": False} if rng.random() < 0.25 else {}
        return {"type": "DayServed", "order": rng.choice("AAABC"), "date": _day(rng), **infused}
    if kind == "run":
        start = _instant(rng)
        stop = start + timedelta(hours=rng.choice((1, 8, 23, 24, 25, 48, 71, 72, 100)))
        text = [at.strftime("%Y-%m-%dT%H:%MZ") for at in (start, stop)]
        return {"type": "InfusionLogged", "order": rng.choice("AAB"), "started_at": text[0], "stopped_at": text[1]}
    if kind == "visit":
        return {"type": "NursingVisited", "date": _day(rng)}
    if kind == "order":
        return _order(rng)
    return {"type": "TherapyStopped", "order": rng.choice("AB"), "date": _day(rng, 8)}


def _trouble(rng: Random) -> dict[str, Any]:
    at = _instant(rng).strftime("%Y-%m-%dT%H:%M:%SZ")
    payer = rng.choice(PAYERS)
    return rng.choice(
        [
            {"type": "CoverageVerified", "payer": payer, "member": "M", "rank": rng.randint(1, 2), **_span(rng)},
            {"type": "CoverageEnded", "payer": payer, "last_date": _day(rng)},
            {"type": "HospitalAdmitted", "stay": rng.choice("ST"), "at": at},
            {"type": "HospitalDischarged", "stay": rng.choice("ST"), "at": at},
            {"type": "HospitalDischarged", "stay": rng.choice("ST"), "at": at},
            {"type": "FacilityStayed", "kind": "snf", **_span(rng, 0.1)},
            {"type": "HospiceElected", **_span(rng, 0.3)},
            {"type": "TherapyHeld", "hold": rng.choice("HI"), "from": _day(rng)},
            {"type": "TherapyResumed", "hold": rng.choice("HI"), "date": _day(rng)},
            {"type": "PatientDied", "date": _day(rng, 15)},
            {"type": "Discharged", "date": _day(rng, 12)},
            {"type": "DiagnosisRecorded", "icd10": "M54.50", **_span(rng)},
            {"type": "PlanSigned", "plan": "B", "signed_on": _day(rng), **_span(rng, 0.0)},
            {"type": "PainAssessed", "date": _day(rng), "score": 3},
        ]
    )


def _money(rng: Random) -> dict[str, Any]:
    other = ("A4222", "E0781", "S5501", "S9810", "J2270", "A4223")
    number = rng.choice(("C1", "C2", "C3"))
    replaced = rng.choice(({}, {"replaces": rng.choice(("C1", "C2", "C3"))}))
    return rng.choice(
        [
            {"type": "DrugBilledSeparately", "hcpcs": rng.choice(other), "units": 2, **_span(rng)},
            {"type": "ServiceBilledSeparately", "code": rng.choice(other), **_span(rng)},
            {"type": "ServiceBilledSeparately", "code": rng.choice(CODES), "billed_by": STRANGER, **_span(rng)},
            {"type": "AuthorizationGranted", "number": rng.choice(("N1", "N2")), "payer": rng.choice(PAYERS[:2]),
             "codes": [rng.choice(CODES), rng.choice(CODES)], "units": rng.randint(1, 5), **_span(rng, 0.0)},
            {"type": "ConflictResolved", "date": _day(rng), "bill": rng.choice((None, *CODES)), "reason": "decided"},
            {"type": "ConflictResolved", "date": _day(rng), "bill": rng.choice((None, *CODES)), "reason": "decided"},
            *[{"type": "ClaimSubmitted", "claim": number, "payer": rng.choice(PAYERS[:2]), **replaced,
               "frequency": rng.choice("1178"), "lines": [_claim_line(rng) for _ in range(rng.randint(1, 3))]}] * 3,
        ]
    )  # fmt: skip


def _claim_line(rng: Random) -> dict[str, Any]:
    span = _span(rng, 0.0)
    days = (date.fromisoformat(span["to"]) - date.fromisoformat(span["from"])).days + 1
    code = rng.choice((*CODES, "S9325", "S9325", "A4222", "S5502"))
    return {"code": code, "units": days if rng.random() < 0.8 else 3, "charge_cents": days * 9000, **span}


def book(rng: Random) -> dict[str, Any]:
    """A book of two payers with two or three editions each, one published late, every term drawn anew."""
    included = ["A4222", "A4223", "E0781"]
    codes = [_code(code, "pain", includes=included) for code in CODES]
    codes += [_code("S5501", "catheter_care"), _code("S5502", "catheter_care"), _code("S9810", "pharmacy_hours")]
    codes[3]["to"] = date(2026, 11, 3)
    agreements = [{"payer": payer, "signed_on": date(2025, 1, 1), "from": date(2025, 2, 1)} for payer in PAYERS[:2]]
    short = [dict(agreements[0], signed_on=date(2026, 10, 24), to=date(2026, 11, 6)), agreements[1]]
    return {
        "codes": codes,
        "payers": [_payer(rng, "alpha"), _payer(rng, "beta")],
        "providers": [
            {"npi": NORTHSIDE, "name": "N", "taxonomy": "3336H0001X", "agreements": agreements},
            {"npi": LAKESIDE, "name": "L", "taxonomy": "3336H0001X", "agreements": short},
        ],
    }


def _code(code: str, family: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "family": family, "label": code, "from": date(2002, 1, 1), "source": "HCPCS", **more}


def _payer(rng: Random, name: str) -> dict[str, Any]:
    terms = [_terms(rng, date(2025, 1, 1), date(2024, 6, 1))]
    if rng.random() < 0.6:
        terms.append(_terms(rng, START + timedelta(days=rng.randint(0, 20)), date(2026, 10, rng.randint(20, 31))))
    if rng.random() < 0.3:
        terms.append(_terms(rng, terms[-1]["from"], date(2026, 11, rng.randint(1, 20))))
    return {"id": name, "name": name, "kind": "commercial", "terms": terms}


def _terms(rng: Random, from_: date, published: date) -> dict[str, Any]:
    rates = {code: 9000 + 100 * place for place, code in enumerate(CODES)}
    if rng.random() < 0.1:
        del rates[rng.choice(CODES)]
    chosen = {
        "pain_code": ("specific", "specific", "general"),
        "day_counting": ("access", "infused", "infused_or_nursing", "rolling_24h"),
        "accepts_s_codes": (True,) * 9 + (False,),
        "max_interval_hours": (72, 48, 168),
        "inpatient_rule": ("served", "midnight_census", "any_overlap"),
        "hold_days": ("not_billable", "access"),
        "facility_days": ("not_billable", "billable"),
        "midday_switch": ("new_order", "old_order"),
        "agreement_required": (True, False),
        "auth_required": (False, True),
        "documentation": (["diagnosis", "plan", "pain_assessment"], ["plan"], []),
        "plan_signature": ("before_service", "before_claim"),
        "pain_assessment_days": (7, 3, 0),
        "exclusion_scope": ("patient_day", "patient_day_payer"),
        "bundled_exceptions": ([], ["A4222"]),
        "line_style": ("span", "span", "per_day"),
        "line_max_days": (31, 3),
        "split_on_month": (True, False),
    }
    terms = {key: rng.choice(values) for key, values in chosen.items() if rng.random() < 0.5 or len(key) < 16}
    required = {"pain_code": "general", "day_counting": "access", "accepts_s_codes": True}
    return required | terms | {
        "from": from_, "published": published, "source": "invented", "checked": published, "rate_cents": rates,
    }  # fmt: skip
