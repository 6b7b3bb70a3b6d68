"""The daily life of a course: doses, pump runs, visits, supplies, drugs, assessments and notes."""

from __future__ import annotations

from .book import GAP_DAYS
from .clock import DAY, ISO, local_day, to_utc
from .course import Course
from .facts import (
    day_served,
    days_served,
    drug_dispensed,
    fact,
    infusion_logged,
    noted,
    nursing_visited,
    pain_assessed,
    supply_dispensed,
)

SUPPLIES = (
    ("cassette 100 mL", 7, "A4222", 7),
    ("extension set", 7, "", 7),
    ("infusion set, non-insulin", 4, "A4223", 4),
    ("dressing kit", 2, "A4221", 7),
    ("saline flush", 30, "A4216", 10),
    ("ambulatory pump", 1, "E0781", 30),
)
NDCS = ("00409128331", "00641612525", "63323065100", "00409909332", "76329191201")
DRUGS = (("J1171", 240), ("J2270", 60), ("J3010", 90), ("J2795", 400))
COORDINATION = (
    "called the prescriber about the rate",
    "delivery window agreed with the family",
    "asked the pharmacy for a smaller cassette",
    "hija del paciente: no habla inglés, intérprete por teléfono",
    "spoke with the case manager",
)
RESPONSES = ("comfortable at rest", "sleeps through the night", "two boluses, good relief", "drowsy, rate lowered")


def live(c: Course) -> None:
    """Write all days of the course."""
    if c.style in ("runs", "both"):
        log_runs(c)
    serve(c)
    look_after(c)
    stock(c)
    assess(c)
    bill_drugs(c)


def serve(c: Course) -> None:
    """`DayServed`, from the feed of the pump or the pharmacy; none where runs alone tell the story."""
    add, random, order = c.add, c.random, c.orders[0].name
    switch = c.orders[-1].first if len(c.orders) > 1 else -1
    source, by, step = ("pump", "pump-feed", 1)
    if c.style == "spaced":
        source, by, step = "pharmacy", c.staff["pharmacist"], c.interval // 24
    if c.style == "runs":
        return
    if c.style == "spans":
        serve_in_spans(c)
        return
    access = c.counts_access
    reach = GAP_DAYS + 1 if c.counting == "course" else step if access else 1
    for day in range(c.start, c.end + 1, step):
        if day in c.away:
            continue
        if day == switch and order != c.orders[-1].name:
            add(c.soon(day), source, "day", by, day_served(order, day))
            order = c.orders[-1].name
        infused = step > 1 or day == c.start or random() > 0.012
        at = (day + 46 + int(random() * 30)) * DAY if day in c.late else c.soon(day)
        entry = add(at, source, "day", by, day_served(order, day, infused))
        if infused:
            c.served[day] = entry
        if (infused or access) and day not in c.late:
            c.evidence.update(range(day, min(day + reach, c.end + 1)))


def serve_in_spans(c: Course) -> None:
    """`DaysServed`, a week at a time: delivery tickets where access counts, else the patient's log."""
    infused = not c.counts_access
    source, by = ("patient-log", c.staff["nurse"]) if infused else ("pharmacy", c.staff["pharmacist"])
    first = c.start
    while first <= c.end:
        last, order = first, c.order_on(first)
        while last < min(first + 6, c.end) and last + 1 not in c.away and c.order_on(last + 1) is order:
            last += 1
        if first not in c.away:
            c.add(c.soon(last), source, "span", by, days_served(order.name, first, last, infused))
            c.evidence.update(range(first, last + 1))
        first = last + 1


def log_runs(c: Course) -> None:
    """Pump logs, one after another through every stretch of days at home."""
    day = c.start
    while day <= c.end:
        if day in c.away:
            day += 1
            continue
        last = day
        while last < c.end and last + 1 not in c.away and not any(o.first == last + 1 for o in c.orders):
            last += 1
        _log_stretch(c, day, last)
        day = last + 1


