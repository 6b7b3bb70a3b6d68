"""What a page says when something went wrong: plain sentences; what a patient's data may be in is told to nobody."""

from __future__ import annotations

import sqlite3
import traceback
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from commands.people.users import UsersTrouble
from commands.web.access import NotRecorded
from commands.web.reading import Outdated
from commands.web.site import Refused, Site
from ledger.book import BookError
from ledger.facts.entry import UnreadableEntry
from ledger.recorders import Forgotten, StoreError, Unknown
from projections.read_model.trouble import ViewsError
from projections.words import sentence


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
