"""What changes while a course runs: who provides it, where a day is, which therapy comes first; and wrong lines."""

from __future__ import annotations

from collections.abc import Callable

from .book import PROVIDERS
from .clock import DAY, ISO
from .course import Course, Entry
from .days import NDCS
from .facts import day_served, days_served, drug_dispensed, fact
from .troubles import resolve

ELSEWHERE = "11"
"""An office: no simulated payer covers it."""


def provider_changed(c: Course) -> None:
    """Another provider takes the episode over; some have no agreement with the payer."""
    days = c.reserve(1, 1)
    if days is None:
        return
    day = days[0]
    others = [one for one in PROVIDERS if one is not c.provider]
    without = [one for one in others if not one.agrees(c.payer, day)]
    agreed = [one for one in others if one.agrees(c.payer, day) and one.agrees(c.payer, c.end)]
    asked = c.payer.terms[0].get("agreement_required", True)
    taken = c.pick(without) if without and asked and c.chance(0.3) else c.pick(agreed) if agreed else None
    if taken is None:
        return
    c.takeover = day, taken
    fields = {"provider": taken.npi, "from": ISO[day]}
    entry = c.add(c.charted(day), "intake", "takeover", c.staff["coordinator"], fact("ProviderChanged", fields))
    after = range(day, c.end + 1)
    if taken in without and asked:
        c.blocked.update(after)
        c.trouble("provider_changed", after, [entry], "hold no_agreement")
    else:
        c.trouble("provider_changed", after, [entry], f"provider {taken.npi}")


def place_of_a_day(c: Course) -> None:
    """One day in the prescriber's office: that day has another place than the episode."""
    day = c.reserve_served()
    if day is None or day in c.late:
        return
    text = day_served(c.order_on(day).name, day, place=ELSEWHERE)
    entry = c.add(c.charted(day), "chart", "svc", c.staff["nurse"], text)
    c.blocked.add(day)
    c.trouble("place_of_a_day", [day], [entry], "not_billable place_of_service")


def therapy_ranked(c: Course) -> None:
    """Pain is the second or third of several infusion therapies for some days."""
    days = c.reserve(2, 5)
    if days is None:
        return
    rank = 2 if c.chance(0.7) else 3
    fields = {"from": ISO[days[0]], "to": ISO[days[-1]], "rank": rank}
    physician = c.staff["physician"]
    entries = [c.add(c.charted(days[0]), "orders", "rank", physician, fact("TherapyRanked", fields))]
    entries.append(_other_therapy(c, days))
    percents = c.payer.terms[0].get("concurrent_percent")
    if not percents:
        c.trouble("therapy_ranked", days, entries, "none: every rank is paid in full")
        return
    if percents[rank - 1] == 0:
        c.blocked.update(days)
    effect = "not_billable concurrent_unpaid" if percents[rank - 1] == 0 else f"percent {percents[rank - 1]}"
    c.trouble("therapy_ranked", days, entries, effect)


def concurrent_unranked(c: Course) -> None:
    """An antibiotic of our own runs beside pain, and nobody said which comes first."""
    days = c.reserve(1, 4)
    if days is not None:
        effect = "finding concurrent_unranked on billable days"
        c.trouble("concurrent_unranked", days, [_other_therapy(c, days)], effect)


def _other_therapy(c: Course, days: range) -> Entry:
    fields = {"code": "S9500", "from": ISO[days[0]], "to": ISO[days[-1]], "units": len(days)}
    at = (days[-1] + c.between(3, 20)) * DAY + 50_000
    return c.add(at, "billing", "svc", c.staff["biller"], fact("ServiceBilledSeparately", fields))


def told_ahead(c: Course) -> None:
    """A day, or a week's ticket, told before it has come; refused, and sent again when it has."""
    day = c.reserve_served()
    if day is None or day in c.late or day < c.start + 4:
        return
    order = c.order_on(day).name
    text = day_served(order, day) if c.chance(0.5) else days_served(order, day, day, infused=True)
    source, by = ("pump", "pump-feed") if c.style != "spaced" else ("pharmacy", c.staff["pharmacist"])
    entry = c.add((day - c.between(2, 3)) * DAY + 40_000, source, "ahead", by, text)
    again = c.again(entry, (day + 2) * DAY - entry.at)
    c.refused.update((entry.seq, again.seq))
    c.trouble("told_ahead", [day], [entry], "refused told_ahead")


def decision_without_effect(c: Course) -> None:
    """Somebody decided for a code on a day that was no conflict and has another code."""
    day = c.reserve_served()
    if day is None:
        return
    act = resolve(c, day, "S9328" if c.orders[0].mode != "implanted_pump" else "S9326", day + c.between(3, 25))
    c.trouble("decision_without_effect", [day], [act], "finding decision_without_effect")


def supply_short(c: Course) -> None:
    """A delivery for one day, and the drug is infused on the next one, too."""
    free = [
        day
        for day in c.served
        if {day, day + 1} <= c.served.keys() and not {day, day + 1} & (c.reserved | c.dispensed | c.late)
    ]
    if not free:
        return
    day = c.pick(free)
    c.reserved.update((day, day + 1))
    text = drug_dispensed(day, c.pick(NDCS), 50, "700001", supply=1)
    entry = c.add(day * DAY + 58_000, "pharmacy", "drug", c.staff["pharmacist"], text)
    c.trouble("supply_short", [day + 1], [entry], "finding served_beyond_supply")


def runs_disagree(c: Course) -> None:
    """The nurse's clock and the pump's tell one run twice, half a minute apart."""
    if not c.runs:
        return
    run, days = c.pick(c.runs)
    later = run.fact.replace(':00Z"', ':30Z"', 1)  # the start
    entry = c.add(run.at + 7_200, "nurse-log", "run", c.staff["nurse"], later)
    c.trouble("runs_disagree", days, [run, entry], "finding runs_disagree")


def year_typed_wrong(c: Course) -> None:
    """A day of this year told with last year's date."""
    day = c.reserve_served()
    if day is None:
        return
    text = day_served(c.order_on(day).name, day - 365)
    entry = c.add(c.charted(day), "chart", "svc", c.staff["nurse"], text)
    c.trouble("year_typed_wrong", [day - 365, c.start], [entry], "finding evidence_gap")


def episode_voided(c: Course) -> None:
    """An episode opened in error: some days of it told before anybody noticed."""
    for day in range(c.start, min(c.start + 3, c.end + 1)):
        text = day_served(c.orders[0].name, day)
        c.served[day] = c.add((day + 1) * DAY + 8_400, "pump", "day", "pump-feed", text)
    at = (max(c.served) + c.between(2, 9)) * DAY + 60_000
    text = fact("EpisodeVoided", {"reason": "opened for the wrong patient"})
    entry = c.add(at, "intake", "void", c.staff["coordinator"], text)
    c.biller_asleep = True
    c.troubles.clear()  # nothing recorded in it counts
    c.trouble("episode_voided", sorted(c.served), [entry], "no days")


CHANGES: dict[str, Callable[[Course], None]] = {
    "place_of_a_day": place_of_a_day,
    "therapy_ranked": therapy_ranked,
    "concurrent_unranked": concurrent_unranked,
    "told_ahead": told_ahead,
    "decision_without_effect": decision_without_effect,
    "supply_short": supply_short,
    "runs_disagree": runs_disagree,
    "year_typed_wrong": year_typed_wrong,
}


def change(c: Course) -> None:
    """Plant the wanted changes among the days."""
    for kind, plant in CHANGES.items():
        if kind in c.wanted:
            plant(c)
