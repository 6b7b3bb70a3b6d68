"""Trouble planted once the days are written: repeats, retractions, corrections, other people's bills, resolutions."""

from __future__ import annotations

from collections.abc import Callable

from .book import CODE_OF_MODE, OUTSIDERS
from .clock import AUTUMN, DAY, ISO, SPRING, YEAR, to_utc
from .course import Course, Entry
from .facts import day_served, fact, infusion_logged


def exact_duplicate(c: Course) -> None:
    """The same lines sent again, as when a feed is replayed."""
    taken = [entry for entry in c.entries if entry.seq not in c.refused]
    originals = [c.pick(taken) for _ in range(c.between(1, 4))]
    copies = [c.again(entry, c.between(30, 6 * DAY)) for entry in originals]
    c.trouble("exact_duplicate", [], copies, "duplicate")


def respelled_duplicate(c: Course) -> None:
    """The same entry spelled otherwise: a default said aloud."""
    day = c.reserve_served()
    if day is None or day in c.late:
        return
    entry = c.served[day]
    copy = c.again(entry, c.between(60, 9 * DAY), entry.fact[:-1] + ',"infused":true}')
    c.trouble("respelled_duplicate", [day], [copy], "duplicate")


def business_duplicate(c: Course) -> None:
    """The chart reports days the pump has reported: other entries, the same days."""
    concerned: list[Entry] = []
    days: list[int] = []
    for _ in range(c.between(1, 3)):
        day = c.reserve_served()
        if day is not None:
            text = day_served(c.order_on(day).name, day)
            concerned += [c.served[day], c.add(c.charted(day), "chart", "svc", c.staff["nurse"], text)]
            days.append(day)
    if days:
        c.trouble("business_duplicate", sorted(days), concerned, "none: one day")


def retraction(c: Course) -> None:
    """A served day that never was; told soon, or only after the claim."""
    day = c.reserve_served()
    if day is None or day in c.late:
        return
    after_claim = c.chance(0.35)
    delay = c.between(50, 80) if after_claim else c.between(1, 6)
    undo = c.retract(c.served[day], delay * DAY, "wrong patient", c.staff["pharmacist"])
    effect = c.without(day)
    if not after_claim and effect.startswith("not"):
        c.blocked.add(day)
    c.trouble("retraction", [day], [c.served[day], undo], effect + (", after the claim" if after_claim else ""))


def retract_then_restore(c: Course) -> None:
    """A retraction that is itself retracted: the day stands again."""
    day = c.reserve_served()
    if day is None or day in c.late:
        return
    undo = c.retract(c.served[day], c.between(1, 20) * DAY, "looked like a test run", c.staff["pharmacist"])
    redo = c.retract(undo, c.between(1, 20) * DAY, "it was real after all", c.staff["nurse"])
    c.trouble("retract_then_restore", [day], [c.served[day], undo, redo], "none: the day stands")


def correction(c: Course) -> None:
    """A served day put right: not infused, another date, or a visit and no dose at all."""
    day = c.reserve_served()
    if day is None or day in c.late:
        return
    order = c.order_on(day).name
    text = c.pick(
        (
            day_served(order, day, infused=False),
            day_served(order, day + 1),
            fact("NursingVisited", {"date": ISO[day], "credential": "RN"}),
        )
    )
    fix = c.correct(c.served[day], c.between(1, 40) * DAY, "read from the wrong row", text)
    effect = "billable or not_served, as the payer counts the corrected fact"
    c.trouble("correction", [day], [c.served[day], fix], effect)


def correction_chain(c: Course) -> None:
    """A correction corrected; then the first, the second or both taken back."""
    day = c.reserve_served()
    if day is None or day in c.late:
        return
    order = c.order_on(day).name
    wrong = c.correct(c.served[day], c.between(1, 9) * DAY, "no dose", day_served(order, day, infused=False))
    right = c.correct(wrong, c.between(1, 9) * DAY, "a dose", day_served(order, day))
    concerned = [c.served[day], wrong, right]
    roll = c.random()
    effect = "none: corrected back"
    if roll < 0.35:
        concerned.append(c.retract(wrong, 30 * DAY, "noise"))
        effect = "none: the middle of a chain"
    elif roll < 0.7:
        concerned.append(c.retract(right, 2 * DAY, "no dose indeed"))
        effect = "as not infused" if effect_of_dose(c, day) else "none: other evidence"
    c.trouble("correction_chain", [day], concerned, effect)


