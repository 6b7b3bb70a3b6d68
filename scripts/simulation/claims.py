"""What the biller sends: a claim a month for the days that look billable, and what goes wrong with claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .clock import DAY, ISO, LAST_DAY, next_month
from .course import Claim, Course, Entry
from .facts import fact

Line = dict[str, Any]


def claim_months(c: Course) -> None:
    """One claim for every month with something to claim, early in the month after."""
    if c.biller_asleep and not c.chance(0.07):
        return
    first = c.start
    while first <= c.end:
        after = next_month(first)
        sent = (after + c.between(2, 11)) * DAY + c.between(46_800, 79_200)
        c.last_claim = sent
        days = [d for d in range(first, min(after, c.end + 1)) if d in c.evidence and d not in c.blocked]
        lines = pack(c, days, sent // DAY)
        if lines:
            name = f"C-{c.serial:07d}-{len(c.claims) + 1}"
            c.claims.append(Claim(_submit_month(c, sent, name, lines, days), name, lines, days))
            _mind_editions(c, c.claims[-1])
        first = after


def _submit_month(c: Course, at: int, name: str, lines: list[Line], days: list[int]) -> Entry:
    """The claim as it left; some systems say on which date, and some of those a date before the last day claimed."""
    last = next(day for day in reversed(days) if ISO[day] == lines[-1]["to"])
    if "claimed_ahead" in c.wanted and not c.claims:
        entry = submit(c, at, name, lines, sent=last - 1)
        c.trouble("claimed_ahead", [last], [entry], "finding claimed_ahead")
        return entry
    return submit(c, at, name, lines, sent=c.local_day_of(at) if c.chance(0.3) else 0)


def _mind_editions(c: Course, claim: Claim) -> None:
    """Note the days claimed under terms that a later publication replaced after the fact."""
    sent, terms_on = claim.entry.at // DAY, c.payer.terms_on
    if terms_on(claim.days[-1], sent) is not terms_on(claim.days[-1], LAST_DAY):
        days = [day for day in claim.days if terms_on(day, sent) is not terms_on(day, LAST_DAY)]
        effect = "code by the edition told late, finding claimed_not_billable if it is another"
        c.trouble("edition_told_late", days, [claim.entry], effect)


def pack(c: Course, days: list[int], known: int) -> list[Line]:
    """Claim lines for these days, from the terms the biller knows."""
    lines: list[Line] = []
    begun, previous, shape = 0, -9, ("", 0)
    longest = 1

    def close() -> None:
        if previous >= begun > 0:
            code, rate = shape
            units = previous - begun + 1
            lines.append(line(code, begun, previous, units, units * rate))

    for day in days:
        terms = c.payer.terms_on(day, known)
        code = c.code_on(day, known)
        rate = c.rate_on(day, code, known)
        if terms is None or rate is None:
            continue
        now = (code, int(terms.get("charge_cents", {}).get(code, rate)))
        longest = 1 if terms.get("line_style") == "per_day" else int(terms.get("line_max_days", 31))
        if day != previous + 1 or now != shape or day - begun >= longest:
            close()
            begun, shape = day, now
        previous = day
    close()
    return lines


def line(code: str, first: int, last: int, units: int, cents: int) -> Line:
    """One claim line."""
    return {"code": code, "from": ISO[first], "to": ISO[last], "units": units, "charge_cents": cents}


def submit(
    c: Course, at: int, name: str, lines: list[Line], frequency: str = "1", replaces: str = "", sent: int = 0
) -> Entry:
    """Record a claim as sent."""
    fields: dict[str, Any] = {"claim": name, "payer": c.payer.id, "frequency": frequency}
    if replaces:
        fields["replaces"] = replaces
    if sent:
        fields["sent_on"] = ISO[sent]
    fields["lines"] = lines
    return c.add(at, "billing", "claim", c.staff["biller"], fact("ClaimSubmitted", fields))


def claim_replaced(c: Course, claim: Claim) -> None:
    """Frequency 7: the same month once more, with what arrived late or without its last day."""
    near = range(claim.days[0] - 31, claim.days[-1] + 32)
    late = [day for day in sorted(c.late) if day in near]
    days = sorted(claim.days + [day for day in late if day not in claim.days]) if late else claim.days[:-1]
    lines = pack(c, days or claim.days, claim.entry.at // DAY + 60)
    entry = submit(c, claim.entry.at + c.between(10, 50) * DAY, claim.id + "-R", lines, "7", claim.id)
    dropped = [] if late else claim.days[-1:]
    effect = "finding billable_not_claimed where a billable day was dropped" if dropped else "late days now claimed"
    c.trouble("claim_replaced", dropped or late, [claim.entry, entry], effect)


def claim_voided(c: Course, claim: Claim) -> None:
    """Frequency 8: taken back, and not always sent anew."""
    entry = submit(c, claim.entry.at + c.between(5, 40) * DAY, claim.id + "-V", claim.lines, "8", claim.id)
    concerned = [claim.entry, entry]
    effect = "finding billable_not_claimed where later days are claimed"
    if c.chance(0.5):
        concerned.append(submit(c, entry.at + 3 * DAY, claim.id + "-N", claim.lines))
        effect = "none: sent anew"
    c.trouble("claim_voided", claim.days, concerned, effect)


def claim_sent_twice(c: Course, claim: Claim) -> None:
    """A second first-time claim for the same last days under another number."""
    lines = claim.lines[-1:]
    entry = submit(c, claim.entry.at + c.between(1, 20) * DAY, claim.id + "-B", lines)
    days = [day for day in claim.days if lines[0]["from"] <= ISO[day] <= lines[0]["to"]]
    c.trouble("claim_sent_twice", days, [claim.entry, entry], "finding claimed_twice")


def claim_reported_twice(c: Course, claim: Claim) -> None:
    """The clearing house reports the claim we recorded ourselves: one claim all the same."""
    fields = {"claim": claim.id, "payer": c.payer.id, "frequency": "1", "lines": claim.lines}
    at = claim.entry.at + c.between(3_600, 90_000)
    entry = c.add(at, "clearinghouse", "ack", "edi-feed", fact("ClaimSubmitted", fields))
    c.trouble("claim_reported_twice", claim.days, [claim.entry, entry], "none: one claim")


def claim_units_wrong(c: Course, claim: Claim) -> None:
    """A replacement whose units no longer fit its span."""
    lines = [dict(one) for one in claim.lines]
    lines[-1]["units"] += 1
    entry = submit(c, claim.entry.at + c.between(3, 30) * DAY, claim.id + "-U", lines, "7", claim.id)
    days = [day for day in claim.days if lines[-1]["from"] <= ISO[day] <= lines[-1]["to"]]
    c.trouble("claim_units_wrong", days, [claim.entry, entry], "finding claim_units")


def claim_number_reused(c: Course, claim: Claim) -> None:
    """Another month's last line sent under this claim's number: only the later of the two counts."""
    others = [other for other in c.claims if not set(other.days) & set(claim.days)]
    if not others:
        return
    entry = submit(c, max(c.last_claim, claim.entry.at) + 4 * DAY, claim.id, c.pick(others).lines[-1:])
    c.trouble("claim_number_reused", claim.days, [claim.entry, entry], "finding number_reused")


CLAIM_TROUBLES: dict[str, Callable[[Course, Claim], None]] = {
    "claim_replaced": claim_replaced,
    "claim_voided": claim_voided,
    "claim_sent_twice": claim_sent_twice,
    "claim_reported_twice": claim_reported_twice,
    "claim_units_wrong": claim_units_wrong,
    "claim_number_reused": claim_number_reused,
}


def disturb_claims(c: Course) -> None:
    """Plant the wanted trouble, each on a claim of its own, and at last whatever came too late for a claim."""
    untouched = c.claims[1:] if "claimed_ahead" in c.wanted else list(c.claims)
    for kind, plant in CLAIM_TROUBLES.items():
        if kind in c.wanted and untouched:
            plant(c, untouched.pop(c.between(0, len(untouched) - 1)))
    told = [day for day in sorted(c.late) if day in c.served]
    if told and c.claims:
        entries = [c.served[day] for day in told]
        c.trouble("late_entry", told, entries, "billable_not_claimed until the claim is replaced")
