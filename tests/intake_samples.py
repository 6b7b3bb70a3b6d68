"""Every fact type with its required fields and with all of them, and how to write them as lines of intake."""

from __future__ import annotations

import json
from typing import Any

NPI = "1234567893"
CLAIM_LINE = {"code": "S9325", "from": "2026-11-01", "to": "2026-11-08", "units": 8, "charge_cents": 72000}
SERVED = {"type": "DayServed", "order": "RX-1", "date": "2026-11-02"}

# type: (required fields, optional fields)
FACTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "EpisodeOpened": ({"patient": "P-1", "provider": NPI, "zone": "America/Chicago"}, {"place_of_service": "12"}),
    "EpisodeVoided": ({"reason": "opened twice"}, {}),
    "ProviderChanged": ({"provider": NPI, "from": "2026-11-02"}, {}),
    "CoverageVerified": (
        {"payer": "example-health", "member": "M-1", "from": "2026-01-01"},
        {"to": "2026-12-31", "rank": 2, "group": "GR-77"},
    ),
    "CoverageEnded": ({"payer": "example-health", "last_date": "2026-11-30"}, {}),
    "TherapyOrdered": (
        {"order": "RX-1", "mode": "continuous", "from": "2026-11-01", "prescriber": NPI},
        {"to": "2026-11-30", "interval_hours": 48, "signed_on": "2026-10-31", "drug": "morphine", "route": "IV"},
    ),
    "TherapyStopped": ({"order": "RX-1", "date": "2026-11-20"}, {"reason": "pain resolved"}),
    "DayServed": ({"order": "RX-1", "date": "2026-11-02"}, {"infused": False, "place_of_service": "13"}),
    "DaysServed": (
        {"order": "RX-1", "from": "2026-11-02", "to": "2026-11-08"},
        {"infused": True, "place_of_service": "13"},
    ),
    "InfusionLogged": (
        {"order": "RX-1", "started_at": "2026-11-02T16:00Z", "stopped_at": "2026-11-02T16:00:00.5+00:00"},
        {},
    ),
    "NursingVisited": (
        {"date": "2026-11-02"},
        {"started_at": "2026-11-02T10:00-06:00", "stopped_at": "2026-11-02T11:00:00-06:00", "credential": "RN"},
    ),
    "SupplyDispensed": (
        {"date": "2026-11-02", "item": "tubing", "quantity": 2},
        {"hcpcs": "A4222", "days_supply": 7},
    ),
    "DrugDispensed": (
        {"date": "2026-11-02", "ndc": "00409113101", "quantity": "1.5", "unit": "ML"},
        {"rx": "RX-77", "days_supply": 7},
    ),
    "DrugBilledSeparately": (
        {"hcpcs": "J2270", "units": 0.125, "from": "2026-11-02"},
        {"to": "2026-11-03", "ndc": "00409113101", "claim": "C-1"},
    ),
    "ServiceBilledSeparately": (
        {"code": "99601", "from": "2026-11-02"},
        {"to": "2026-11-02", "units": "2", "billed_by": NPI},
    ),
    "HospitalAdmitted": ({"stay": "ST-1", "at": "2026-11-10T15:00-06:00"}, {}),
    "HospitalDischarged": ({"stay": "ST-1", "at": "2026-11-13T09:00-06:00"}, {}),
    "FacilityStayed": ({"kind": "snf", "from": "2026-11-02"}, {"to": "2026-11-02"}),
    "HospiceElected": ({"from": "2026-11-02"}, {"to": "2026-11-05"}),
    "TherapyHeld": ({"hold": "H-1", "from": "2026-11-02"}, {"reason": "surgery"}),
    "TherapyResumed": ({"hold": "H-1", "date": "2026-11-05"}, {}),
    "TherapyRanked": ({"from": "2026-11-02", "rank": 2}, {"to": "2026-11-05"}),
    "PatientDied": ({"date": "2026-11-05"}, {}),
    "Discharged": ({"date": "2026-11-05"}, {"reason": "goals met"}),
    "DiagnosisRecorded": ({"icd10": "G89.3", "from": "2026-11-02"}, {"to": "2026-11-05"}),
    "PlanSigned": ({"plan": "PL-1", "signed_on": "2026-10-31", "from": "2026-11-01", "to": "2026-12-30"}, {}),
    "PainAssessed": ({"date": "2026-11-02", "score": 0}, {"tool": "NRS"}),
    "ResponseNoted": ({"date": "2026-11-02"}, {"note": "sleeps through"}),
    "CoordinationNoted": ({"date": "2026-11-02"}, {"note": "called the physician"}),
    "AuthorizationGranted": (
        {
            "number": "A-1",
            "payer": "example-health",
            "codes": ["S9325", "S9326"],
            "units": 30,
            "from": "2026-11-01",
            "to": "2026-11-30",
        },
        {},
    ),
    "ClaimSubmitted": (
        {"claim": "C-1", "payer": "example-health", "frequency": "1", "lines": [CLAIM_LINE]},
        {
            "replaces": "C-0",
            "sent_on": "2026-11-09",
            "control": "C-0",
            "batch": "B1",
            "diagnoses": ["G89.3", "C61"],
            "lines": [
                CLAIM_LINE,
                {**CLAIM_LINE, "modifiers": ["SH", "SJ"], "authorization": "A-1", "line": "2"},
                {
                    "code": "J2270",
                    "from": "2026-11-01",
                    "to": "2026-11-08",
                    "units": "0.5",
                    "charge_cents": 4000,
                    "ndc": "00409113101",
                    "quantity": "14.4",
                    "unit": "ML",
                    "rx": "RX-77",
                },
            ],
        },
    ),
    "PatientIdentified": (
        {
            "last": "Müller-O'Brien",
            "birth_date": "1948-05-06",
            "sex": "F",
            "address": "9 Birch Street",
            "city": "Duluth",
            "state": "MN",
            "zip": "55802",
        },
        {"first": "Edna", "middle": "J", "address2": "Apt. 3", "from": "2026-01-01"},
    ),
    "SubscriberIdentified": (
        {
            "payer": "example-health",
            "relationship": "01",
            "last": "Example",
            "birth_date": "1950-01-31",
            "sex": "M",
            "address": "9 Birch Street",
            "city": "Duluth",
            "state": "MN",
            "zip": "558021234",
        },
        {"first": "Edgar", "middle": "K", "address2": "Apt. 3", "group": "GR-77", "from": "2026-01-01"},
    ),
    "DrugAdministered": (
        {"from": "2026-11-02", "ndc": "00409113101", "quantity": "14.4", "unit": "ML"},
        {"order": "RX-1", "to": "2026-11-08", "rx": "RX-77", "wasted": "0.6"},
    ),
    "ClaimAcknowledged": (
        {
            "claim": "C-1",
            "payer": "example-health",
            "kind": "277CA",
            "status": "rejected",
            "date": "2026-11-12",
            "codes": ["A7:164:IL"],
        },
        {"codes": ["A2:20:PR"], "payer_control": "PC-1", "clearinghouse_control": "CH-1"},
    ),
    "RemittancePosted": (
        {
            "claim": "C-1",
            "payer": "example-health",
            "payment": "T-1",
            "paid_on": "2026-11-20",
            "status": "22",
            "charge_cents": -72000,
            "paid_cents": -52000,
        },
        {
            "payer_control": "PC-1",
            "patient_cents": -2400,
            "adjustments": [{"group": "CO", "code": "45", "cents": -20000, "units": "-0.5"}],
            "remarks": ["N435"],
            "lines": [
                {
                    "code": "S9325",
                    "charge_cents": -72000,
                    "paid_cents": -52000,
                    "units": "-8",
                    "modifiers": ["SH"],
                    "billed_units": 8,
                    "billed_code": "S9326",
                    "from": "2026-11-01",
                    "to": "2026-11-08",
                    "line": "1",
                    "allowed_cents": -52000,
                    "adjustments": [{"group": "CO", "code": "45", "cents": -20000}],
                    "remarks": ["N435"],
                },
            ],
        },
    ),
    "AppealFiled": (
        {"claim": "C-1", "cents": 20000, "date": "2026-11-25", "reason": "terms enclosed"},
        {"dates": ["2026-11-07", "2026-11-08"]},
    ),
    "RefundSent": (
        {"claim": "C-1", "cents": 20000, "date": "2026-11-25", "reason": "paid twice"},
        {"dates": ["2026-11-07", "2026-11-08"]},
    ),
    "WrittenOff": (
        {"claim": "C-1", "cents": 20000, "date": "2026-11-25", "reason": "too late"},
        {"dates": ["2026-11-07", "2026-11-08"]},
    ),
    "ConflictResolved": ({"date": "2026-11-02", "bill": "S9325", "reason": "agreed"}, {"bill": None}),
    "FactRetracted": ({"target_source": "pharmacy", "target_id": "d-1", "reason": "wrong patient"}, {}),
    "FactCorrected": (
        {"target_source": "pharmacy", "target_id": "d-1", "reason": "wrong date", "fact": SERVED},
        {},
    ),
}


