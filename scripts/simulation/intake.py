"""How an episode begins: opening, coverage, orders, diagnosis, plan of treatment, authorizations."""

from __future__ import annotations

from .book import CODE_OF_MODE, PROVIDERS, Provider
from .clock import DAY, ISO, next_month
from .course import Course, Entry
from .coverage import cover
from .facts import fact, opening
from .orders import order

DIAGNOSES = {
    "post_operative": ("G89.18", "G8918", "Z98.1", "M96.1"),
    "chronic": ("G89.4", "M54.50", "G90.50", "M79.7", "G89.29"),
    "palliative": ("G89.3", "C79.51", "C25.9", "C34.90", "C61"),
}


def begin(c: Course) -> None:
    """Write everything that is there before the first day is served."""
    c.staff = {
        "coordinator": f"coordinator-{c.between(1, 9)}",
        "nurse": f"rn-{c.between(1, 60)}",
        "pharmacist": f"rph-{c.between(1, 20)}",
        "physician": f"md-{c.between(1, 40)}",
        "biller": f"biller-{c.between(1, 12)}",
    }
    c.opened = c.start * DAY - c.between(21_600, 2 * DAY)
    open_episode(c)
    cover(c)
    order(c)
    diagnose(c)
    plan(c)
    if (c.payer.terms_on(c.start, c.start) or {}).get("auth_required"):
        authorize(c)


def open_episode(c: Course) -> None:
    """The opening, at times with a mistake that is corrected some days later."""
    by = c.staff["coordinator"]
    place, right_place = "12", "12"
    patient, provider = c.patient, c.provider.npi
    wrong = ""
    if "place_of_service" in c.wanted:
        place = right_place = c.pick(("31", "32", "13"))
    elif "patient_corrected" in c.wanted:
        wrong, patient = "patient_corrected", c.stranger
    elif "provider_corrected" in c.wanted or "own_per_diem_by_correction" in c.wanted:
        own = "own_per_diem_by_correction" in c.wanted
        wrong, provider = ("own_per_diem_by_correction" if own else "provider_corrected"), _another(c.provider).npi
    elif "place_corrected" in c.wanted:
        wrong = "place_corrected"
        place, right_place = ("12", "31") if c.chance(0.25) else (c.pick(("31", "11")), "12")
    first = c.add(c.opened, "intake", "open", by, opening(patient, provider, c.zone, place))
    bad_place = right_place != "12" and not (right_place == "13" and c.payer.id == "cascade-medicaid")
    if bad_place:
        c.biller_asleep = True
    effect = "not_billable place_of_service" if bad_place else "none: put right"
    if not wrong:
        if place != "12":
            c.trouble("place_of_service", [c.start], [first], effect if bad_place else "none: accepted place")
        return
    delay = c.between(8, 20) * DAY
    concerned = [first]
    if wrong == "own_per_diem_by_correction":
        concerned.append(_billed_by_ourselves(c, delay))
        effect = "conflict with an own S9326 of the first day"
    text = opening(c.patient, c.provider.npi, c.zone, right_place)
    concerned.append(c.correct(first, delay, "entered wrongly at intake", text))
    c.trouble(wrong, [c.start], concerned, effect)


def _another(provider: Provider) -> Provider:
    return PROVIDERS[(PROVIDERS.index(provider) + 1) % len(PROVIDERS)]


