"""The Monday report in the site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.requests import Request
from starlette.responses import Response

from commands.web.looking.monday_tables import LEFT, REFUND
from commands.web.site import Refused, Site
from projections.report.expected import ExpectedKind, by_kind
from projections.report.report import WeeklyReport


def patients_behind(report: WeeklyReport) -> Iterator[str]:
    """Everybody whom a report with the rows behind its numbers shows."""
    yield from _patients_of(report, by_kind(report.expected))
    yield from (run.patient for behind in report.behind.values() for run in behind.runs if run.patient)


def _patients_of(report: WeeklyReport, expected: Sequence[ExpectedKind]) -> Iterator[str]:
    yield from (row.patient for row in report.authorizations)
    yield from (row.patient for row in report.unanswered)
    yield from (row.patient for kind in expected for row in kind.rows)


def report_page(site: Site, request: Request) -> Response:
    """The Monday report: made when it is first asked for, and anew when somebody asks for it."""
    with site.reading() as reading:
        made = site.report(reading, anew=request.query_params.get("anew") == "1")
        expected = by_kind(made.report.expected, whole=request.query_params.get("all") == "1") if made else []
        site.record(request, "report", _patients_of(made.report, expected) if made else ())
        if made is None:
            return site.render("making.html", request, 200, reading=reading, monday=site.monday)
        return site.render(
            "monday.html", request, reading=reading, report=made.report, monday=site.monday,
            is_current=made.state == site.state(reading), expected=expected, left_words=LEFT, refund_words=REFUND,
        )  # fmt: skip


def report_charts(site: Site, request: Request) -> Response:
    """The report's own page with charts and the rows behind its numbers, as the command ``report`` writes it."""
    with site.reading():
        made = site.report_made()
    if made is None:
        raise Refused(404, "No report yet", "Open the Monday report first; it is made then.")
    site.record(request, "report", patients_behind(made.report))
    return site.document(made.html)
