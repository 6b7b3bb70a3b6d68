"""Billable days and dollars, by payer and month of service."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator

import msgspec

from projections.read_model.queries import days_where
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
    where = days_where(asked.filters._replace(status="billable"))
    found = views.connection.execute(
        "SELECT payer, substr(date, 1, 7) AS month, count(*), count(DISTINCT episode), sum(rate_cents)"
        f" FROM days{where} GROUP BY 1, 2 ORDER BY 1, 2",
        where.values,
    )
    for payer, month, days, episodes, cents in found:
        yield Billed(payer, month, days, episodes, cents, _rows(asked, payer, month))


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
