"""Section 6: billable days packed into lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .history import ONE_DAY
from .verdicts import Day


def lines_of_episode(days: Iterable[Day]) -> list[dict[str, Any]]:
    """Greedy from the first date: a day joins the line before it, or begins a new one."""
    packed: list[list[Day]] = []
    for day in sorted((day for day in days if day.status == "billable"), key=lambda day: day.date):
        if packed and joins(packed[-1], day):
            packed[-1].append(day)
        else:
            packed.append([day])
    return [line_row(line) for line in packed]


def joins(line: list[Day], day: Day) -> bool:
    """May the day be the next of this line?"""
    last, terms = line[-1], day.terms
    assert terms is not None
    assert last.terms is not None
    return (
        (last.payer, last.code, last.rate_cents, last.authorization)
        == (day.payer, day.code, day.rate_cents, day.authorization)
        and last.terms.edition == terms.edition
        and day.date == last.date + ONE_DAY
        and not (terms.split_on_month and day.date.month != last.date.month)
        and len(line) < terms.line_max_days
        and terms.line_style == "span"
    )


def line_row(line: list[Day]) -> dict[str, Any]:
    """A row of `lines`."""
    first, last = line[0], line[-1]
    assert first.terms is not None
    assert first.rate_cents is not None
    return {
        "patient": first.patient,
        "episode": first.episode,
        "payer": first.payer,
        "code": first.code,
        "from": first.date.isoformat(),
        "to": last.date.isoformat(),
        "units": len(line),
        "rate_cents": first.rate_cents,
        "charge_cents": len(line) * first.rate_cents,
        "authorization": first.authorization,
        "terms_from": first.terms.from_date.isoformat(),
        "modifiers": [],
    }
