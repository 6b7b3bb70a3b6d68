"""How an episode begins: opening, coverage, orders, diagnosis, plan of treatment, authorizations."""

from __future__ import annotations

from .book import CODE_OF_MODE, PAYERS, PRESCRIBERS, PROVIDERS, Provider
from .clock import DAY, ISO, next_month
from .course import Course, Entry, Order
from .facts import fact, opening

DIAGNOSES = {
    "post_operative": ("G89.18", "G8918", "Z98.1", "M96.1"),
    "chronic": ("G89.4", "M54.50", "G90.50", "M79.7", "G89.29"),
    "palliative": ("G89.3", "C79.51", "C25.9", "C34.90", "C61"),
}
DRUGS = ("hydromorphone 1 mg/mL", "morphine 5 mg/mL", "fentanyl 10 mcg/mL", "ropivacaine 0.2 %")
ROUTES = ("intravenous", "subcutaneous", "epidural")


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


def cover(c: Course) -> None:
    """The patient's coverage, in order of rank."""
    if "coverage_unverified" in c.wanted:
        c.biller_asleep = True
        c.trouble("coverage_unverified", [c.start], [], "hold coverage_unverified")
        return
    since = c.start - c.between(20, 500)
    if "payer_not_in_book" in c.wanted:
        c.biller_asleep = True
        entry = _verify(c, "unlisted-plan", since, None, 1)
        c.trouble("payer_not_in_book", [c.start], [entry], "hold no_terms")
        return
    if "medicare_only" in c.wanted:
        c.biller_asleep = True
        entry = _verify(c, "medicare", since, None, 1)
        c.trouble("medicare_only", [c.start], [entry], "not_billable payer_excludes_s_codes")
        return
    rank = 1
    if c.kind == "palliative" and c.chance(0.25):
        _verify(c, "medicare", since, None, 1)
        rank = 2
    gap = c.reserve(2, 12) if "coverage_gap" in c.wanted else None
    if gap is not None:
        spells = [_verify(c, c.payer.id, since, gap[0] - 1, rank), _verify(c, c.payer.id, gap[-1] + 1, None, rank)]
        c.blocked.update(gap)
        c.trouble("coverage_gap", gap, spells, "not_billable not_covered")
    else:
        _verify(c, c.payer.id, since, c.end + c.between(5, 200) if c.chance(0.15) else None, rank)
    if "coverage_ended" in c.wanted:
        end_coverage(c, rank)


def end_coverage(c: Course, rank: int) -> None:
    """The payer takes its coverage back weeks later; another steps in at rank 2, or nobody does."""
    gone = c.reserve(1, 1, margin=3)
    if gone is None:
        return
    day = gone[0]
    fields = {"payer": c.payer.id, "last_date": ISO[day]}
    at = (c.end + c.between(20, 60)) * DAY
    concerned = [c.add(at, "intake", "covend", c.staff["coordinator"], fact("CoverageEnded", fields))]
    effect = "not_billable not_covered"
    if c.chance(0.75):
        other = next(p for p in (PAYERS[0], PAYERS[2], PAYERS[5]) if p is not c.payer and c.provider.agrees(p, c.start))
        concerned.append(_verify(c, other.id, c.start - 30, None, rank + 1))
        effect = f"payer becomes {other.id}"
    c.trouble("coverage_ended", range(day + 1, c.end + 1), concerned, effect)


def _verify(c: Course, payer: str, since: int, end: int | None, rank: int) -> Entry:
    fields: dict[str, object] = {"payer": payer, "member": f"M-{c.serial:07d}", "from": ISO[since]}
    if end is not None:
        fields["to"] = ISO[end]
    if rank != 1:
        fields["rank"] = rank
    at = c.opened + c.between(0, 7_200)
    return c.add(at, "intake", "cov", c.staff["coordinator"], fact("CoverageVerified", fields))


