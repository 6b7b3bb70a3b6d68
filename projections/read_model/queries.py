"""Rows out of the read model, chosen by the filters every read command takes (contract section 2)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

from projections.read_model.views import Views
from projections.rows.columns import sql_list
from projections.rows.day import DayCells, DayRow, day_row
from projections.rows.day_run import RUN_ORDER, DayRun, days_of
from projections.rows.finding import FindingRow, finding_row
from projections.rows.line import LineRow, line_row


class Filters(NamedTuple):
    """Which rows to show; dates are ``YYYY-MM-DD``, both ends included. Rows are chosen after all is derived.

    Status, reason and authorization choose days, rule chooses findings.
    """

    episode: str | None = None
    patient: str | None = None
    payer: str | None = None
    from_: str | None = None
    to: str | None = None
    status: str | None = None
    reason: str | None = None
    authorization: str | None = None
    rule: str | None = None


class Where:
    """Conditions with their values, for one query."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.values: list[str] = []

    def add(self, condition: str, *values: str | None) -> None:
        """Add a condition, unless a value of it was not asked for."""
        given = [value for value in values if value is not None]
        if given:
            self.conditions.append(condition)
            self.values += given

    def __str__(self) -> str:
        return " WHERE " + " AND ".join(self.conditions) if self.conditions else ""


def day_rows(views: Views, wanted: Filters) -> Iterator[DayRow]:
    """The days chosen, by patient, episode, date."""
    dated = DayCells._fields.index("date")
    first, last = wanted.from_ or "", wanted.to or "9999-12-31"
    for cells in days_of(runs_chosen(views, wanted)):
        if first <= cells[dated] <= last:
            yield day_row(cells)


def runs_chosen(views: Views, wanted: Filters) -> Iterator[DayRun]:
    """The runs that have any of the days chosen, by patient, episode, first date; at their ends, others beside them."""
    where = _runs_where(wanted)
    query = f"SELECT * FROM day_runs{where} ORDER BY {sql_list(RUN_ORDER)}"
    return map(DayRun._make, views.connection.execute(query, where.values))


def runs_within(wanted: Filters) -> tuple[str, list[str]]:
    """A query of the runs that have any of the days chosen, cut to the dates that are asked for; and its values."""
    where = _runs_where(wanted)
    first, last = wanted.from_ or "0000-01-01", wanted.to or "9999-12-31"
    same = sql_list(name for name in DayRun._fields if name not in ("first_date", "last_date", "days", "because"))
    cut = f"SELECT {same}, max(first_date, ?) AS first_date, min(last_date, ?) AS last_date FROM day_runs{where}"
    counted = "CAST(julianday(last_date) - julianday(first_date) AS INTEGER) + 1 AS days"
    return f"(SELECT *, {counted} FROM ({cut}))", [first, last, *where.values]


def _runs_where(wanted: Filters) -> Where:
    where = _touching(wanted, "first_date", "last_date")
    where.add("status = ?", wanted.status)
    where.add("reason = ?", wanted.reason)
    where.add('"authorization" = ?', wanted.authorization)
    return where


def _touching(wanted: Filters, first: str, last: str) -> Where:
    """Whose rows, and that a span between two columns touches the dates."""
    where = Where()
    where.add("patient = ?", wanted.patient)
    where.add("episode = ?", wanted.episode)
    where.add("payer = ?", wanted.payer)
    where.add(f"{last} >= ?", wanted.from_)
    where.add(f"{first} <= ?", wanted.to)
    if wanted.from_ and wanted.to:
        where.add("? <= ?", wanted.from_, wanted.to)  # or a span around an empty one would touch it
    return where


def line_rows(views: Views, wanted: Filters) -> Iterator[LineRow]:
    """The claim lines that touch the dates, by patient, episode, from."""
    for row in _rows(views, "lines", 'patient, episode, "from"', _touching(wanted, '"from"', '"to"')):
        yield line_row(row)


def finding_rows(views: Views, wanted: Filters) -> Iterator[FindingRow]:
    """The findings that touch the dates, by rule, patient, first date."""
    where = findings_where(wanted)
    for row in _rows(views, "findings", "rule, patient, first_date, dates, episodes, codes, because", where):
        yield finding_row(row)


def findings_where(wanted: Filters) -> Where:
    """The condition that chooses the findings."""
    where = Where()
    where.add("rule = ?", wanted.rule)
    where.add("patient = ?", wanted.patient)
    where.add("EXISTS (SELECT 1 FROM json_each(episodes) WHERE value = ?)", wanted.episode)
    where.add("EXISTS (SELECT 1 FROM json_each(payers) WHERE value = ?)", wanted.payer)
    if wanted.from_ or wanted.to:
        within = "EXISTS (SELECT 1 FROM json_each(dates) WHERE value BETWEEN ? AND ?)"
        where.add(within, wanted.from_ or "0000-01-01", wanted.to or "9999-12-31")
    return where


def _rows(views: Views, table: str, order: str, where: Where) -> sqlite3.Cursor:
    return views.connection.execute(f'SELECT * FROM "{table}"{where} ORDER BY {order}', where.values)


def counts(views: Views) -> dict[str, Any]:
    """Days by verdict, and findings by level and rule."""
    query = views.connection.execute
    verdicts = query("SELECT status, reason, sum(days) FROM day_runs GROUP BY 1, 2 ORDER BY 1, 2")
    findings = query("SELECT level, rule, count(*) FROM findings GROUP BY 1, 2 ORDER BY 1, 2")
    return {
        "verdicts": {" ".join(filter(None, (status, reason))): number for status, reason, number in verdicts},
        "findings": {f"{level} {rule}": number for level, rule, number in findings},
    }