def effect_of_dose(c: Course, day: int) -> bool:
    """Whether the day hangs on its own dose."""
    return day not in c.run_days and not c.counts_access


def order_missing(c: Course) -> None:
    """A day served under an order nobody has."""
    day = c.reserve_served()
    if day is None or day in c.late or day in c.run_days or c.style == "spaced":
        return
    fix = c.correct(c.served[day], c.between(1, 5) * DAY, "order renumbered", day_served("RX-OLD", day))
    c.blocked.add(day)
    c.trouble("order_missing", [day], [c.served[day], fix], "hold no_order")


def orders_overlap(c: Course) -> None:
    """A second order in another mode, served beside the first for some days; half of them resolved."""
    terms = c.payer.terms_on(c.start, c.start)
    daily = c.interval != 168 and (c.style != "spaced" or c.counts_access)  # both orders count on each date
    days = c.reserve(2, 4) if terms and terms["pain_code"] == "specific" and daily else None
    if days is None:
        return
    mode = "unspecified" if c.chance(0.5) else "intermittent"
    if mode == c.orders[-1].mode or mode == c.orders[0].mode:
        mode = "continuous" if mode == "intermittent" else "intermittent"
    fields = {
        "order": "RX-9",
        "mode": mode,
        "from": ISO[days[0]],
        "to": ISO[days[-1]],
        "prescriber": OUTSIDERS[0],
        "signed_on": ISO[days[0]],
    }
    physician = c.staff["physician"]
    concerned = [c.add(c.charted(days[0]), "orders", "rx", physician, fact("TherapyOrdered", fields))]
    for day in days:
        concerned.append(c.add(c.soon(day), "pharmacy", "day", c.staff["pharmacist"], day_served("RX-9", day)))
    codes = sorted((CODE_OF_MODE[mode], CODE_OF_MODE[c.order_on(days[0]).mode]))
    rule = "pain_code_exclusion" if codes[0] == "S9325" else "specific_pair"
    c.blocked.update(days)
    if codes[0] == codes[1]:
        c.trouble("orders_overlap", days, concerned, "none: one code")
        return
    c.trouble("orders_overlap", days, concerned, f"conflict {rule}")
    if c.chance(0.5):
        settled = days[: c.between(1, len(days))]
        acts = [resolve(c, day, CODE_OF_MODE[c.order_on(day).mode], day + 12) for day in settled]
        c.trouble("conflict_resolved_code", settled, acts, "billable with the code resolved")


def resolve(c: Course, day: int, bill: str | None, told: int) -> Entry:
    """A human's decision about one day."""
    fields = {"date": ISO[day], "bill": bill, "reason": "reviewed with both prescribers"}
    return c.add(told * DAY + 60_000, "billing", "resolve", c.staff["biller"], fact("ConflictResolved", fields))


def conflict_resolved_null(c: Course) -> None:
    """A human decided to bill nothing on a day."""
    day = c.reserve_served()
    if day is not None:
        act = resolve(c, day, None, day + c.between(3, 25))
        c.blocked.add(day)
        c.trouble("conflict_resolved_null", [day], [act], "not_billable conflict_resolved")