def required(name: str, **changed: Any) -> dict[str, Any]:
    """A fact with its required fields, some of them changed."""
    return {"type": name, **FACTS[name][0], **changed}


def full(name: str) -> dict[str, Any]:
    """A fact with all its fields."""
    return {"type": name, **FACTS[name][0], **FACTS[name][1]}


def every_fact() -> list[dict[str, Any]]:
    """Each type with required fields only, with all fields, and inside a correction where it may stand there."""
    plain = [fact for name in FACTS for fact in (required(name), full(name))]
    corrections = [
        required("FactCorrected", fact=full(name)) for name in FACTS if name not in ("FactRetracted", "FactCorrected")
    ]
    return plain + corrections


def entry(fact: Any, **changed: Any) -> dict[str, Any]:
    """A line of intake as an object."""
    return {"episode": "EP-1001", "source": "pharmacy", "id": "d-77", "by": "rph-7", "fact": fact, **changed}


def line(fact: Any, **changed: Any) -> bytes:
    """A line of intake as bytes."""
    return json.dumps(entry(fact, **changed), separators=(",", ":"), ensure_ascii=False).encode()


# what is said: (a fact, or "" for the line itself; the path of a field; values it must not have)
BAD_VALUES: dict[str, tuple[str, str, list[Any]]] = {
    "text": ("DayServed", "order", [
        "", "x" * 129, "a\nb", "a\x7fb", "a\x85b", 5, True, 1.5, None, [], {}, " RX-1", "RX-1 ", " ", "RX\u00a01",
        "RX\u200b-1", "RX\ufeff-1", "RX\u00ad1", "Jose\u0301", "RX\u2028", "RX\u2029", "RX\ue000",
        "RX\u30001", "\u212b",
    ]),
    "free text": ("ResponseNoted", "note", [
        "", "x" * 1001, "a\tb", "\x00", 5, None, ["x"], " slept", "slept ", "e\u0301", "a\u00a0b", "a\u2028b", "\ue000",
    ]),
    "dates": ("PatientDied", "date", [
        "2026-02-30", "1999-12-31", "2100-01-01", "2026-1-01", "2026-11-02T00:00", " 2026-11-02", "20261102",
        "2026-W01-1", "२026-11-02", "2026-13-01", "2026-00-10", "", 20261102, 1.0, None, True, ["2026-11-02"],
    ]),
    "instants": ("HospitalAdmitted", "at", [
        "2026-11-2", "2026-11-02T16:00", "2026-11-02 16:00Z", "2026-11-02t16:00Z", "2026-11-02T16:00z",
        "2026-11-02T24:00Z", "2026-11-02T16:60Z", "2026-11-02T16:00:60Z", "2026-11-02T16:00:00.Z",
        "2026-11-02T16:00:00.1234567Z", "2026-11-02T16:00+0600", "2026-11-02T16:00+06", "2026-11-02T16:00+24:00",
        "2026-02-30T16:00Z", "2026-11-02T16Z", "1999-12-31T23:59:59Z", "2100-01-01T00:00Z", "1999-12-31T23:00-00:30",
        "0001-01-01T00:00+01:00", "9999-12-31T23:00-05:00", "0000-01-01T00:00Z", "2026-11-02T16:00Z\n", 1762099200,
        1.5, None, "",
    ]),
    "a recorded_at": ("", "recorded_at", [
        "2026-11-02", "2026-11-02T16:00", "0001-01-01T00:00+01:00", "9999-12-31T23:00-05:00", 5, None, True, "",
    ]),
    "integers from 1": ("CoverageVerified", "rank", [
        0, -1, 1.0, 1.5, 1e5, "1", True, None, [1], 10, 2**53, 2**63, 2**64, -(2**70), 10**400,
    ]),
    "hours": ("TherapyOrdered", "interval_hours", [0, 8785, 24.0]),
    "days of supply": ("SupplyDispensed", "days_supply", [0, 367, 7.0]),
    "units of an authorization": ("AuthorizationGranted", "units", [0, 2**53, 1.0]),
    "a source": ("", "source", ["pump:7", ":", "pump ", "pu\u200bmp"]),
    "the score": ("PainAssessed", "score", [-1, 11, 4.0, "4", None, False]),
    "cents": ("ClaimSubmitted", "lines[0].charge_cents", [-1, 90.0, "9000", None]),
    "line units": ("ClaimSubmitted", "lines[0].units", [0, -1, 1.0, 1.5, "1", True, None, 2**53, [1]]),
    "decimals": ("SupplyDispensed", "quantity", [
        0, -1, 0.0, -1.5, 1.2345, "0", "0.000", "1.0000", "01", "+1", "-1", "1e5", "1.", ".5", "NaN", "Infinity", "",
        " 1", "1" * 129, 10**128, 10**400, 1e22, True, None, "١", {},
    ]),
    "booleans": ("DayServed", "infused", [0, 1, "true", None]),
    "words": ("TherapyOrdered", "mode", ["Continuous", "other", "", None, 5, [], "continuous\x7f"]),
    "the unit": ("DrugDispensed", "unit", ["ml", "MG", None]),
    "the kind": ("FacilityStayed", "kind", ["SNF", "hospital"]),
    "the frequency": ("ClaimSubmitted", "frequency", ["2", 1, None]),
    "HCPCS": ("SupplyDispensed", "hcpcs", ["a4222", "A422", "A42222", "AA222", "9960", "A4222 ", "A422२", 99601, None]),
    "the code billed": ("ConflictResolved", "bill", ["", "none", 5, "S932"]),
    "ICD-10-CM": ("DiagnosisRecorded", "icd10", ["g89.3", "G8", "G89.", "G89.33333", "G8.93", "G893\n", "8G93", 5]),
    "NDC": ("DrugDispensed", "ndc", ["0040911310", "004091131011", "00409-1131-01", 409113101, None]),
    "NPI": ("EpisodeOpened", "provider", ["1234567890", "123456789", "12345678930", "123456789३", 1234567893, None]),
    "a prescriber's NPI": ("TherapyOrdered", "prescriber", ["1234567894"]),
    "a biller's NPI": ("ServiceBilledSeparately", "billed_by", ["1234567894"]),
    "the zone": ("EpisodeOpened", "zone", [
        "america/chicago", "Chicago", "", "../x", "localtime", "UTC\x00", None, 6, "EST", "UTC", "US/Central",
        "Etc/UTC", "America/Chicago ",
    ]),
    "codes": ("AuthorizationGranted", "codes", [[], "S9325", None, {}, 5]),
    "a code in a list": ("AuthorizationGranted", "codes[1]", ["s9325", None, 5]),
    "claim lines": ("ClaimSubmitted", "lines", [[], {}, None, "x"]),
    "a claim line": ("ClaimSubmitted", "lines[0]", [None, [], "x"]),
    "modifiers": ("ClaimSubmitted", "lines[0].modifiers", [
        "SH", None, {}, [""], [None], ["sh"], ["SHH"], ["S"], ["S "], ["SH", "SH"], ["SH", "SJ", "S1", "S2", "S3"],
    ]),
    "a target": ("FactRetracted", "target_id", [None, 5, []]),
    "an end at the end of time": ("CoverageVerified", "to", ["2099-12-31", "9999-12-31", "2099-01-01"]),
    "an early date": ("CoverageVerified", "from", ["1899-12-31", "2100-01-01"]),
    "a long span": ("DaysServed", "to", ["2027-11-03"]),
    "a long drug": ("DrugBilledSeparately", "to", ["2027-11-03"]),
    "a long service": ("ServiceBilledSeparately", "to", ["2027-11-03"]),
    "a long claim line": ("ClaimSubmitted", "lines[0].to", ["2027-11-02"]),
    "an inner fact": ("FactCorrected", "fact", [None, [], "DayServed"]),
    "a type": ("DayServed", "type", [None, 5, [], {}, "dayserved", "DayServedX", "", "Told", "Nothing", "P-JONES"]),
    "an inner type": ("FactCorrected", "fact.type", [None, [], "FactRetracted", "FactCorrected", "Nothing"]),
}  # fmt: skip


def put(into: Any, path: str, value: Any) -> Any:
    """A copy of an object with one place, written like ``lines[0].code``, set to a value."""
    copy = json.loads(json.dumps(into))
    spot, *rest = path.replace("[", ".[").split(".")
    target = copy
    for name in rest:
        key = int(spot[1:-1]) if spot.startswith("[") else spot
        target = target.setdefault(key, []) if isinstance(target, dict) else target[key]
        spot = name
    if spot.startswith("["):
        target[int(spot[1:-1]) :] = [value]
    else:
        target[spot] = value
    return copy
