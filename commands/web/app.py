"""The site as an application: its addresses, and the guard that every request has to pass."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Final, NamedTuple

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commands.people.users import UsersTrouble
from commands.web import entry_pages, house_pages, sign_in
from commands.web.answering import (
    STRANGERS,
    Act,
    Page,
    as_refused,
    failed,
    form_answer,
    page_answer,
    refused,
    session_of,
)
from commands.web.episode_pages import calendar_page, show_also, why_page
from commands.web.forms import FACT, FILES, SHORT, Bounds
from commands.web.guard.rights import FIRST_USE, MAY, PUBLIC, Asked, may
from commands.web.guard.security import Reach
from commands.web.guard.sessions import Session
from commands.web.live import live_pages
from commands.web.site import Refused, Site

PAGES: Final[dict[str, Page]] = {
    "/episode/{id}": calendar_page,
    "/episode/{id}/why": why_page,
    "/episode/{id}/entries": entry_pages.entries_page,
    "/episode/{id}/record": entry_pages.kinds_page,
    "/episode/{id}/record/{type}": entry_pages.record_form,
    "/episode/{id}/entry/{version}/{act}": entry_pages.mend_form,
    "/episode/{id}/void": entry_pages.void_form,
    "/record": entry_pages.opening_form,
    "/import": house_pages.import_form,
    "/patients/merge": house_pages.merge_form,
    "/patients/part": house_pages.part_form,
    "/months": house_pages.months_page,
    "/months/{month}": house_pages.month_page,
    "/password": sign_in.password_page,
    "/enter": sign_in.door,
    "/enter/{ticket}": sign_in.enter_by_link,
    "/sign-in/provider": sign_in.to_provider,
    "/sign-in/answer": sign_in.from_provider,
    "/style.css": lambda site, request: Response(site.style, media_type="text/css"),
}
"""What is shown at each address."""
METRICS: Final[Asked] = ("GET", "/metrics")
FORMS: Final[dict[str, tuple[Act, Bounds]]] = {
    "/also-shows": (show_also, SHORT),
    "/enter": (sign_in.enter_by_token, SHORT),
    "/sign-in": (sign_in.sign_in, SHORT),
    "/password": (sign_in.change_password, SHORT),
    "/leave": (sign_in.leave, SHORT),
    "/episode/{id}/record/{type}": (entry_pages.record_sent, FACT),
    "/episode/{id}/entry/{version}/{act}": (entry_pages.mend_sent, FACT),
    "/episode/{id}/void": (entry_pages.void_sent, FACT),
    "/record": (entry_pages.opening_sent, FACT),
    "/import": (house_pages.import_sent, FILES),
    "/patients/merge": (house_pages.merge_sent, FACT),
    "/patients/part": (house_pages.part_sent, FACT),
    "/months/{month}": (house_pages.month_sent, FACT),
}
"""What is done with a form that is sent to each address."""


class Addresses(NamedTuple):
    """What is shown at addresses, and what is done with forms that are sent to others."""

    pages: Mapping[str, Page]
    forms: Mapping[str, tuple[Act, Bounds]]


def make_app(site: Site, reach: Reach, looking: Addresses) -> ASGIApp:
    """The site behind its guard, with the pages that are looked at."""
    pages, forms = {**PAGES, **live_pages(), **looking.pages}, {**FORMS, **looking.forms}
    asked = {("GET", path) for path in pages} | {("POST", path) for path in forms}
    assert asked == MAY.keys() | PUBLIC, "each address has its line in the table of rights, and none is left over"
    strangers = asyncio.Semaphore(STRANGERS)
    routes = [Route(path, page_answer(site, page), methods=["GET"]) for path, page in pages.items()]
    routes += [
        Route(path, form_answer(site, *form, strangers if ("POST", path) in PUBLIC else None), methods=["POST"])
        for path, form in forms.items()
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: lambda r, e: refused(site, r, as_refused(e))})
    app.router.redirect_slashes = False  # to an address as the proxy asked for it, without TLS
    return Guard(app, site, reach, routes)


class Guard:
    """Lets a request through if its Host, its method, its Origin, its session and its role are right."""

    def __init__(self, app: ASGIApp, site: Site, reach: Reach, routes: list[Route]) -> None:
        self.app, self.site, self.reach, self._routes = app, site, reach, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        began, status = self.site.requests.clock(), 500

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self.reach.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        scope["reach"], scope["session"] = self.reach, None
        if self.reach.proxied:
            _note_client(scope, request)
        try:
            await (self._stopped(request) or self.app)(scope, receive, guarded)
        finally:
            session: Session | None = scope["session"]
            who = (session.name, session.role) if session else ()
            self.site.requests.note(self._asked(request), status, began, *who)

    def _stopped(self, request: Request) -> Response | None:
        """The answer to a request that does not get through."""
        if request.headers.getlist("host") not in [[host] for host in self.reach.hosts]:
            return PlainTextResponse("This site answers under its own address only, as it was printed.\n", 421)
        if "content-length" in request.headers and "transfer-encoding" in request.headers:
            return PlainTextResponse("Where the request ends is said in two ways.\n", 400, {"connection": "close"})
        if request.method not in ("GET", "POST"):
            return PlainTextResponse("Pages can be asked for, and forms sent; nothing else.\n", 405)
        own = f"{self.reach.scheme}://{request.headers['host']}"
        if request.method == "POST" and request.headers.get("origin") != own:
            return PlainTextResponse("A form of another site was sent here; nothing was done.\n", 403)
        try:
            request.scope["session"] = session_of(self.site, request)
            return self._not_allowed(request, self._asked(request))
        except UsersTrouble as trouble:
            return failed(self.site, request, trouble)

    def _asked(self, request: Request) -> Asked:
        """What a request asks for, as the table names it; the path itself where there is no such address."""
        found = (route.path for route in self._routes if route.matches(request.scope)[0] is Match.FULL)
        return request.method, next(found, request.url.path)

    def _not_allowed(self, request: Request, asked: Asked) -> Response | None:
        session: Session | None = request.scope["session"]
        if asked in PUBLIC:
            return None
        if asked == METRICS and self._has_key(request):
            return None
        if session is None:
            return sign_in.door(self.site, request, 403)
        if session.must_change and asked not in FIRST_USE:
            return RedirectResponse("/password", 303)
        if asked in MAY and not may(session.role, *asked):
            return refused(
                self.site, request,
                Refused(403, "Not allowed", f"You are signed in as {session.role}, who may not do this."),
            )  # fmt: skip
        return None  # an address that is in no table is no address: not found

    def _has_key(self, request: Request) -> bool:
        """Whether a program brought the key of the figures, if there is one."""
        key, given = self.site.metrics_key, request.headers.get("authorization", "")
        return key is not None and secrets.compare_digest(given.encode(errors="replace"), f"Bearer {key}".encode())


def _note_client(scope: Scope, request: Request) -> None:
    """Whose request it is by the word of the proxy, which is the last one in the header that it adds to."""
    told = request.headers.get("x-forwarded-for", "").split(",")[-1].strip()
    if told and scope.get("client"):
        scope["client"] = (told[:64], 0)
