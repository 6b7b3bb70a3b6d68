"""How pages are shown and forms are done: in threads, within bounds, for whoever is still signed in then.

And what a page says when something went wrong: plain sentences; what a patient's data may be in is told to nobody.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import traceback
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from commands.desk.uploads import TooMuchAtOnce
from commands.people.users import UsersTrouble
from commands.web import sign_in
from commands.web.access import NotRecorded
from commands.web.forms import Bounds, Fields, body_of, fields_of
from commands.web.guard.security import Reach
from commands.web.guard.sessions import Session
from commands.web.reading import Outdated
from commands.web.site import Refused, Site
from ledger.book import BookError
from ledger.facts.entry import UnreadableEntry
from ledger.recorders import Forgotten, StoreError, Unknown
from projections.read_model.trouble import ViewsError
from projections.reading.budget import TooCostly
from projections.words import sentence

Page = Callable[[Site, Request], Response]
Act = Callable[[Site, Request, Fields], Response]

STRANGERS: Final = 4
"""How many forms of people without a session are looked at at once; a password takes a while of a core."""


def session_of(site: Site, request: Request) -> Session | None:
    """The session that a request is of; none any more where its user was changed since."""
    reach: Reach = request.scope["reach"]
    cookie = request.cookies.get(reach.cookie)
    session = site.sessions.of(cookie)
    if session is None or session.changed_at is None:
        return session
    user = site.users.named(session.user)
    if user is None or user.is_disabled or user.changed_at != session.changed_at:
        site.sessions.end(cookie)
        return None
    return session


def page_answer(site: Site, page: Page) -> Callable[[Request], Response]:
    """What is shown at an address."""

    def answer(request: Request) -> Response:
        try:
            return page(site, request)
        except Exception as error:
            return failed(site, request, error)

    return answer


def form_answer(
    site: Site, act: Act, bounds: Bounds, strangers: asyncio.Semaphore | None
) -> Callable[[Request], Awaitable[Response]]:
    """What is done with a form; one that needs no session is done by ``strangers``, who are few, and so keep none of
    the site's threads from whoever is signed in."""

    async def answer(request: Request) -> Response:
        session: Session | None = request.scope["session"]
        try:
            with site.coming.of(session.user if session else "") as more:
                body = await body_of(request, bounds, more)
                if strangers is not None:
                    async with strangers:
                        return await run_in_threadpool(_done, site, request, act, bounds, body)
                return await run_in_threadpool(_done_in_session, site, request, act, bounds, body)
        except TooMuchAtOnce:
            return failed(site, request, _TOO_MUCH)
        except Exception as error:
            return failed(site, request, error)

    return answer


_TOO_MUCH: Final = Refused(
    429, "Too much at once", "Other forms and files of yours are on their way.", "Send this one when they are there."
)


def _done(site: Site, request: Request, act: Act, bounds: Bounds, body: bytes) -> Response:
    told = fields_of(site, request, body, bounds)
    told.pop("form", "")
    return act(site, request, told)


def _done_in_session(site: Site, request: Request, act: Act, bounds: Bounds, body: bytes) -> Response:
    if out := _out_meanwhile(site, request):
        return out
    told = fields_of(site, request, body, bounds)
    _refuse_other_form(request, told.pop("form", ""))
    return act(site, request, told)


def _out_meanwhile(site: Site, request: Request) -> Response | None:
    """The door, if the session that a form is of ended while the form came: its sender may take two minutes over it."""
    if session_of(site, request) is request.scope["session"]:
        return None
    request.scope["session"] = None
    return sign_in.door(site, request, 403)


def _refuse_other_form(request: Request, key: str) -> None:
    """Refused if a form is not one that was made for this session."""
    session: Session | None = request.scope["session"]
    if session is not None and not secrets.compare_digest(key.encode(errors="replace"), session.form.encode()):
        raise Refused(
            403, "A form from before", "This form was made for another sign-in; nothing was done.",
            "Go back to the page, load it again, and send it once more.",
        )  # fmt: skip


def failed(site: Site, request: Request, error: Exception) -> Response:
    """The page for a failure of any kind."""
    if isinstance(error, Refused):
        return refused(site, request, error)
    if isinstance(error, Forgotten):
        return refused(site, request, Refused(410, "Forgotten", sentence(error), _KEPT))
    for kind, sentences in _TROUBLES.items():
        if isinstance(error, kind):
            site.tell(f"a page could not be shown: {type(error).__name__}")
            return refused(site, request, Refused(503, "Not now", *sentences))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    site.tell(f"a page could not be shown: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}")
    return refused(site, request, Refused(500, "Something went wrong here", "It was told where the site was started."))


_KEPT: Final = "Nobody can read its entries any more; what was billable stays in the totals, without a name."
_TROUBLES: Final[dict[type[Exception], tuple[str, ...]]] = {
    NotRecorded: (
        "This page view could not be logged, so the page is not shown.",
        "Make room on the disk, or look at the rights of the file of access records beside the ledger.",
    ),
    UsersTrouble: (
        "The file of users beside the ledger cannot be read, so nobody can be told apart.",
        "'episode-ledger users list' says what is wrong with it.",
    ),
    Outdated: (
        "The read model was made by another version of the program.",
        "Stop the site and start it again with 'episode-ledger serve'.",
    ),
    BookError: (
        "The book cannot be read at the moment: one of its files is being changed, or is wrong.",
        "'episode-ledger status' says which.",
    ),
    TooCostly: (  # before the others, of which it is one
        "What this page shows of the patient costs more than the site may spend on one patient.",
        "Look for a mistyped year, or for claims sent again and again. The site may spend more when it is started with"
        " --patient-seconds or --patient-mb before 'serve'.",
    ),
    UnreadableEntry: (
        "An entry that this page needs cannot be read.",
        "Restore the ledger from a backup; 'episode-ledger rebuild --quarantine' sets the patient aside.",
    ),
    Unknown: (
        "It is unknown whether that was recorded: the ledger did not answer in time.",
        "Send the form once more: what was recorded is not recorded twice.",
    ),
    StoreError: ("The ledger cannot be read at the moment.", "Look at it with 'episode-ledger status'."),
    ViewsError: ("The read model cannot be used.", "'episode-ledger rebuild' builds another from the ledger."),
    sqlite3.Error: ("The read model failed.", "Try again, or 'episode-ledger rebuild' builds another from the ledger."),
}


def refused(site: Site, request: Request, refused: Refused) -> Response:
    """The page of a refusal."""
    return site.render("message.html", request, refused.status, title=refused.title, sentences=refused.sentences)


def as_refused(error: Exception) -> Refused:
    """An error of HTTP as a refusal."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return Refused(404, "No such page", "Begin at the worklist, or search for an episode.")
    return Refused(status, HTTPStatus(status).phrase, "That cannot be asked here.")
