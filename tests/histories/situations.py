"""Situations of several facts that chance alone would seldom put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from .book import CODES, PAYERS, STRANGER
from .facts import Fact, a_day, after, an_instant, in_utc
from .teller import Teller


def transfer(teller: Teller) -> None:
    """From one hospital to another within hours: two numbers, one stay, or nearly so."""
    rng, episode = teller.rng, teller.rng.choice(teller.episodes)
    begin = an_instant(rng)
    moved = begin + timedelta(hours=rng.randint(20, 90))
    again = moved + timedelta(hours=rng.choice((0, 1, 3, 4, 5, 20)))
    ends = again + timedelta(hours=rng.randint(10, 90))
    teller.tell(episode, {"type": "HospitalAdmitted", "stay": "V1", "at": in_utc(begin)})
    teller.tell(episode, {"type": "HospitalDischarged", "stay": "V1", "at": in_utc(moved)})
    other = rng.choice(teller.episodes)
    teller.tell(other, {"type": "HospitalAdmitted", "stay": rng.choice(("V1", "V2")), "at": in_utc(again)})
    if rng.random() < 0.7:
        teller.tell(other, {"type": "HospitalDischarged", "stay": rng.choice(("V1", "V2")), "at": in_utc(ends)})


def stay_by_date(teller: Teller) -> None:
    """A stay told by date, or half by date, in two parts that adjoin or nearly do, under one number or two."""
    rng, episode = teller.rng, teller.rng.choice(teller.episodes)
    first = a_day(rng, 0, 14)
    second = after(first, rng.randint(0, 5))
    third = after(second, rng.choice((0, 1, 1, 2)))
    numbers = rng.choice((("M", "M"), ("M", "N")))
    told = [
        ("HospitalAdmitted", numbers[0], first),
        ("HospitalDischarged", numbers[0], second),
        ("HospitalAdmitted", numbers[1], third),
        ("HospitalDischarged", numbers[1], after(third, rng.randint(0, 4))),
    ]
    rng.shuffle(told)
    for kind, stay, day in told[: rng.choice((3, 4, 4))]:
        hour = rng.choice(("", "", "T14:00:00Z", "T22:00:00Z"))
        teller.tell(episode, {"type": kind, "stay": stay, "at": day + hour})


def two_discharges(teller: Teller) -> None:
    """One number with two discharges days apart."""
    rng, begin = teller.rng, an_instant(teller.rng)
    teller.tell(rng.choice(teller.episodes), {"type": "HospitalAdmitted", "stay": "W", "at": in_utc(begin)})
    for hours in (30, 30 + rng.choice((10, 24, 25, 60))):
        at = in_utc(begin + timedelta(hours=hours))
        teller.tell(rng.choice(teller.episodes), {"type": "HospitalDischarged", "stay": "W", "at": at})


def hold_told_again(teller: Teller) -> None:
    """One hold number used twice."""
    rng, episode, day = teller.rng, teller.rng.choice(teller.episodes), a_day(teller.rng, 0, 14)
    for shift in (0, rng.randint(1, 8)):
        teller.tell(episode, {"type": "TherapyHeld", "hold": "K", "from": after(day, shift)})
        teller.tell(episode, {"type": "TherapyResumed", "hold": "K", "date": after(day, shift + rng.randint(0, 3))})


def two_clocks(teller: Teller) -> None:
    """One run, told by two clocks an hour apart."""
    rng, episode, start = teller.rng, teller.rng.choice(teller.episodes), an_instant(teller.rng)
    for shift in (0, rng.choice((0, 1, 1, 24))):
        begin = start + timedelta(hours=shift)
        ends = begin + timedelta(hours=rng.choice((24, 47, 48)))
        run = {"type": "InfusionLogged", "order": "A", "started_at": in_utc(begin), "stopped_at": in_utc(ends)}
        teller.tell(episode, run)


def wrong_year(teller: Teller) -> None:
    """A date with the month or the year mistyped."""
    rng = teller.rng
    day = after(a_day(rng), -rng.choice((181, 195, 365)))
    service = rng.choice(({"type": "DayServed", "order": "A"}, {"type": "NursingVisited"}))
    teller.tell(rng.choice(teller.episodes), service | {"date": day})


def voided(teller: Teller) -> None:
    """An episode opened in error, now and then restored."""
    rng, episode = teller.rng, teller.rng.choice(teller.episodes[-2:])
    teller.tell(episode, {"type": "EpisodeVoided", "reason": "opened twice"})
    if rng.random() < 0.3:
        void = next(entry for entry in reversed(teller.entries) if entry["fact"]["type"] == "EpisodeVoided")
        naming = {"target_source": void["source"], "target_id": void["id"], "reason": "it was right"}
        teller.tell(void["episode"], {"type": "FactRetracted", **naming})


def coverage_back(teller: Teller) -> None:
    """Coverage ended, then verified again over the end, or what it ended corrected."""
    rng, episode, payer = teller.rng, teller.rng.choice(teller.episodes), teller.rng.choice(PAYERS[:2])
    teller.tell(episode, {"type": "CoverageEnded", "payer": payer, "last_date": a_day(rng, 4, 14)})
    verified = {"type": "CoverageVerified", "payer": payer, "member": "M-3", "from": a_day(rng, 0, 16)}
    rng.choice((teller.tell, teller.correct_one))(episode, verified)


def member_changes(teller: Teller) -> None:
    """A new member number from a date on, now and then told twice."""
    rng, episode, day = teller.rng, teller.rng.choice(teller.episodes), a_day(teller.rng, 2, 14)
    for payer in PAYERS[:2]:
        for member in ("M-8", "M-9")[: rng.choice((1, 2))]:
            fact = {"type": "CoverageVerified", "payer": payer, "member": member, "from": day}
            teller.tell(episode, fact | {"rank": rng.choice((1, 1, 1, 2))})


def order_renewed(teller: Teller) -> None:
    """One order number told month by month, or stopped and begun again, and served on the dates around."""
    rng, episode, day = teller.rng, teller.rng.choice(teller.episodes), a_day(teller.rng, 4, 18)
    modes, hours = ("continuous", "continuous", "intermittent", "unspecified"), (24, 48, 72)

    def order(begin: str, **until: str) -> None:
        fact: Fact = {
            "type": "TherapyOrdered",
            "order": "R",
            "prescriber": STRANGER,
            "signed_on": "2026-10-02",
            **until,
        }
        fact |= {"mode": rng.choice(modes), "interval_hours": rng.choice(hours), "from": begin}
        teller.tell(episode, fact)

    last = after(day, -4)
    parts = [(after(day, -7), last), (after(last, rng.choice((1, 2))), day)]
    if rng.random() < 0.3:
        parts[1] = (parts[0][0], day)
    rng.shuffle(parts)
    stopped = rng.random() < 0.5
    for first, until in parts:
        order(first, **({} if stopped and until == day else {"to": until}))
    if stopped:
        teller.tell(episode, {"type": "TherapyStopped", "order": "R", "date": day})
    for _ in range(rng.choice((1, 1, 2))):
        order(after(day, rng.choice((1, 2, 3, 4))))
    for shift in (-8, -8, -4, -1, 0, 1, 2, 3):
        if rng.random() < 0.4:
            teller.tell(episode, {"type": "DayServed", "order": "R", "date": after(day, shift)})


def switched(teller: Teller) -> None:
    """One order ends on the date another begins, which may be its only one."""
    rng, episode, day = teller.rng, teller.rng.choice(teller.episodes), a_day(teller.rng, 4, 24)
    order = {"type": "TherapyOrdered", "prescriber": STRANGER, "signed_on": "2026-10-02"}
    teller.tell(
        episode, order | {"order": "O", "mode": "continuous", "from": rng.choice((day, "2026-10-20")), "to": day}
    )
    only = rng.choice(({"to": day}, {}))
    teller.tell(
        episode, order | {"order": "Q", "mode": rng.choice(("intermittent", "unspecified")), "from": day, **only}
    )
    for name in "OQ":
        teller.tell(episode, {"type": "DayServed", "order": name, "date": day})


def settled_beside_another(teller: Teller) -> None:
    """A day with two codes, settled to one, beside a second episode of the patient."""
    rng, day = teller.rng, a_day(teller.rng, 2, 18)
    one, other = teller.episodes[0], teller.episodes[-1]
    paper = {"type": "TherapyOrdered", "prescriber": STRANGER, "signed_on": "2026-10-02", "from": "2026-10-10"}
    for order, mode in (("Y", "continuous"), ("Z", rng.choice(("intermittent", "unspecified")))):
        teller.tell(one, paper | {"order": order, "mode": mode})
        teller.tell(one, {"type": "DayServed", "order": order, "date": day})
    teller.tell(one, {"type": "ConflictResolved", "date": day, "bill": rng.choice(CODES), "reason": "settled"})
    teller.tell(other, {"type": "DayServed", "order": "A", "date": day})


def authorization_extended(teller: Teller) -> None:
    """A number told again for the next period, or over the first, in one episode or another."""
    rng, day, payer = teller.rng, a_day(teller.rng, 2, 12), teller.rng.choice(PAYERS[:2])
    granted = {"type": "AuthorizationGranted", "number": rng.choice(("N1", "X1")), "payer": payer, "codes": list(CODES)}
    spans = [("2026-10-05", day), (after(day, rng.choice((-2, 1, 1))), after(day, 5)), (after(day, 4), "2026-11-20")]
    rng.shuffle(spans)
    for first, last in spans[: rng.choice((2, 3, 3))]:
        grant = {"from": first, "to": last, "units": rng.randint(2, 6)}
        teller.tell(rng.choice(teller.episodes), granted | grant)


def claimed_well(teller: Teller) -> None:
    """A claim of some days, replaced, replaced again, and one of these corrected."""
    rng, episode = teller.rng, teller.rng.choice(teller.episodes)
    day, payer = a_day(rng, 2, 14), rng.choice(PAYERS[:2])
    line = {"code": rng.choice(CODES), "from": day, "to": after(day, 2), "units": 3, "charge_cents": 27000}
    claim = {"type": "ClaimSubmitted", "payer": payer, "lines": [line]}
    sent = rng.choice(({}, {"sent_on": after(day, rng.choice((-1, 2, 5)))}))
    teller.tell(episode, claim | sent | {"claim": "D1", "frequency": "1"})
    for number in ("D2", "D3")[: rng.randint(0, 2)]:
        replaced = rng.choice(({"replaces": "D1"}, {"replaces": "D1"}, {"replaces": "D4"}, {}))
        teller.tell(episode, claim | {"claim": number, "frequency": rng.choice("7778"), **replaced})
    if rng.random() < 0.5:
        right = claim | {"claim": rng.choice(("D1", "D2", "D2")), "frequency": "7", "replaces": "D1"}
        teller.correct_one(episode, right)


def supplied(teller: Teller) -> None:
    """Drugs for some days, and infusions beyond them."""
    rng, episode, day = teller.rng, teller.rng.choice(teller.episodes), a_day(teller.rng, 0, 12)
    drug = {"type": "DrugDispensed", "ndc": "00409117530", "quantity": 10, "unit": "ML"}
    for shift in (0, rng.randint(0, 4)):
        supply = rng.choice(({"days_supply": 2}, {"days_supply": 3}, {"days_supply": 3}, {}))
        teller.tell(episode, drug | {"date": after(day, shift), **supply})
    span = {"from": day, "to": after(day, rng.randint(2, 8))}
    teller.tell(episode, {"type": "DaysServed", "order": "A", "infused": True, **span})


def concurrent(teller: Teller) -> None:
    """Another therapy beside pain, ranked for some days."""
    rng, episode = teller.rng, teller.rng.choice(teller.episodes)
    first, last = sorted((a_day(rng), a_day(rng)))
    teller.tell(
        rng.choice(teller.episodes), {"type": "ServiceBilledSeparately", "code": "S9500", "from": first, "to": last}
    )
    teller.tell(episode, {"type": "TherapyRanked", "from": first, "to": a_day(rng, 24, 24), "rank": rng.randint(1, 4)})


SITUATIONS: list[Callable[[Teller], None]] = [
    *(transfer, stay_by_date, two_discharges, hold_told_again, two_clocks, wrong_year, voided, coverage_back),
    *(member_changes, order_renewed, order_renewed, switched, settled_beside_another, authorization_extended),
    *(claimed_well, supplied, concurrent),
]
"""Every situation, those with most to draw twice; a history takes up a few of them."""