def _log_stretch(c: Course, first: int, last: int) -> None:
    """Runs of one to three days; the last of a stretch ends the afternoon of its last day."""
    order, morning = c.order_on(first).name, c.between(420, 660)
    rolling = c.counting == "rolling_24h"
    day, free = first, 0
    while day <= last:
        length = c.between(1, 3)
        start = max(to_utc(c.zone, day, morning), free)
        if day + length > last:
            length = last - day + 1
            stop = max(to_utc(c.zone, last, morning + c.between(240, 480)), start + 30)
        elif c.chance(0.05):
            stop = start + length * 1440 - c.between(20, 500)
        else:
            stop = start + length * 1440 + c.between(0, 4)
        text = infusion_logged(order, start, stop)
        run = c.add(stop * 60 + c.between(60, 30_000), "pump", "run", "pump-feed", text)
        touched = range(day, local_day(c.zone, stop - 1) + 1)
        c.runs.append((run, touched))
        c.run_days.update(touched)
        c.evidence.update(touched[: max(1, (stop - start) // 1440)] if rolling else touched)
        free, day = stop + 3, day + length


def look_after(c: Course) -> None:
    """Visits and notes: more of them the sicker the patient."""
    add, random, nurse, zone = c.add, c.random, c.staff["nurse"], c.zone
    coordinator = c.staff["coordinator"]
    visits = 0.42 if c.kind == "palliative" else 0.26
    nursing_counts = c.counting == "infused_or_nursing"
    for day in range(c.start, c.end + 1):
        if day in c.away:
            continue
        roll = random()
        if roll < visits or day == c.start:
            start = to_utc(zone, day, 540 + int(roll * 1_000))
            text = nursing_visited(day, zone, start, "RN" if roll < 0.3 else "LPN")
            add(c.charted(day), "chart", "visit", nurse, text)
            c.visits.add(day)
            if nursing_counts:
                c.evidence.add(day)
        roll = random()
        if roll < 0.33:
            note = COORDINATION[int(roll * 1_000) % len(COORDINATION)]
            add(c.charted(day), "intake", "coord", coordinator, noted("CoordinationNoted", day, note))
        roll = random()
        if roll < 0.36:
            note = RESPONSES[int(roll * 1_000) % len(RESPONSES)]
            add(c.charted(day), "chart", "resp", nurse, noted("ResponseNoted", day, note))


def stock(c: Course) -> None:
    """Deliveries of supplies and drugs."""
    add, random, by = c.add, c.random, c.staff["pharmacist"]
    for day in range(c.start, c.end + 1):
        if day in c.away:
            continue
        roll = random()
        if roll < 0.28 or day == c.start:
            item, quantity, hcpcs, supply = SUPPLIES[int(roll * 10_000) % len(SUPPLIES)]
            text = supply_dispensed(day, item, quantity, hcpcs, supply)
            add(day * DAY + 57_600 + int(roll * 20_000), "pharmacy", "sup", by, text)
        roll = random()
        if roll < 0.3 or day == c.start:
            ndc = NDCS[int(roll * 10_000) % len(NDCS)]
            text = drug_dispensed(day, ndc, 300 + int(roll * 9_000), f"{700_000 + c.serial % 90_000}")
            add(day * DAY + 58_000 + int(roll * 20_000), "pharmacy", "drug", by, text)
            c.dispensed.add(day)


def assess(c: Course) -> None:
    """A pain score about once a week, unless the assessments are forgotten for a while."""
    by, forgotten = c.staff["nurse"], -1
    if "pain_assessment_missing" in c.wanted and c.length > 12:
        forgotten = c.start + c.between(0, c.length // 2)
    if "pain_assessment_missing" in c.wanted and c.length < 5:
        forgotten = c.start
    day = c.start
    while day <= c.end:
        if forgotten >= 0 and day >= forgotten:
            gap = c.between(15, 24)
            allowed = 0 if day == c.start else 7
            missing = range(day + allowed, min(day + gap, c.end + 1))
            rule = c.payer.terms[0]
            if "pain_assessment" in rule.get("documentation", ["pain_assessment"]):
                c.blocked.update(missing)
                effect = "hold pain_assessment_overdue, unless assessed within the payer's days"
            else:
                effect = "none: not asked for"
            c.trouble("pain_assessment_missing", missing, [], effect)
            day, forgotten = day + gap, -1
            continue
        c.add(c.charted(day), "chart", "pain", by, pain_assessed(day, c.between(1, 9)))
        day += c.between(4, 7)


def bill_drugs(c: Course) -> None:
    """The drug under its own code, a fortnight at a time; and the nurse's visits, which are billed apart."""
    code, units = c.pick(DRUGS)
    by = c.staff["biller"]
    for first in range(c.start, c.end + 1, 14):
        last = min(first + 13, c.end)
        fields: dict[str, object] = {"hcpcs": code, "units": units * (last - first + 1), "from": ISO[first]}
        if last > first:
            fields["to"] = ISO[last]
        if c.chance(0.4):
            fields["ndc"] = c.pick(NDCS)
        c.add((last + c.between(2, 6)) * DAY + 52_000, "billing", "drug", by, fact("DrugBilledSeparately", fields))
        if c.chance(0.3):
            visit: dict[str, object] = {"code": "99601", "from": ISO[first], "billed_by": c.provider.npi}
            c.add((last + 3) * DAY + 52_400, "billing", "svc", by, fact("ServiceBilledSeparately", visit))
