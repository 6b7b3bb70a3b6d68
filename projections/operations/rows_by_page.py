"""Findings and days on hold page by page, out of the read model."""

from __future__ import annotations

from typing import Final

import msgspec

from projections.read_model.queries import Where
from projections.read_model.views import Views
from projections.rows.finding import FindingRow, finding_row


class HeldEpisode(msgspec.Struct, frozen=True):
    """The days of one episode on hold for one reason."""

    patient: str
    episode: str
    days: int
    first_date: str
    last_date: str


FINDING_ORDERS: Final = {"rule": "rule", "patient": "patient", "level": "level", "first_date": "first_date"}
"""What findings can be in the order of, and the SQL of it."""


def findings_page(
    views: Views, rule: str | None, level: str | None, start: int, count: int, order: str = "rule", *,
    turned: bool = False,
) -> tuple[int, list[FindingRow]]:  # fmt: skip
    """How many findings of a rule and a level there are, and some of them (all with -1), in an order, and else by
    rule, patient, first date."""
    where = Where()
    where.add("rule = ?", rule)
    where.add("level = ?", level)
    query = views.connection.execute
    (total,) = query(f"SELECT count(*) FROM findings{where}", where.values).fetchone()
    first = FINDING_ORDERS[order] + (" DESC" if turned else "")
    by = f"{first}, rule, patient, first_date, dates, episodes, codes, because"
    chosen = query(f"SELECT * FROM findings{where} ORDER BY {by} LIMIT {count:d} OFFSET {start:d}", where.values)
    return total, [finding_row(row) for row in chosen]


def findings_by_rule(views: Views) -> list[tuple[str, str, int]]:
    """Rule, level and how many findings, the hard ones first."""
    return views.connection.execute(
        "SELECT rule, level, count(*) FROM findings GROUP BY 1, 2 ORDER BY level, rule"
    ).fetchall()


def held_episodes(views: Views, reason: str) -> list[HeldEpisode]:
    """The episodes with days on hold for a reason, the longest waiting first."""
    rows = views.connection.execute(
        "SELECT patient, episode, sum(days), min(first_date), max(last_date) FROM day_runs"
        " WHERE status = 'hold' AND reason = ?"
        " GROUP BY 1, 2 ORDER BY 4, 1, 2",
        (reason,),
    )
    return [HeldEpisode(*row) for row in rows]
