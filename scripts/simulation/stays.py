"""What interrupts a course before its days are written: facility, hospice, holds, a wrong end."""

from __future__ import annotations

from collections.abc import Callable

from .clock import DAY, ISO
from .course import Course, Entry
from .facts import fact
from .hospitals import (
    discharge_before_admission,
    hospital_stay,
    hospital_stay_open,
    hospital_transfer,
    monthly_parts,
    stay_number_reused,
    stays_adjoin,
)


def hold_and_resume(c: Course) -> None:
    """Therapy held for some days; now and then the pump is served on regardless."""
    _hold_once(c, "hold_and_resume", f"H-{c.serial}")


def hold_number_reused(c: Course) -> None:
    """Two holds under one number: each is held."""
    for _ in range(2):
        _hold_once(c, "hold_number_reused", f"H-{c.serial}-n")


def _hold_once(c: Course, kind: str, name: str) -> None:
    days = c.reserve(1, 6)
    if days is None:
        return
    entries = _hold(c, name, days[0], days[-1] + 1)
    if c.chance(0.8):
        c.away.update(days)
    terms = c.payer.terms_on(days[0], days[0]) or {}
    if terms.get("hold_days") == "access" and c.counts_access:
        c.trouble(kind, days, entries, "none: held days count as access")
        return
    c.blocked.update(days)
    c.trouble(kind, days, entries, "not_billable held")


def resume_before_hold(c: Course) -> None:
    """A resumption dated on its hold's own date: nothing was held."""
    days = c.reserve(1, 1)
    if days is not None:
        entries = _hold(c, f"H-{c.serial}-x", days[0], days[0])
        c.trouble("resume_before_hold", days, entries, "none: no held date")


def _hold(c: Course, name: str, first: int, resumed: int) -> list[Entry]:
    held = fact("TherapyHeld", {"hold": name, "from": ISO[first], "reason": c.pick(("sedation", "line occluded"))})
    back = fact("TherapyResumed", {"hold": name, "date": ISO[resumed]})
    nurse = c.staff["nurse"]
    return [
        c.add(c.charted(first), "chart", "hold", nurse, held),
        c.add(c.charted(resumed), "chart", "resume", nurse, back),
    ]


def hospice_elected(c: Course) -> None:
    """Hospice in the last days of a palliative course; infusion goes on under the hospice."""
    if c.kind != "palliative" or c.length < 8:
        return
    first = c.end - c.between(1, min(9, c.length // 2))
    if any(day in c.reserved for day in range(first, c.end + 1)):
        return
    c.reserved.update(range(first, c.end + 1))
    fields = {"from": ISO[first]}
    if c.chance(0.3):
        fields["to"] = ISO[c.end + 60]
    entry = c.add(
        c.charted(first + c.between(0, 6)), "chart", "hospice", c.staff["nurse"], fact("HospiceElected", fields)
    )
    c.blocked.update(range(first, c.end + 1))
    c.trouble("hospice_elected", range(first, c.end + 1), [entry], "not_billable hospice")


def facility_stay(c: Course) -> None:
    """Some days in a nursing facility, where the pump may run on."""
    days = c.reserve(3, 9)
    if days is None:
        return
    fields = {"kind": c.pick(("snf", "nursing_home")), "from": ISO[days[0]], "to": ISO[days[-1]]}
    entry = c.add(c.charted(days[0] + c.between(0, 4)), "adt", "facility", "adt-feed", fact("FacilityStayed", fields))
    if c.chance(0.4):
        c.away.update(days[1:-1])
    billable = c.payer.terms[0].get("facility_days") == "billable"
    if not billable:
        c.blocked.update(days)
    c.trouble("facility_stay", days, [entry], "none: payer pays there" if billable else "not_billable facility")


def fall_silent(c: Course) -> None:
    """Nobody served on one day in the middle."""
    days = c.reserve(1, 2)
    if days is not None:
        c.away.update(days)


STAYS: dict[str, Callable[[Course], None]] = {
    "hospice_elected": hospice_elected,
    "hospital_stay_open": hospital_stay_open,
    "hospital_stay": hospital_stay,
    "hospital_transfer": hospital_transfer,
    "monthly_parts": monthly_parts,
    "stay_number_reused": stay_number_reused,
    "stays_adjoin": stays_adjoin,
    "hold_and_resume": hold_and_resume,
    "hold_number_reused": hold_number_reused,
    "facility_stay": facility_stay,
    "discharge_before_admission": discharge_before_admission,
    "resume_before_hold": resume_before_hold,
}


def interrupt(c: Course) -> None:
    """Plant the wanted interruptions."""
    for kind, plant in STAYS.items():
        if kind in c.wanted:
            plant(c)
    if c.length > 6 and c.chance(0.1):
        fall_silent(c)


def finish(c: Course) -> None:
    """The end of the course: stop, death, discharge, some of them dated back and told late."""
    if not c.finished:
        return
    nurse, day = c.staff["nurse"], c.end
    room = min(3, c.length - 2)
    free = all(d not in c.reserved for d in range(day - 3, day + 1))
    if "activity_after_death" in c.wanted and c.last_of_patient and room > 0 and free:
        day = c.end - c.between(1, room)
        text = fact("PatientDied", {"date": ISO[day]})
        entry = c.add((c.end + c.between(1, 45)) * DAY + 30_000, "adt", "died", "adt-feed", text)
        days = range(day + 1, c.end + 1)
        c.trouble(
            "activity_after_death", days, [entry], "not_billable after_death, finding served_after_death where infused"
        )
        return
    if "backdated_discharge" in c.wanted and room > 0 and free:
        day = c.end - c.between(1, room)
        text = fact("Discharged", {"date": ISO[day], "reason": "therapy complete"})
        entry = c.add((c.end + c.between(2, 50)) * DAY + 50_000, "chart", "dc", nurse, text)
        days = range(day + 1, c.end + 1)
        c.trouble(
            "backdated_discharge",
            days,
            [entry],
            "not_billable after_discharge, finding served_after_discharge where infused",
        )
        return
    if c.kind == "palliative" and c.last_of_patient and c.chance(0.45):
        c.add(c.charted(day), "adt", "died", "adt-feed", fact("PatientDied", {"date": ISO[day]}))
        if c.chance(0.8):
            closing = fact("Discharged", {"date": ISO[day], "reason": "deceased"})
            c.add(c.charted(day + 1), "chart", "dc", nurse, closing)
        return
    if c.chance(0.8):
        stopped = fact("TherapyStopped", {"order": c.order_on(day).name, "date": ISO[day], "reason": "course complete"})
        c.add(c.charted(day), "orders", "stop", c.staff["physician"], stopped)
    if c.chance(0.88):
        reason = c.pick(("pain controlled by mouth", "goals met", "moved away", "admitted elsewhere"))
        c.add(c.charted(day), "chart", "dc", nurse, fact("Discharged", {"date": ISO[day], "reason": reason}))
