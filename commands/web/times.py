"""The reader's own time zone: times are shown in it, with UTC beside them. It is chosen in a form, kept in a cookie."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, tzinfo
from typing import Final

from starlette.requests import Request

from commands.outside import utc_now
from ledger.facts.zones import zone

ZONES: Final = {
    "UTC": "UTC",
    "America/New_York": "Eastern (New York)",
    "America/Chicago": "Central (Chicago)",
    "America/Denver": "Mountain (Denver)",
    "America/Phoenix": "Mountain without daylight saving (Phoenix)",
    "America/Los_Angeles": "Pacific (Los Angeles)",
    "America/Anchorage": "Alaska (Anchorage)",
    "Pacific/Honolulu": "Hawaii (Honolulu)",
    "America/Puerto_Rico": "Atlantic (Puerto Rico)",
    "Pacific/Guam": "Chamorro (Guam)",
}
"""The zones a reader can choose, as they are called."""
UTC: Final = "UTC"
ZONE_COOKIE: Final = "episode-ledger-zone"


def zone_name(request: Request) -> str:
    """The zone that was chosen; UTC unless one was."""
    chosen = request.cookies.get(ZONE_COOKIE, UTC)
    return chosen if chosen in ZONES else UTC


def reader_zone(request: Request) -> tzinfo:
    """The same, to reckon with."""
    return zone(zone_name(request))


def reader_today(request: Request) -> str:
    """The date that it is where the reader is."""
    return utc_now().astimezone(reader_zone(request)).date().isoformat()


def clock(instant: str, where: tzinfo) -> str:
    """An instant of a row as clocks show it in a zone, to the second."""
    at = datetime.fromisoformat(instant)
    with suppress(OverflowError):  # an instant asked for on the first or the last day that there is
        at = at.astimezone(where)
    return at.strftime("%Y-%m-%d %H:%M:%S %Z")
