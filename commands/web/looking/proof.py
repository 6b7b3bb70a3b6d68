"""What the pages rest on: ledger, position, seal, book; and the time zone in which the reader sees times."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commands.web.forms import Fields
from commands.web.guard.security import Reach
from commands.web.site import Refused, Site
from commands.web.times import ZONE_COOKIE, ZONES, zone_name

_A_YEAR_SECONDS = 365 * 24 * 3600


def proof_page(site: Site, request: Request) -> Response:
    """Hashes and positions, for whoever checks a page against the ledger."""
    with site.reading() as reading:
        noted = reading.views.noted()
        return site.render(
            "proof.html", request, reading=reading, seal=reading.ledger.seal_at(reading.position),
            code=noted.get("code", ""), fingerprints=reading.views.fingerprints(), zones=ZONES,
            zone_chosen=zone_name(request), access_file=site.access.path.name,
        )  # fmt: skip


def choose_zone(site: Site, request: Request, fields: Fields) -> Response:
    """Show times in another zone from now on, in this browser."""
    chosen = fields.get("zone", "")
    if chosen not in ZONES:
        raise Refused(400, "No such time zone", "Choose one of the list.")
    answer = RedirectResponse("/proof", 303)
    reach: Reach = request.scope["reach"]
    answer.set_cookie(
        ZONE_COOKIE, chosen, max_age=_A_YEAR_SECONDS, path="/", httponly=True, samesite="strict", secure=reach.tls
    )
    return answer
