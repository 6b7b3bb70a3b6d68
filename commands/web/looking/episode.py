"""More pages of one episode: its history, its claim lines as a CSV, and a page to print."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from commands.web.episode_pages import asked_first, episode_asked, not_opened, record_look
from commands.web.guard.security import style_by_hash
from commands.web.looking.tables import AS_FOUND, ROWS_A_PAGE, Asked, Column, Table, csv_of
from commands.web.site import Refused, Site, known_at_asked
from commands.web.times import reader_zone
from projections.audit.replay import replay_of
from projections.page.episode import episode_sheet
from projections.page.history import history_of
from projections.page.html import render_page
from projections.page.page import page_of

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_TITLE: Final = re.compile(r"<title>.*?</title>", re.DOTALL)
"""A browser keeps titles in its history, and the page's own names the episode."""
_LINE_COLUMNS: Final = (
    Column("patient", "Patient"),
    Column("episode", "Episode", "episode"),
    Column("from_", "From", "date"),
    Column("to", "To", "date"),
    Column("payer", "Payer", "payer"),
    Column("code", "Code", "words"),
    Column("modifiers", "Modifiers"),
    Column("authorization", "Authorization"),
    Column("member", "Member"),
    Column("units", "Units", "number"),
    Column("rate_cents", "Rate", "money"),
    Column("expected_cents", "Expected", "money"),
    Column("charge_cents", "Charge", "money"),
)


def history_page(site: Site, request: Request) -> Response:
    """What was told of an episode, by day, source and person, the last first, and the days it changed."""
    episode, known_at = episode_asked(site, request), known_at_asked(request)
    asked = Asked(request, [AS_FOUND], ("known_at",))
    with site.reading() as reading:
        if first := asked_first(site, request, reading, episode, known_at):
            return first
        rows = replay_of(reading.ledger, episode, reading.book, known_at)
        parts = list(history_of(rows, reader_zone(request)))[::-1]
        record_look(site, request, "history", episode, reading, known_at)
        if not parts:
            raise not_opened()
        start = (asked.page - 1) * ROWS_A_PAGE
        table = Table(asked, (), parts[start : start + ROWS_A_PAGE], len(parts))
        return site.render("history.html", request, reading=reading, table=table, episode_name=episode)


def printed_page(site: Site, request: Request) -> Response:
    """The page of an episode that stands alone, as ``page`` writes it: to print, or to keep."""
    episode, known_at = episode_asked(site, request), known_at_asked(request)
    with site.reading() as reading:
        if first := asked_first(site, request, reading, episode, known_at):
            return first
        found = page_of(reading.ledger, episode, reading.book, known_at)
        record_look(site, request, "page", episode, reading, known_at)
        if found is None:
            raise not_opened()
    html = _TITLE.sub("<title>Episode page – Episode Ledger</title>", render_page(found), count=1)
    style = _STYLE.search(html)
    return HTMLResponse(html, headers={"content-security-policy": style_by_hash(style[1])} if style else {})


def lines_csv(site: Site, request: Request) -> Response:
    """The claim lines of an episode for a spreadsheet."""
    episode, known_at = episode_asked(site, request), known_at_asked(request)
    asked = Asked(request, [AS_FOUND], ("known_at",))
    if not asked.is_csv:  # so that it is listed like every other
        raise Refused(404, "No such page", "The claim lines of an episode are on its page, and here as CSV.")
    with site.reading() as reading:
        if first := asked_first(site, request, reading, episode, known_at):
            return first
        sheet = episode_sheet(reading.ledger, reading.views, episode, reading.book, known_at)
        if sheet is None:
            raise not_opened()
        table = Table(asked, _LINE_COLUMNS, sheet.lines, len(sheet.lines))
        return csv_of(site, request, "lines", table, lambda row: row.patient)
