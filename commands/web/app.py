"""The site as an application: its addresses, who gets through to them, and what happens when something goes wrong."""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commands.web.access import NotRecorded
from commands.web.episode_pages import calendar_page, show_also, why_page
from commands.web.pages import (
    LONGEST_SEARCH,
    findings_list,
    found_page,
    holds_page,
    report_charts,
    report_page,
    worklist_page,
)
from commands.web.reading import Outdated
from commands.web.security import HEADERS, hosts_of
from commands.web.site import Refused, Site
from ledger.book import BookError
from ledger.facts.entry import UnreadableEntry
from ledger.recorders import Forgotten, StoreError
from projections.read_model.trouble import ViewsError

LONGEST_FORM_BYTES: Final = 4096
PUBLIC: Final = ("/enter", "/style.css")
"""What is answered without a session: the door, and how pages look."""

Handler = Callable[[Site, Request], Response]
Act = Callable[[Request, dict[str, str]], Response]


def make_app(site: Site, port: int) -> ASGIApp:
    """The site behind its guard."""
    pages: dict[str, Handler] = {
        "/": worklist_page,
        "/found/{id}": found_page,
        "/holds": holds_page,
        "/findings": findings_list,
        "/report": report_page,
        "/report/page": report_charts,
        "/episode/{id}": calendar_page,
        "/episode/{id}/why": why_page,
    }
    routes = [Route(path, _page(site, handler), methods=["GET"]) for path, handler in pages.items()]
    routes += [
        Route("/style.css", lambda request: Response(site.style, media_type="text/css"), methods=["GET"]),
        Route("/enter/{ticket}", lambda request: _enter(site, request, None), methods=["GET"]),
        Route("/enter", lambda request: _door(site, request), methods=["GET"]),
    ]
    forms: dict[str, Act] = {
        "/enter": lambda request, told: _enter(site, request, told.get("token", "")),
        "/leave": lambda request, told: _leave(site, request),
        "/also-shows": lambda request, told: show_also(site, request, told),
        "/search": lambda request, told: _search(site, told.get("text", "")),
    }
    routes += [Route(path, _form(site, act), methods=["POST"]) for path, act in forms.items()]
    app = Starlette(routes=routes, exception_handlers={HTTPException: lambda r, e: _refused(site, r, _http(e))})
    return Guard(app, site, port)


class Guard:
    """Lets a request through if its Host, its method, its Origin and its session are right; adds the headers."""

    def __init__(self, app: ASGIApp, site: Site, port: int) -> None:
        self.app, self.site, self.hosts = app, site, hosts_of(port)
        self.cookie = f"episode-ledger-{port}"  # a browser sends a cookie to every port of a machine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        scope["cookie_name"] = self.cookie
        scope["session"] = self.site.sessions.name_of(request.cookies.get(self.cookie))
        answer = self._stopped(request) or self.app
        await answer(scope, receive, guarded)

    def _stopped(self, request: Request) -> Response | None:
        """The answer to a request that does not get through."""
        if request.headers.getlist("host") not in [[host] for host in self.hosts]:
            return PlainTextResponse("This site answers under its own address only, as it was printed.\n", 421)
        if request.method not in ("GET", "POST"):
            return PlainTextResponse("Pages can be asked for, and forms sent; nothing else.\n", 405)
        if request.method == "POST" and request.headers.get("origin") != f"http://{request.headers['host']}":
            return PlainTextResponse("A form of another site was sent here; nothing was done.\n", 403)
        path = request.url.path
        if request.scope["session"] is None and not any(path == p or path.startswith(f"{p}/") for p in PUBLIC):
            return _door(self.site, request, 403)
        return None


def _door(site: Site, request: Request, status: int = 200, wrong: str = "") -> Response:
    return site.render("door.html", request, status, wrong=wrong)