def per_diem_by_other_provider(c: Course) -> None:
    """Another provider billed a pain per diem; at times a human says ours stands."""
    days = c.reserve(1, 3, margin=0)
    if days is None:
        return
    code = "S9325" if c.chance(0.5) else c.pick(("S9326", "S9327"))
    fields: dict[str, object] = {"code": code, "from": ISO[days[0]]}
    if len(days) > 1:
        fields["to"] = ISO[days[-1]]
        fields["units"] = len(days)
    fields["billed_by"] = c.pick(OUTSIDERS)
    at = (days[-1] + c.between(5, 40)) * DAY + 40_000
    entry = c.add(at, "clearinghouse", "svc", "edi-feed", fact("ServiceBilledSeparately", fields))
    ours = [c.code_on(day, at // DAY) for day in days]
    rule = "duplicate_per_diem" if ours[0] == code else "specific_pair"
    if ours[0] != code and "S9325" in (code, ours[0]):
        rule = "pain_code_exclusion"
    c.trouble("per_diem_by_other_provider", days, [entry], f"conflict {rule}")
    if c.chance(0.4):
        acts = [resolve(c, day, mine, at // DAY + 5) for day, mine in zip(days, ours, strict=True)]
        c.trouble("conflict_resolved_code", days, acts, "billable again")


def _billed_apart(c: Course, kind: str, codes: tuple[str, ...], effect: str) -> None:
    day = c.reserve_served()
    if day is None:
        return
    fields: dict[str, object] = {"code": c.pick(codes), "from": ISO[day]}
    if c.chance(0.5):
        fields["units"] = c.pick((1, 2, "1.5"))
    if c.chance(0.6):
        fields["billed_by"] = c.provider.npi if c.chance(0.6) else c.pick(OUTSIDERS)
    entry = c.add(
        (day + c.between(3, 40)) * DAY, "billing", "svc", c.staff["biller"], fact("ServiceBilledSeparately", fields)
    )
    c.trouble(kind, [day], [entry], effect)


def catheter_care(c: Course) -> None:
    """Catheter care beside the per diem."""
    _billed_apart(
        c, "catheter_care", ("S5501", "S5501", "S5498", "S5502"), "finding catheter_care_with_per_diem on billable days"
    )


def pharmacy_hours(c: Course) -> None:
    """Pharmacy hours beside the per diem."""
    _billed_apart(c, "pharmacy_hours", ("S9810",), "finding pharmacy_hours_with_per_diem on billable days")


def bundled_item(c: Course) -> None:
    """A supply or a pump the per diem includes, billed on its own."""
    effect = "finding bundled_item_billed, unless the payer pays it apart"
    _billed_apart(c, "bundled_item", ("A4222", "E0781", "A4222", "A4221", "E0776"), effect)


def dst_run(c: Course) -> None:
    """One run from Saturday to Monday across the change of clocks."""
    for sunday in (SPRING[YEAR[c.start]], AUTUMN[YEAR[c.start]], SPRING[YEAR[c.end]], AUTUMN[YEAR[c.end]]):
        if c.start < sunday < c.end and sunday not in c.away and sunday not in c.reserved:
            break
    else:
        return
    weekend = range(sunday - 1, sunday + 2)
    c.reserved.update(weekend)
    start, stop = to_utc(c.zone, sunday - 1, 840), to_utc(c.zone, sunday + 1, c.pick((810, 840)))
    order = c.order_on(sunday).name
    entry = c.add(stop * 60 + 4_000, "pump", "run", "pump-feed", infusion_logged(order, start, stop))
    hours = f"{(stop - start) / 60:g} hours"
    if not c.zone.summer:
        c.trouble("dst_run", weekend, [entry], f"{hours}: no change of clocks in this zone")
        return
    full = (stop - start) // 1440
    c.trouble("dst_run", weekend, [entry], f"{hours}, {full} whole days if rolling, unless it meets another run")


def long_stay(c: Course) -> None:
    """More than fifty-one days: nothing but length."""
    if c.length > 51:
        c.trouble("past_51_days", [c.start + 51], [], "none: the per diem goes on")


PLANTED: dict[str, Callable[[Course], None]] = {
    "orders_overlap": orders_overlap,
    "dst_run": dst_run,
    "per_diem_by_other_provider": per_diem_by_other_provider,
    "retraction": retraction,
    "retract_then_restore": retract_then_restore,
    "correction": correction,
    "correction_chain": correction_chain,
    "order_missing": order_missing,
    "conflict_resolved_null": conflict_resolved_null,
    "business_duplicate": business_duplicate,
    "respelled_duplicate": respelled_duplicate,
    "catheter_care": catheter_care,
    "pharmacy_hours": pharmacy_hours,
    "bundled_item": bundled_item,
}


def disturb_days(c: Course) -> None:
    """Plant the wanted trouble among the days."""
    for kind, plant in PLANTED.items():
        if kind in c.wanted:
            plant(c)
    long_stay(c)
