"""Section 6: billable days packed into lines."""

from __future__ import annotations

from typing import Any

from .dates import ONE_DAY
from .day import Day, Days, billable_days


def lines_of_episode(days: Days) -> list[dict[str, Any]]:
    """Greedy from the first date: a day joins the line before it, or begins a new one."""
    packed: list[list[Day]] = []
    for day in billable_days(days):
        if packed and joins(packed[-1], day):
            packed[-1].append(day)
        else:
            packed.append([day])
    return [line_row(line) for line in packed]


def joins(line: list[Day], day: Day) -> bool:
    """May the day be the next of this line?"""
    last, terms = line[-1], day.in_terms
    return (
        must_agree(last) == must_agree(day)
        and day.date == last.date + ONE_DAY
        and not (terms.split_on_month and day.date.month != last.date.month)
        and len(line) < terms.line_max_days
        and terms.line_style == "span"
    )


def must_agree(day: Day) -> tuple[object, ...]:
    """What is the same on all days of a line."""
    return (
        *(day.payer, day.member, day.provider, day.place, day.code, day.rate_cents, day.charge_cents),
        *(day.modifiers, day.authorization, day.in_terms.edition),
    )


def line_row(line: list[Day]) -> dict[str, Any]:
    """A row of `lines` (contract, section 2)."""
    first, last, units = line[0], line[-1], len(line)
    assert first.rate_cents is not None
    assert first.charge_cents is not None
    return {
        "patient": first.patient,
        "episode": first.episode,
        "payer": first.payer,
        "code": first.code,
        "from": first.date.isoformat(),
        "to": last.date.isoformat(),
        "units": units,
        "rate_cents": first.rate_cents,
        "charge_cents": units * first.charge_cents,
        "authorization": first.authorization,
        "terms_from": first.in_terms.from_date.isoformat(),
        "modifiers": first.modifiers,
        "member": first.member,
        "provider": first.provider,
        "place_of_service": first.place,
        "expected_cents": units * first.rate_cents,
    }
