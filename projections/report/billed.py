"""Billable days and dollars, by payer and month of service."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from projections.read_model.queries import runs_within
from projections.read_model.views import Views
from projections.report.asked import Asked


class Billed(msgspec.Struct, frozen=True, tag_field="section", tag="billed"):
    """The billable days of one payer in one month (``YYYY-MM``), and what they pay."""

    payer: str
    month: str
    billable_days: int
    episodes: int
    cents: int
    rows: str


def billed(views: Views, asked: Asked) -> Iterator[Billed]:
    """Every payer and month with a billable day, by payer and month."""
    runs, values = runs_within(asked.filters._replace(status="billable"))
    found = views.connection.execute(f"SELECT payer, episode, first_date, last_date, rate_cents FROM {runs}", values)
    days: Counter[tuple[str, str]] = Counter()
    cents: Counter[tuple[str, str]] = Counter()
    episodes: dict[tuple[str, str], set[str]] = {}
    for payer, episode, first_date, last_date, rate_cents in found:
        for month, number in _by_month(first_date, last_date):
            days[payer, month] += number
            cents[payer, month] += number * rate_cents
            episodes.setdefault((payer, month), set()).add(episode)
    for key in sorted(days):
        yield Billed(*key, days[key], len(episodes[key]), cents[key], _rows(asked, *key))


def _by_month(first_date: str, last_date: str) -> Iterator[tuple[str, int]]:
    """How many days of a run are in each of its months."""
    while first_date[:7] < last_date[:7]:
        month, ends = first_date[:7], monthrange(int(first_date[:4]), int(first_date[5:7]))[1]
        yield month, ends - int(first_date[8:]) + 1
        first_date = (date.fromisoformat(f"{month}-{ends}") + timedelta(days=1)).isoformat()
    yield first_date[:7], int(last_date[8:]) - int(first_date[8:]) + 1


def _rows(asked: Asked, payer: str, month: str) -> str:
    last = monthrange(int(month[:4]), int(month[5:]))[1]
    return asked.rows(
        "days",
        **{
            "status": "billable",
            "payer": payer,
            "from": max(f"{month}-01", asked.from_ or ""),
            "to": min(f"{month}-{last}", asked.to or "9999-12-31"),
        },
    )