def _billed_by_ourselves(c: Course, before: int) -> Entry:
    """A pain per diem of the true provider, acceptable only while the opening names another one."""
    fields = {"code": "S9326", "from": ISO[c.start], "billed_by": c.provider.npi}
    return c.add(c.opened + before // 2, "billing", "svc", c.staff["biller"], fact("ServiceBilledSeparately", fields))


def diagnose(c: Course) -> None:
    """The diagnosis, unless nobody wrote one down in time."""
    first = c.start - c.between(0, 90)
    if "diagnosis_missing" in c.wanted:
        first = c.start + c.between(2, 9)
        missing = range(c.start, min(first, c.end + 1))
        c.blocked.update(missing)
        demanded = "diagnosis" in (c.payer.terms[-1].get("documentation") or ["diagnosis"])
        c.trouble("diagnosis_missing", missing, [], "hold no_diagnosis" if demanded else "none: not asked for")
        if first > c.end:
            return
    fields = {"icd10": c.pick(DIAGNOSES[c.kind]), "from": ISO[first]}
    c.add(c.charted(max(first, c.start) - 1), "chart", "dx", c.staff["physician"], fact("DiagnosisRecorded", fields))
    if c.chance(0.15) and first <= c.start:
        fields = {"icd10": "Z79.891", "from": ISO[c.start], "to": ISO[c.end + 30]}
        c.add(c.charted(c.start), "chart", "dx", c.staff["physician"], fact("DiagnosisRecorded", fields))


def plan(c: Course) -> None:
    """The plan of treatment and its recertifications every sixty days."""
    first, number = c.start, 1
    late_number = c.between(1, 2) if "plan_signed_late" in c.wanted and c.length > 60 else 1
    while first <= c.end:
        last = first + 59
        if number == 1 and "plan_missing" in c.wanted and c.length >= 6:
            last = c.start + c.length // 2
        signed = first - c.between(0, 2 if number == 1 else 8)
        if "plan_signed_late" in c.wanted and number == late_number:
            signed = _signed_late(c, first)
        fields = {"plan": f"POT-{number}", "signed_on": ISO[signed], "from": ISO[first], "to": ISO[last]}
        at = c.charted(signed)
        if at // DAY > c.end + 40 and not c.finished:
            return
        entry = c.add(at, "chart", "plan", c.staff["physician"], fact("PlanSigned", fields))
        if signed > first:
            effect = "hold plan_unsigned until signed"
            if c.payer.id == "carolina-hours":
                effect = "finding claimed_before_signature, if claimed before"
            c.trouble("plan_signed_late", range(first, min(signed, c.end + 1)), [entry], effect)
        if number == 1 and "plan_missing" in c.wanted and c.length >= 6:
            gap = range(last + 1, min(last + 1 + c.between(2, 14), c.end + 1))
            c.blocked.update(gap)
            c.trouble("plan_missing", gap, [entry], "hold plan_missing")
            last = gap[-1]
        first, number = last + 1, number + 1


def _signed_late(c: Course, first: int) -> int:
    """When a late plan is signed at last: days after it was needed, or after the claim where that is allowed."""
    if c.payer.id == "carolina-hours":
        return next_month(min(c.end, first + 25)) + c.between(14, 30)
    signed = first + c.between(2, 9)
    if c.chance(0.7):
        c.blocked.update(range(first, signed))
    return signed


def authorize(c: Course) -> None:
    """Prior authorizations in blocks of thirty days: enough units, too few, or none for a block."""
    shared = "" if c.alone else ", unless another episode of the patient has units left"
    modes = [one.mode for one in c.orders]
    codes = sorted(dict.fromkeys(["S9325", *(CODE_OF_MODE[mode] for mode in modes)]))
    blocks = list(range(c.start, c.end + 1, 30))
    short = c.pick(blocks) if "authorization_exhausted" in c.wanted else -1
    absent = c.pick(blocks) if "authorization_missing" in c.wanted else -1
    extended = c.pick(blocks[1:]) if "authorization_extended" in c.wanted and len(blocks) > 1 else -1
    for number, first in enumerate(blocks):
        last = min(first + 29, c.end) if c.finished else first + 29
        need = last - first + 1
        if first == absent:
            c.blocked.update(range(first, last + 1))
            c.trouble("authorization_missing", range(first, last + 1), [], "hold auth_missing" + shared)
            continue
        units = need
        if first == short and need > 1:
            units = max(1, need * c.between(4, 8) // 10)
            c.blocked.update(range(first + units, last + 1))
        fields = {
            "number": f"A-{c.serial:07d}-{number + (first != extended)}",  # an extension keeps the number
            "payer": c.payer.id,
            "codes": codes,
            "units": units,
            "from": ISO[first],
            "to": ISO[last],
        }
        at = c.opened + c.between(3_600, 2 * DAY) if number == 0 else (first - c.between(1, 6)) * DAY + 61_000
        entry = c.add(at, "intake", "auth", c.staff["coordinator"], fact("AuthorizationGranted", fields))
        if first == extended:
            c.trouble("authorization_extended", range(first, first + units), [entry], "none: units of their own")
        if units < need:
            days = range(first + units, last + 1)
            c.trouble(
                "authorization_exhausted",
                days,
                [entry],
                "hold auth_exhausted where every day before drew a unit" + shared,
            )
