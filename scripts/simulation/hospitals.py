"""Hospital stays: plain, open, moved between hospitals, told in monthly parts, under a number used again."""

from __future__ import annotations

from .clock import DAY, ISO, local_stamp, next_month, stamp, to_utc
from .course import Course, Entry
from .facts import fact


def _inpatient(c: Course, days: range) -> range:
    """The dates of a stay from the first to the last that the payer calls inpatient."""
    rule = c.payer.terms[0].get("inpatient_rule", "served")
    return {"served": days[1:-1], "midnight_census": days[:-1], "any_overlap": days}[rule]


def _stay(c: Course, stay: str, days: range, out: int = 0) -> list[Entry]:
    """An admission and a discharge by instant."""
    return [
        _hospital_fact(c, "HospitalAdmitted", stay, days[0], c.between(360, 1_380)),
        _hospital_fact(c, "HospitalDischarged", stay, days[-1], out or c.between(540, 1_200)),
    ]


def _away(c: Course, days: range) -> range:
    """Nobody is at home between the first and the last day; the inpatient dates are not claimed."""
    inside = _inpatient(c, days)
    c.away.update(days[1:-1])
    c.blocked.update(inside)
    return inside


def _hospital_fact(
    c: Course, kind: str, stay: str, day: int, minute: int, reply: int = 0, source: str = "adt"
) -> Entry:
    utc = to_utc(c.zone, day, minute)
    fields = {"stay": stay, "at": local_stamp(c.zone, utc) if source == "adt" else stamp(utc)}
    by = "adt-feed" if source == "adt" else c.staff["nurse"]
    return c.add(utc * 60 + c.between(300, 3_600) + reply * DAY, source, "stay", by, fact(kind, fields))


def hospital_stay(c: Course) -> None:
    """A stay of some days; at times the chart reports it too, a little off, or the pharmacy goes on serving."""
    days = c.reserve(2, 7)
    if days is None:
        return
    stay = f"ST-{c.serial}"
    reply = c.between(20, 50) if c.chance(0.2) else 0
    entries = [
        _hospital_fact(c, "HospitalAdmitted", stay, days[0], c.between(360, 1_380), reply),
        _hospital_fact(c, "HospitalDischarged", stay, days[-1], c.between(540, 1_200), reply),
    ]
    if c.chance(0.25):
        entries.append(_hospital_fact(c, "HospitalAdmitted", stay, days[0], c.between(360, 1_380), reply, "chart"))
    inside = _inpatient(c, days)
    if c.chance(0.8):
        c.away.update(days[1:-1])
        effect = "not_billable inpatient"
    else:
        effect = "not_billable inpatient, finding served_while_inpatient where infused"
    if not reply:
        c.blocked.update(inside)
    c.trouble("hospital_stay", inside, entries, effect if inside else "none: no inpatient date")


def hospital_stay_open(c: Course) -> None:
    """An admission near the end whose discharge nobody sent."""
    if not c.finished or c.length < 8:
        return
    day = c.end - c.between(1, 3)
    if any(d in c.reserved for d in range(day, c.end + 1)):
        return
    c.reserved.update(range(day, c.end + 1))
    entry = _hospital_fact(c, "HospitalAdmitted", f"ST-{c.serial}-o", day, c.between(360, 1_380))
    c.blocked.update(range(day + 1, c.end + 1))
    c.trouble("hospital_stay_open", range(day + 1, c.end + 1), [entry], "not_billable inpatient")


def discharge_before_admission(c: Course) -> None:
    """Two instants of one stay the wrong way round: the discharge belongs to nothing, the stay is open."""
    length = c.between(2, 4)
    days = range(c.end - length, c.end + 1)
    if not c.finished or c.length < length + 6 or any(day in c.reserved for day in days):
        return
    c.reserved.update(days)
    stay, admitted = f"ST-{c.serial}-x", days[1]
    discharge = _hospital_fact(c, "HospitalDischarged", stay, days[0], 600, length)
    admission = _hospital_fact(c, "HospitalAdmitted", stay, admitted, 900)
    c.blocked.update(range(admitted + 1, c.end + 1))
    c.trouble("discharge_before_admission", range(admitted + 1, c.end + 1), [admission], "not_billable inpatient")
    c.trouble("unmatched", [days[0]], [discharge], "finding unmatched")


def hospital_transfer(c: Course) -> None:
    """Moved from one hospital to another within hours, under another number: one stay."""
    days = c.reserve(4, 9)
    if days is None:
        return
    moved = days[0] + c.between(1, len(days) - 2)
    entries = _stay(c, f"ST-{c.serial}-a", range(days[0], moved + 1), out=600)
    entries.append(_hospital_fact(c, "HospitalAdmitted", f"{c.serial}/b", moved, 600 + c.between(15, 230)))
    entries.append(_hospital_fact(c, "HospitalDischarged", f"{c.serial}/b", days[-1], c.between(540, 1_200)))
    c.trouble("hospital_transfer", _away(c, days), entries, "not_billable inpatient")


def stays_adjoin(c: Course) -> None:
    """Home in the morning, in another hospital on the afternoon of the next day: two stays that may be one."""
    days = c.reserve(5, 9)
    if days is None:
        return
    home = days[0] + c.between(1, len(days) - 4)
    first, second = range(days[0], home + 1), range(home + 1, days[-1] + 1)
    entries = _stay(c, f"ST-{c.serial}-c", first, out=600)
    entries.append(_hospital_fact(c, "HospitalAdmitted", f"{c.serial}/d", second[0], 900))
    entries.append(_hospital_fact(c, "HospitalDischarged", f"{c.serial}/d", second[-1], c.between(540, 1_200)))
    for days in (first, second):
        _away(c, days)
    c.trouble("stays_adjoin", [home, home + 1], entries, "finding stays_adjoin")


def stay_number_reused(c: Course) -> None:
    """The hospital gives a later stay the number of an earlier one: both are stays."""
    stays = sorted((days for days in (c.reserve(3, 5), c.reserve(3, 5)) if days), key=lambda days: days[0])
    entries = [entry for days in stays for entry in _stay(c, "V-1", days)]
    inside = [day for days in stays for day in _away(c, days)]
    if len(stays) == 2:
        c.trouble("stay_number_reused", inside, entries, "not_billable inpatient")


def monthly_parts(c: Course) -> None:
    """A stay over a month's end, told by date and in parts: out on the last of the month, in on the first."""
    month = next_month(c.start + 5)
    days = range(month - c.between(2, 4), month + c.between(2, 4))
    around = range(days[0] - 1, days[-1] + 2)
    if days[-1] > c.end - 3 or any(day in c.reserved for day in around):
        return
    c.reserved.update(around)
    entries = [
        _told_by_date(c, kind, f"ST-{c.serial}-m", day)
        for kind, day in (
            ("HospitalAdmitted", days[0]),
            ("HospitalDischarged", month - 1),
            ("HospitalAdmitted", month),
            ("HospitalDischarged", days[-1]),
        )
    ]
    c.trouble("monthly_parts", _away(c, days), entries, "not_billable inpatient")


def _told_by_date(c: Course, kind: str, stay: str, day: int) -> Entry:
    return c.add((day + 1) * DAY + 30_000, "adt", "stay", "adt-feed", fact(kind, {"stay": stay, "at": ISO[day]}))
