"""Who looked at what: a line for every page with a patient's data, in a file beside the read model.

A page that cannot be recorded is not shown.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import msgspec

from commands.outside import utc_now
from ledger.files import add_line
from projections.words import utc_text


class Access(msgspec.Struct, frozen=True):
    """One look at a page. ``session`` names a browser's session without its secret; ``user`` runs the site."""

    at: str
    session: str
    user: str
    remote: str
    page: str
    episode: str | None = None
    day: str | None = None
    known_at: str | None = None


class NotRecorded(Exception):
    """The access record could not be written, so the page must not be shown."""


class AccessLog:
    """The file of access records, one JSON line each, readable by its owner alone; only ever added to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.user = _login_name()

    def record(self, session: str, remote: str, page: str, **seen: str | None) -> None:
        """Write a line, or raise ``NotRecorded``."""
        access = Access(utc_text(utc_now()), session, self.user, remote, page, **seen)
        try:
            add_line(self.path, msgspec.json.encode(access) + b"\n")
        except OSError as error:
            raise NotRecorded(f"the access record could not be written ({error.strerror})") from error


def access_file(views: Path) -> Path:
    """Where a ledger's access records are: ``ledger.access.jsonl`` beside the read model ``ledger.views.db``."""
    return views.with_name(views.name.removesuffix(".db").removesuffix(".views") + ".access.jsonl")


def _login_name() -> str:
    """The name of the account that runs the site; its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
