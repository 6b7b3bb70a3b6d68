"""claims.md section 5: checks held against themselves and against each other; findings of the house, of no patient."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .entries import HOUSE, Entry, known_entries


def findings_of_house(lines: list[dict[str, Any]], until: datetime | None) -> list[dict[str, Any]]:
    """What is found in the checks that the house had received by then."""
    acts = known_entries(lines, until).get(HOUSE, [])
    checks = sorted((act for act in acts if act.type == "PaymentReceived"), key=by_date)
    found = [row("payment_unbalanced", "hard", check) for check in checks if not adds_up(check)]
    for payer in {check.fact["payer"] for check in checks}:
        own = [check for check in checks if check.fact["payer"] == payer]
        kept, carried = left_of(own, "WO"), left_of(own, "FB")
        found += [row("recouped", "soft", check) for check, cents in zip(own, kept, strict=True) if cents > 0]
        found += [row("forwarded", "soft", check) for check, cents in zip(own, carried, strict=True) if cents != 0]
    return found


def by_date(check: Entry) -> tuple[str, str]:
    """Checks go by the date they were paid on and by their number, in whatever order they were recorded."""
    return check.fact["paid_on"], check.fact["payment"]


def adds_up(check: Entry) -> bool:
    """Is the sum of the claims less what was kept what the check is worth? Of an old check it is not known."""
    if "posted_cents" not in check.fact:
        return True
    kept = sum(each["cents"] for each in check.fact.get("adjustments", []))
    return bool(check.fact["posted_cents"] - kept == check.fact["cents"])


def left_of(checks: list[Entry], reason: str) -> list[int]:
    """What is left of each check's money of a reason: cent for cent, the oldest of the other sign is settled first."""
    left = [
        sum(each["cents"] for each in check.fact.get("adjustments", []) if each["reason"] == reason) for check in checks
    ]
    for later in range(len(left)):
        for earlier in range(later):
            if left[earlier] * left[later] < 0:
                settled = min(abs(left[earlier]), abs(left[later]))
                left[earlier] -= settled if left[earlier] > 0 else -settled
                left[later] -= settled if left[later] > 0 else -settled
    return left


def row(rule: str, level: str, check: Entry) -> dict[str, Any]:
    """The finding as the contract shapes it."""
    return {
        "rule": rule, "level": level, "patient": "", "episodes": [], "dates": [check.fact["paid_on"]], "codes": [],
    }  # fmt: skip