def _enter(site: Site, request: Request, token: str | None) -> Response:
    """Let a browser in: by the link that works once, or by the token."""
    if token is None and request.scope["session"] is not None:
        return RedirectResponse("/", 303)
    cookie = site.sessions.by_ticket(request.path_params["ticket"]) if token is None else site.sessions.by_token(token)
    if cookie is None:
        return _door(site, request, 403, "link" if token is None else "token")
    answer = RedirectResponse("/", 303)
    answer.set_cookie(request.scope["cookie_name"], cookie, path="/", httponly=True, samesite="strict")
    return answer


def _leave(site: Site, request: Request) -> Response:
    site.sessions.end(request.cookies.get(request.scope["cookie_name"]))
    answer = RedirectResponse("/enter", 303)
    answer.delete_cookie(request.scope["cookie_name"], path="/", httponly=True, samesite="strict")
    return answer


def _search(site: Site, text: str) -> Response:
    text = text.strip()
    if not 1 <= len(text) <= LONGEST_SEARCH:
        raise Refused(400, "Nothing to search for", f"Type 1 to {LONGEST_SEARCH} signs of a patient or an episode.")
    return RedirectResponse(f"/found/{site.ids.of('search', text)}", 303)


def _page(site: Site, handler: Handler) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        try:
            return handler(site, request)
        except Exception as error:
            return _failed(site, request, error)

    return answer


def _form(site: Site, act: Act) -> Callable[[Request], object]:
    async def answer(request: Request) -> Response:
        try:
            told = await _form_fields(request)
            return await run_in_threadpool(act, request, told)
        except Exception as error:
            return _failed(site, request, error)

    return answer


async def _form_fields(request: Request) -> dict[str, str]:
    """The fields of a small form."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_FORM_BYTES:
            raise Refused(413, "Too long", "A form of this site is short.")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=8, errors="strict")
    except ValueError:
        raise Refused(400, "Not understood", "The form could not be read.") from None
    return {name: values[-1] for name, values in fields.items()}


def _failed(site: Site, request: Request, error: Exception) -> Response:
    """A page of plain sentences; what a patient's data may be in is told to nobody."""
    if isinstance(error, Refused):
        return _refused(site, request, error)
    if isinstance(error, Forgotten):
        return _refused(site, request, Refused(410, "Forgotten", f"{str(error)[:1].upper()}{str(error)[1:]}.", _KEPT))
    for kind, sentences in _TROUBLES.items():
        if isinstance(error, kind):
            site.tell(f"a page could not be shown: {type(error).__name__}")
            return _refused(site, request, Refused(503, "Not now", *sentences))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    site.tell(f"a page could not be shown: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}")
    return _refused(site, request, Refused(500, "Something went wrong here", "It was told where the site was started."))


_KEPT: Final = "Nobody can read its entries any more; what was billable stays in the totals, without a name."
_TROUBLES: Final[dict[type[Exception], tuple[str, ...]]] = {
    NotRecorded: (
        "This look could not be recorded, so the page is not shown.",
        "Make room on the disk, or look at the rights of the file of access records beside the ledger.",
    ),
    Outdated: (
        "The read model was made by another version of the program.",
        "Stop the site and start it again with 'episode-ledger serve'.",
    ),
    BookError: (
        "The book cannot be read at the moment: one of its files is being changed, or is wrong.",
        "'episode-ledger status' says which.",
    ),
    UnreadableEntry: (
        "An entry that this page needs cannot be read.",
        "Restore the ledger from a backup; 'episode-ledger rebuild --quarantine' sets the patient aside.",
    ),
    StoreError: ("The ledger cannot be read at the moment.", "Look at it with 'episode-ledger status'."),
    ViewsError: ("The read model cannot be used.", "'episode-ledger rebuild' builds another from the ledger."),
    sqlite3.Error: ("The read model failed.", "Try again, or 'episode-ledger rebuild' builds another from the ledger."),
}


def _refused(site: Site, request: Request, refused: Refused) -> Response:
    return site.render("message.html", request, refused.status, title=refused.title, sentences=refused.sentences)


def _http(error: Exception) -> Refused:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return Refused(404, "No such page", "Begin at the worklist, or search for an episode.")
    return Refused(status, HTTPStatus(status).phrase, "That cannot be asked here.")
