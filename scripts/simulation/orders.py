"""The physician's orders: one, one renewed, two with a switch of mode; signed in time, late or never."""

from __future__ import annotations

import json

from .book import PRESCRIBERS
from .clock import DAY, ISO, next_month
from .course import Course, Entry, Order
from .facts import fact

DRUGS = ("hydromorphone 1 mg/mL", "morphine 5 mg/mL", "fentanyl 10 mcg/mL", "ropivacaine 0.2 %")
ROUTES = ("intravenous", "subcutaneous", "epidural")


def order(c: Course) -> None:
    """The physician's orders: one, or two with a switch of mode on one date."""
    mode = _mode(c)
    if "interval_too_long" in c.wanted and c.length >= 14:
        c.interval, c.style, c.biller_asleep = 168, "spaced", c.chance(0.8)
    elif c.style == "spaced":
        c.interval, mode = (72 if c.chance(0.35) and c.payer.id != "harbor-mutual" else 48), "intermittent"
    switch = c.reserve(1, 1) if "mode_switch" in c.wanted and c.style != "spaced" else None
    if switch is None and "order_renewed" in c.wanted and c.length >= 8:
        renew(c, mode)
        return
    if switch is None:
        c.orders = [Order("RX-1", mode, c.start, c.end)]
        entry = _first_ordered(c, c.orders[0])
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


def renew(c: Course, mode: str) -> None:
    """The order is renewed under its number: a second telling from the day after the first one's last."""
    last = c.start + c.length // 2
    c.orders = [Order("RX-1", mode, c.start, last), Order("RX-1", mode, last + 1, c.end)]
    entries = [_ordered(c, one, last=one.last if one.first == c.start else None) for one in c.orders]
    c.trouble("order_renewed", [last, last + 1], entries, "none: in force under both tellings")


def _first_ordered(c: Course, one: Order) -> Entry:
    """The only order; at times it is signed late, or never."""
    if "orders_overlap" in c.wanted or not c.wanted & {"order_signed_late", "order_unsigned"}:
        return _ordered(c, one)
    rule = str((c.payer.terms_on(c.start, c.start) or {}).get("order_signature", "before_claim"))
    entry = _ordered(c, one, unsigned=True)
    if "order_unsigned" in c.wanted:
        if rule != "none":
            c.biller_asleep = True
        effect = "none: not asked for" if rule == "none" else "hold order_unsigned"
        c.trouble("order_unsigned", range(c.start, c.end + 1), [entry], effect)
        return entry
    after_claim = rule == "before_claim" and c.chance(0.4)
    day = next_month(min(c.end, c.start + 25)) + c.between(14, 30) if after_claim else c.start + c.between(2, 9)
    signed = fact("TherapyOrdered", {**json.loads(entry.fact), "signed_on": ISO[day]})
    fix = c.correct(entry, c.charted(day) - entry.at, "the signature came back", signed)
    days = range(c.start, min(day, c.end + 1))
    if rule == "before_service":
        c.blocked.update(days)
    effect = {"before_service": "hold order_unsigned", "none": "none: not asked for"}.get(rule, "")
    if not effect:
        effect = (
            "finding claimed_before_signature, if claimed before" if after_claim else "none: signed before the claim"
        )
    c.trouble("order_signed_late", days, [entry, fix], effect)
    return entry


def _mode(c: Course) -> str:
    if "rate_missing" in c.wanted and c.payer.id == "harbor-mutual":
        return "implanted_pump"
    roll = c.random()
    if roll < 0.03:
        return "continuous" if c.payer.id == "harbor-mutual" else "implanted_pump"
    if roll < 0.62:
        return "continuous"
    return "intermittent" if roll < 0.82 else "unspecified"


def _ordered(c: Course, one: Order, last: int | None = None, unsigned: bool = False) -> Entry:
    at = c.opened + c.between(600, 14_400) if one.first == c.start else one.first * DAY + c.between(0, 50_000)
    fields: dict[str, object] = {"order": one.name, "mode": one.mode, "from": ISO[one.first]}
    if last is not None:
        fields["to"] = ISO[last]
    elif c.finished and one.last == c.end and c.chance(0.2):
        fields["to"] = ISO[one.last + c.between(0, 20)]
    if c.interval != 24:
        fields["interval_hours"] = c.interval
    elif one.mode == "intermittent" and c.chance(0.5):
        fields["interval_hours"] = c.pick((6, 8, 12))
    fields["prescriber"] = PRESCRIBERS[c.serial * 7 % len(PRESCRIBERS)]
    if not unsigned:  # before it is told, and before the first day
        fields["signed_on"] = ISO[min(one.first - c.between(0, 2), c.local_day_of(max(at, c.opened)))]
    if c.chance(0.6):
        fields["drug"] = c.pick(DRUGS)
        fields["route"] = "intrathecal" if one.mode == "implanted_pump" else c.pick(ROUTES)
    return c.add(at, "orders", "rx", c.staff["physician"], fact("TherapyOrdered", fields))