def order(c: Course) -> None:
    """The physician's orders: one, or two with a switch of mode on one date."""
    mode = _mode(c)
    if "interval_too_long" in c.wanted and c.length >= 14:
        c.interval, c.style, c.biller_asleep = 168, "spaced", c.chance(0.8)
    elif c.style == "spaced":
        c.interval, mode = (72 if c.chance(0.35) and c.payer.id != "harbor-mutual" else 48), "intermittent"
    switch = c.reserve(1, 1) if "mode_switch" in c.wanted and c.style != "spaced" else None
    if switch is None:
        c.orders = [Order("RX-1", mode, c.start, c.end)]
        entry = _ordered(c, c.orders[0])
        if c.interval == 168:
            c.trouble("interval_too_long", [c.start], [entry], "not_billable interval_too_long")
        if mode == "implanted_pump" and c.payer.id == "harbor-mutual":
            c.trouble("rate_missing", [c.start], [entry], "hold no_rate")
        return
    day = switch[0]
    other = "intermittent" if mode == "continuous" else "continuous"
    c.orders = [Order("RX-1", mode, c.start, day), Order("RX-2", other, day, c.end)]
    concerned = [_ordered(c, one) for one in c.orders]
    stopped = fact("TherapyStopped", {"order": "RX-1", "date": ISO[day], "reason": "mode changed"})
    concerned.append(c.add(c.charted(day), "orders", "stop", c.staff["physician"], stopped))
    c.trouble("mode_switch", [day], concerned, "one code on that date, by midday_switch")


def _mode(c: Course) -> str:
    if "rate_missing" in c.wanted and c.payer.id == "harbor-mutual":
        return "implanted_pump"
    roll = c.random()
    if roll < 0.03:
        return "continuous" if c.payer.id == "harbor-mutual" else "implanted_pump"
    if roll < 0.62:
        return "continuous"
    return "intermittent" if roll < 0.82 else "unspecified"


def _ordered(c: Course, one: Order) -> Entry:
    fields: dict[str, object] = {"order": one.name, "mode": one.mode, "from": ISO[one.first]}
    if c.finished and one.last == c.end and c.chance(0.2):
        fields["to"] = ISO[one.last + c.between(0, 20)]
    if c.interval != 24:
        fields["interval_hours"] = c.interval
    elif one.mode == "intermittent" and c.chance(0.5):
        fields["interval_hours"] = c.pick((6, 8, 12))
    fields["prescriber"] = PRESCRIBERS[c.serial * 7 % len(PRESCRIBERS)]
    fields["signed_on"] = ISO[one.first - c.between(0, 2)]
    if c.chance(0.6):
        fields["drug"] = c.pick(DRUGS)
        fields["route"] = "intrathecal" if one.mode == "implanted_pump" else c.pick(ROUTES)
    at = c.opened + c.between(600, 14_400) if one.first == c.start else one.first * DAY + c.between(0, 50_000)
    return c.add(at, "orders", "rx", c.staff["physician"], fact("TherapyOrdered", fields))


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
    modes = [one.mode for one in c.orders]
    codes = sorted(dict.fromkeys(["S9325", *(CODE_OF_MODE[mode] for mode in modes)]))
    blocks = list(range(c.start, c.end + 1, 30))
    short = c.pick(blocks) if "authorization_exhausted" in c.wanted else -1
    absent = c.pick(blocks) if "authorization_missing" in c.wanted else -1
    for number, first in enumerate(blocks):
        last = min(first + 29, c.end) if c.finished else first + 29
        need = last - first + 1
        if first == absent:
            c.blocked.update(range(first, last + 1))
            c.trouble("authorization_missing", range(first, last + 1), [], "hold auth_missing")
            continue
        units = need
        if first == short and need > 1:
            units = max(1, need * c.between(4, 8) // 10)
            c.blocked.update(range(first + units, last + 1))
        fields = {
            "number": f"A-{c.serial:07d}-{number + 1}",
            "payer": c.payer.id,
            "codes": codes,
            "units": units,
            "from": ISO[first],
            "to": ISO[last],
        }
        at = c.opened + c.between(3_600, 2 * DAY) if number == 0 else (first - c.between(1, 6)) * DAY + 61_000
        entry = c.add(at, "intake", "auth", c.staff["coordinator"], fact("AuthorizationGranted", fields))
        if units < need:
            days = range(first + units, last + 1)
            c.trouble("authorization_exhausted", days, [entry], "hold auth_exhausted, on the last days of the block")
