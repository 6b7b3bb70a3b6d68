"""What was found and what is on hold: search results, findings, held episodes, each as a table."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commands.web.forms import Fields
from commands.web.looking.tables import AS_FOUND, ROWS_A_PAGE, Asked, Column, Table, csv_of, paged
from commands.web.site import Refused, Site
from projections.operations.rows_by_page import FINDING_ORDERS, findings_by_rule, findings_page, held_episodes
from projections.operations.search import find_episodes
from projections.rows.finding import MESSAGES, together
from projections.why.cures import CURES

LONGEST_SEARCH: Final = 128
_FOUND: Final = (
    Column("episode", "Episode", "episode"),
    Column("patient", "Patient"),
    Column("found_by", "Found by"),
    Column("first_date", "First date", "date"),
    Column("last_date", "Last date", "date"),
    Column("days", "Days", "number"),
    Column("billable", "Billable", "number"),
    Column("held", "On hold", "number"),
    Column("in_conflict", "Conflict", "number"),
)
_HELD: Final = (
    Column("episode", "Episode", "episode_at"),
    Column("patient", "Patient"),
    Column("first_date", "First date", "date"),
    Column("last_date", "Last date", "date"),
    Column("days", "Days", "number"),
    Column("mend", "Mend", "mend"),
)
_FINDINGS: Final = (
    Column("level", "Level", "words"),
    Column("rule", "Rule", "words"),
    Column("message", "Message"),
    Column("patient", "Patient"),
    Column("episodes", "Episodes"),
    Column("dates", "Dates"),
    Column("because", "Because"),
)


def search(site: Site, request: Request, told: Fields) -> Response:
    """A search was sent: to what is found."""
    text = told.get("text", "").strip()
    if not 1 <= len(text) <= LONGEST_SEARCH:
        wanted = "of a patient, member, claim, authorization, order or episode ID"
        raise Refused(400, "Nothing to search for", f"Enter 1 to {LONGEST_SEARCH} characters {wanted}.")
    return RedirectResponse(f"/found/{site.ids.of('search', text)}", 303)


def found_page(site: Site, request: Request) -> Response:
    """Episodes by a part of a name or number. What was searched for stands in no address, only an opaque id of it."""
    asked = Asked(request, [AS_FOUND, *(column.name for column in _FOUND)])
    with site.reading(work=True) as reading:
        text = site.ids.name("search", request.path_params["id"])
        if text is None:
            raise Refused(404, "No such search", "A search can be looked at for a while. Search again.")
        found, more = find_episodes(reading.ledger, reading.views, text)
        table = paged(asked, _FOUND, found)
        if asked.is_csv:
            return csv_of(site, request, "search", table, lambda row: row.patient)
        site.record(request, "search", [one.patient for one in table.rows])
        return site.render("found.html", request, reading=reading, text=text, table=table, more=more)


def holds_page(site: Site, request: Request) -> Response:
    """The episodes with days on hold for one reason, the longest waiting first."""
    asked = Asked(request, [AS_FOUND, *(column.name for column in _HELD if column.kind != "mend")], ("reason",))
    reason = asked.filters.get("reason", "")
    if reason not in CURES:
        raise Refused(404, "No such reason", "No day can be on hold for that reason.")
    with site.reading() as reading:
        table = paged(asked, _HELD, held_episodes(reading.views, reason))
        if asked.is_csv:
            return csv_of(site, request, "holds", table, lambda row: row.patient)
        site.record(request, "holds", [row.patient for row in table.rows])
        return site.render("holds.html", request, reading=reading, cure=CURES[reason], table=table)


def findings_list(site: Site, request: Request) -> Response:
    """Contradictions and mistakes, by rule and level."""
    asked = Asked(request, FINDING_ORDERS, ("rule", "level"))
    rule, level = asked.filters.get("rule"), asked.filters.get("level")
    if rule not in (None, *MESSAGES) or level not in (None, "hard", "soft"):
        raise Refused(404, "No such findings", "There is no such rule or level.")
    with site.reading() as reading:
        start, count = (0, -1) if asked.is_csv else ((asked.page - 1) * ROWS_A_PAGE, ROWS_A_PAGE)
        total, rows = findings_page(
            reading.views, rule, level, start, count, asked.order.name, turned=asked.order.is_turned
        )
        table = Table(asked, _FINDINGS, rows if asked.is_csv else together(rows), total)
        if asked.is_csv:
            return csv_of(site, request, "findings", table, lambda row: row.patient)
        by_rule = findings_by_rule(reading.views)
        site.record(request, "findings", [row.patient for row in rows])
        return site.render(
            "findings.html", request, reading=reading, rule=rule or "", level=level or "", table=table, by_rule=by_rule
        )
