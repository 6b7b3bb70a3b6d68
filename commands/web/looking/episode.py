"""More pages of one episode: its history, and a page to print."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from commands.web.episode_pages import asked_first, episode_asked, not_opened, record_look
from commands.web.looking.tables import AS_FOUND, ROWS_A_PAGE, Asked, Table
from commands.web.site import Site, known_at_asked
from commands.web.times import reader_zone
from projections.audit.replay import replay_of
from projections.page.history import history_of
from projections.page.html import render_page
from projections.page.page import page_of

_TITLE: Final = re.compile(r"<title>.*?</title>", re.DOTALL)
"""A browser keeps titles in its history, and the page's own names the episode."""


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
    return site.document(html)
