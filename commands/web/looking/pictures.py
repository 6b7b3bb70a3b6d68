"""Pictures where people would rather look: each with its numbers in a table beneath, which is also a CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from commands.web.looking.tables import AS_FOUND, Asked, Column, Table, csv_of
from commands.web.reading import Reading
from commands.web.site import Refused, Site
from commands.web.times import reader_today
from projections.report.authorizations import RunningOut
from projections.report.charts import Bar, Chart, chart
from projections.report.claims import ExposedMonth
from projections.words import money, whole_dollars
from projections.work.sums import by_due, by_week

BARS_MOST: Final = 30
MONTHS_MOST: Final = 18
"""How many months are drawn; the table has all."""


class Picture(NamedTuple):
    """A chart with its table; no chart where there is nothing to draw."""

    name: str
    title: str
    chart: Chart | None
    table: Table


def pictures_page(site: Site, request: Request) -> Response:
    """Days by week, dollars by filing date, authorizations that run out, and what is to refund by month."""
    asked = Asked(request, [AS_FOUND], ("table",))
    today = reader_today(request)
    with site.reading(work=True) as reading:
        pictures = _pictures(site, reading, today, asked)
        if asked.is_csv:
            found = next((one for one in pictures if one.name == asked.filters.get("table")), None)
            if found is None:
                raise Refused(404, "No such table", "Choose one on the page of pictures.")
            return csv_of(site, request, found.name, found.table, lambda row: getattr(row, "patient", None))
        shown = [row.patient for one in pictures for row in one.table.rows if isinstance(row, RunningOut)]
        site.record(request, "pictures", shown)
        return site.render("pictures.html", request, reading=reading, pictures=pictures, today=today,
                           report=_report_of(site, reading))  # fmt: skip


def _report_of(site: Site, reading: Reading) -> tuple[str, bool] | None:
    """Of which date the Monday report is that some are drawn from, and whether nothing was recorded since."""
    made = site.report_made()
    return None if made is None else (made.report.heading.on, made.state == site.state(reading))


def _pictures(site: Site, reading: Reading, today: str, asked: Asked) -> list[Picture]:
    made = site.report_made()
    running_out = sorted(made.report.authorizations, key=lambda one: one.lasts_to) if made else []
    return [
        _days_by_week(by_week(reading.views, today), asked),
        _dollars_by_due(by_due(reading.views, today), asked),
        _authorizations(running_out, asked),
        _to_refund(made.report.exposure_by_month if made else (), asked),
    ]


def _days_by_week(weeks: Sequence[Any], asked: Asked) -> Picture:
    title = "Billable and held days by week of service"
    bars = [Bar(one.week, (one.billable, one.held), f"{one.billable + one.held:,} d") for one in weeks]
    says = f"{sum(one.billable for one in weeks):,} billable days and {sum(one.held for one in weeks):,} on hold."
    columns = (
        Column("week", "Week from Sunday", "date"),
        Column("billable", "Billable days", "number"),
        Column("held", "Days on hold", "number"),
    )
    return _picture("weeks", title, says, bars, "{:,}".format, ("billable", "on hold"), columns, weeks, asked)


def _dollars_by_due(due: Sequence[Any], asked: Asked) -> Picture:
    title = "Dollars on no claim by the week in which they must be filed"
    bars = [Bar(one.due, (one.cents,), money(one.cents)) for one in due]
    says = f"{money(sum(one.cents for one in due))} billable and on no claim."
    columns = (
        Column("due", "File in the week from"),
        Column("rows", "Claim lines", "number"),
        Column("days", "Days", "number"),
        Column("cents", "Dollars", "money"),
    )
    return _picture("filing", title, says, bars, whole_dollars, (), columns, due, asked)


def _authorizations(found: Sequence[RunningOut], asked: Asked) -> Picture:
    title = "Authorizations that run out"
    bars = [Bar(one.lasts_to, (one.drawn, max(0, one.left)), f"{one.left} left") for one in found[:BARS_MOST]]
    says = f"{len(found)} run out while therapy goes on; each bar is one, by the last date it pays for."
    columns = (
        Column("lasts_to", "Pays until", "date"),
        Column("number", "Number"),
        Column("episode", "Episode", "episode"),
        Column("patient", "Patient"),
        Column("payer", "Payer", "payer"),
        Column("units", "Units", "number"),
        Column("drawn", "Used", "number"),
        Column("left", "Left", "number"),
        Column("to", "Ends", "date"),
    )
    return _picture(
        "authorizations", title, says, bars, "{:,}".format, ("used", "left"), columns, found[:BARS_MOST], asked
    )


def _to_refund(months: Sequence[ExposedMonth], asked: Asked) -> Picture:
    title = "Money that is not due by month of service"
    bars = [
        Bar(one.month, (one.cents, one.undue_cents), money(one.cents + one.undue_cents))
        for one in months[-MONTHS_MOST:]
    ]
    owed, asked_for = sum(one.cents for one in months), sum(one.undue_cents for one in months)
    says = f"{money(owed)} to refund, and {money(asked_for)} claimed and not answered, as in the Monday report."
    columns = (
        Column("month", "Month of service"),
        Column("days", "Days", "number"),
        Column("cents", "To refund", "money"),
        Column("undue_cents", "Claimed, not answered", "money"),
    )
    return _picture(
        "refund", title, says, bars, whole_dollars, ("to refund", "claimed, not answered"), columns, months, asked
    )


def _picture(
    name: str, title: str, says: str, bars: Sequence[Bar], scale: Any, series: Sequence[str],
    columns: Sequence[Column], rows: Sequence[Any], asked: Asked,
) -> Picture:  # fmt: skip
    drawn = chart(f"chart-{name}", title, says, bars, scale, series) if any(sum(bar.parts) for bar in bars) else None
    return Picture(name, title, drawn, Table(asked, columns, rows, len(rows)))
