"""The pages over all episodes: worklist, search, holds, findings, the Monday report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from commands.web.forms import Fields
from commands.web.guard.security import style_by_hash
from commands.web.site import Refused, Site, page_number
from projections.operations.search import find_episodes
from projections.operations.worklist import (
    DAYS_AHEAD,
    DAYS_PAST,
    Worklist,
    findings_by_rule,
    findings_page,
    held_page,
)
from projections.report.claims import BANDS
from projections.report.report import WeeklyReport
from projections.rows.finding import MESSAGES, together
from projections.why.cures import CURES

ROWS_A_PAGE: Final = 50
LONGEST_SEARCH: Final = 128
_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def worklist_page(site: Site, request: Request) -> Response:
    """What waits for somebody, first of all."""
    with site.reading() as reading:
        work = site.worklist(reading)
        site.record(request, "worklist", patients_on(work))
        return site.render(
            "worklist.html", request, reading=reading, work=work, days_ahead=DAYS_AHEAD, days_past=DAYS_PAST
        )


def patients_on(work: Worklist) -> Iterator[str]:
    """Everybody whom a worklist shows."""
    for rows in (work.hard, work.conflicts, work.unbilled):
        yield from (row.patient for row in rows)


def patients_behind(report: WeeklyReport) -> Iterator[str]:
    """Everybody whom a report with the rows behind its numbers shows."""
    yield from _patients_of(report)
    yield from (run.patient for behind in report.behind.values() for run in behind.runs)


def _patients_of(report: WeeklyReport) -> Iterator[str]:
    return (row.patient for row in report.authorizations)


def found_page(site: Site, request: Request) -> Response:
    """Episodes by a part of a name. What was searched for stands in no address, only an opaque id of it."""
    with site.reading() as reading:
        text = site.ids.name("search", request.path_params["id"])
        if text is None:
            raise Refused(404, "No such search", "A search can be looked at for a while. Search again.")
        found, more = find_episodes(reading.ledger, reading.views, text)
        site.record(request, "search", [one.patient for one in found])
        return site.render("found.html", request, reading=reading, text=text, found=found, more=more)


def search(site: Site, request: Request, told: Fields) -> Response:
    """A search was sent: to what is found."""
    text = told.get("text", "").strip()
    if not 1 <= len(text) <= LONGEST_SEARCH:
        raise Refused(
            400, "Nothing to search for", f"Enter 1 to {LONGEST_SEARCH} characters of a patient or episode ID."
        )
    return RedirectResponse(f"/found/{site.ids.of('search', text)}", 303)


def holds_page(site: Site, request: Request) -> Response:
    """The episodes with days on hold for one reason, the longest waiting first."""
    reason, page = request.query_params.get("reason", ""), page_number(request)
    if reason not in CURES:
        raise Refused(404, "No such reason", "No day can be on hold for that reason.")
    with site.reading() as reading:
        total, rows = held_page(reading.views, reason, (page - 1) * ROWS_A_PAGE, ROWS_A_PAGE)
        site.record(request, "holds", [row.patient for row in rows])
        return site.render(
            "holds.html", request, reading=reading, reason=reason, cure=CURES[reason], rows=rows, total=total,
            page=page, pages=_pages(total), query=f"reason={reason}&",
        )  # fmt: skip


def findings_list(site: Site, request: Request) -> Response:
    """Contradictions and mistakes, by rule and level."""
    rule, level, page = request.query_params.get("rule"), request.query_params.get("level"), page_number(request)
    if (rule or None) not in (None, *MESSAGES) or (level or None) not in (None, "hard", "soft"):
        raise Refused(404, "No such findings", "There is no such rule or level.")
    with site.reading() as reading:
        total, rows = findings_page(reading.views, rule or None, level or None, (page - 1) * ROWS_A_PAGE, ROWS_A_PAGE)
        by_rule = findings_by_rule(reading.views)
        site.record(request, "findings", [row.patient for row in rows])
        query = "".join(f"{name}={value}&" for name, value in (("rule", rule), ("level", level)) if value)
        return site.render(
            "findings.html", request, reading=reading, rule=rule or "", level=level or "", rows=together(rows),
            total=total, by_rule=by_rule, page=page, pages=_pages(total), query=query,
        )  # fmt: skip


def _pages(total: int) -> int:
    return max(1, -(-total // ROWS_A_PAGE))


def report_page(site: Site, request: Request) -> Response:
    """The Monday report: made when it is first asked for, and anew when somebody asks for it."""
    with site.reading() as reading:
        made = site.report(reading, anew=request.query_params.get("anew") == "1")
        site.record(request, "report", _patients_of(made.report) if made else ())
        if made is None:
            return site.render("making.html", request, 200, reading=reading, monday=site.monday)
        return site.render(
            "monday.html", request, reading=reading, report=made.report, monday=site.monday,
            is_current=made.state == site.state(reading), bands={band.name: band for band in BANDS},
        )  # fmt: skip


def report_charts(site: Site, request: Request) -> Response:
    """The report's own page with charts and the rows behind its numbers, as the command ``report`` writes it."""
    with site.reading():
        made = site.monday.kept()
    if made is None:
        raise Refused(404, "No report yet", "Open the Monday report first; it is made then.")
    site.record(request, "report", patients_behind(made.report))
    found = _STYLE.search(made.html)
    headers = {"content-security-policy": style_by_hash(found[1])} if found else {}
    return HTMLResponse(made.html, headers=headers)
