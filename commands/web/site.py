"""What the pages of one process share: the setup, who is in, opaque ids, access records, templates."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlencode

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from commands.desk.uploads import Coming, Uploads
from commands.outside import utc_now
from commands.people.users import Users, users_file
from commands.terminal.handing_out import Notes, giving_unopened
from commands.terminal.options import Setup
from commands.terminal.rollbacks import told
from commands.web.access import AccessLog, access_file, login_name, marks_of, seal_looks
from commands.web.guard.pending import Pending
from commands.web.guard.requests import Requests
from commands.web.guard.rights import may
from commands.web.guard.security import OpaqueIds, style_by_hash
from commands.web.guard.sessions import Attempts, Session, Sessions
from commands.web.reading import Reader, Reading
from commands.web.report import Made, Monday
from commands.web.times import ZONES, clock, reader_zone, zone_name
from ledger.facts.forms import parse_instant
from ledger.facts.texts import LONGEST_TEXT
from ledger.store import EpisodeLedger, StoreError
from projections.erasure.handed_out import DOWNLOAD
from projections.page.history import kind_words
from projections.rendering import environment
from projections.words import MARKS, date_runs, sentence, written_date

if TYPE_CHECKING:
    from commands.people.provider import Provider

TEMPLATES: Final = Path(__file__).parent / "templates"

Kept = TypeVar("Kept")


class Refused(Exception):
    """A page that cannot be shown as asked: a status and plain sentences."""

    def __init__(self, status: int, title: str, *sentences: str) -> None:
        super().__init__(title)
        self.status, self.title, self.sentences = status, title, sentences


class Site:
    """One running site."""

    def __init__(
        self,
        setup: Setup,
        tell: Callable[[str], None],
        requests: Requests | None = None,
        metrics_key: str | None = None,
        provider: Provider | None = None,
    ) -> None:
        self.requests, self.metrics_key = requests or Requests(), metrics_key
        self.provider, self.pending = provider, Pending()
        self.reader = Reader(setup)
        self.monday = Monday(self.reader)
        self.access = AccessLog(access_file(setup.places.live))
        self.users = Users(users_file(setup.places.live))
        self.sessions, self.attempts = Sessions(login_name()), Attempts()
        self.ids, self.tell, self.uploads = OpaqueIds(), tell, Uploads()
        self.coming = Coming()
        self.style = (TEMPLATES / "site.css").read_text(encoding="utf-8")
        self._templates = _environment(self)
        self._kept: dict[str, tuple[object, Any]] = {}
        """What pages keep, each with the state of ledger and book that it was made for."""
        self._forgotten_at, self._sealed_on = 0, ""

    @contextmanager
    def reading(self, *, work: bool = False, claims: bool = False) -> Iterator[Reading]:
        """The ledger and its read model for one page, with open ``work`` or the numbers of ``claims`` if they are asked
        for; what was kept from before a forgetting is let go first."""
        with self.reader.reading(work=work, claims=claims) as reading:
            self.look_for_forgettings(reading.ledger)
            self._seal_looks(reading.ledger)
            yield reading

    def _seal_looks(self, ledger: EpisodeLedger) -> None:
        """On the first page of a day (UTC), seal the access records of the days before in the ledger."""
        today = utc_now().date().isoformat()
        if self._sealed_on != today:
            self._sealed_on = today
            try:
                seal_looks(ledger, self.access.path, login_name())
            except (OSError, StoreError) as error:
                self.tell(f"the access records could not be sealed: {type(error).__name__}")

    def look_for_forgettings(self, ledger: EpisodeLedger) -> None:
        """Let go of everything that is kept in this process from before somebody was forgotten."""
        self._let_go(max((position for position, _ in ledger.forgettings()), default=0))

    def _let_go(self, forgotten_at: int) -> None:
        """Keep nothing from before the position at which somebody was forgotten last."""
        self.monday.kept(since=forgotten_at)
        if forgotten_at > self._forgotten_at:
            self._forgotten_at = forgotten_at  # first: what was read before is kept by nobody from here on
            self._let_go_of_lists()
            self.uploads.let_go()
            for kind in ("search", "also", "work", "looks", "answer"):
                self.ids.let_go(kind)
            _let_go_of_texts()

    def _let_go_of_lists(self) -> None:
        self._kept.clear()

    def kept(self, reading: Reading, name: str, made: Callable[[], Kept], besides: object = None) -> Kept:
        """What pages have under a name, made once for each state of ledger and book, and of what else it rests on."""
        state = (reading.position, reading.book.hash, besides)
        held = self._kept.get(name)
        if held is None or held[0] != state:
            held = state, made()
            if reading.position >= self._forgotten_at:
                self._kept[name] = held
        found: Kept = held[1]
        return found

    def report(self, reading: Reading, *, anew: bool = False) -> Made | None:
        """The Monday report for a page: the last one made since somebody was forgotten, or one made now."""
        return self.monday.wanted(self.state(reading), anew=anew, since=self._forgotten_at)

    def report_made(self) -> Made | None:
        """The last Monday report, if one was made since somebody was forgotten; to be asked for while reading."""
        return self.monday.kept(since=self._forgotten_at)

    def render(self, template: str, request: Request, status: int = 200, /, **said: Any) -> Response:
        """A page; ``session`` is None for whoever is not signed in, ``may`` says what their role may ask, ``zone`` is
        the reader's own."""
        session: Session | None = request.scope.get("session")

        def may_ask(address: str, method: str = "GET") -> bool:
            return session is not None and may(session.role, method, address)

        zone = {"zone": reader_zone(request), "zone_words": ZONES[zone_name(request)]}
        shared = {"session": session, "may": may_ask, "put_back": self.put_back()}
        text = self._templates.get_template(template).render(**shared, **zone, **said)
        return HTMLResponse(text, status)

    def put_back(self) -> list[str]:
        """What is to be said on every page of a ledger that was put back to an earlier state; nothing once that is
        accepted."""
        return [sentence(told(each)) for each in self.reader.setup.rollbacks.found]

    def document(self, html: str) -> Response:
        """A page that commands write, too, with what is to be said on every page of the site."""
        notice = self._templates.get_template("put_back.html").render(put_back=self.put_back()).strip()
        style = _STYLE.search(html)
        headers = {"content-security-policy": style_by_hash(style[1])} if style else {}
        return HTMLResponse(_BODY.sub(lambda body: body[0] + notice, html, count=1), headers=headers)

    @contextmanager
    def handing_out(self, request: Request) -> Iterator[Notes]:
        """A file for a browser. What is given out of an encrypted ledger is listed before it is given, as other files
        are, so that whoever forgets a patient is told of it."""
        at = utc_now().strftime("%Y%m%dT%H%M%S%fZ")
        place = self.reader.setup.places.live.with_name(f"browser-{request.scope['session'].name}-{at}.csv")
        with giving_unopened(self.reader.setup, DOWNLOAD, place) as notes:
            yield notes

    def record(self, request: Request, page: str, patients: Iterable[str], **seen: str | None) -> None:
        """Note the look at a page with these patients' data, before it is shown."""
        remote = request.client.host if request.client else ""
        names = frozenset(name for name in patients if 0 < len(name) <= LONGEST_TEXT)  # of others nobody is a patient
        request.scope["looked_at"] = request.scope.get("looked_at", frozenset()) | names
        marks = marks_of(names, self.reader.setup.master)
        session: Session = request.scope["session"]
        self.access.record(session.name, session.user, remote, page, marks, **seen)

    def state(self, reading: Reading) -> tuple[int, str, str]:
        """What a page that is kept depends on: position, book, and today's date (UTC)."""
        return reading.position, reading.book.hash, utc_now().date().isoformat()

    def episode_href(
        self, episode: str, day: str | None = None, known_at: str | None = None, page: str = "", mark: str = ""
    ) -> str:
        """The address of an episode's page: an opaque id, dates, and nothing else."""
        asked = {name: value for name, value in (("day", day), ("known_at", known_at)) if value}
        query = f"?{urlencode(asked)}" if asked else ""
        return f"/episode/{self.ids.of('episode', episode)}{page}{query}{mark}"

    def work_href(self, episode: str, work: str) -> str:
        """The address of a piece of open work: an opaque id."""
        return f"/open-work/{self.ids.of('work', f'{work} {episode}')}"


def _let_go_of_texts() -> None:
    """Empty the caches of this process that hold what was asked lately; those that hold one thing for good, such as a
    template, have nobody's data."""
    for each in gc.get_objects():
        if isinstance(each, _CACHE) and each.cache_parameters()["maxsize"] is not None:
            each.cache_clear()


_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_BODY: Final = re.compile(r"<body[^>]*>")
_CACHE: Final = type(lru_cache(lambda: None))


def _environment(site: Site) -> Environment:
    made = environment(TEMPLATES)
    made.filters |= {"runs": lambda dates: list(date_runs(dates)), "is_date": written_date}
    made.filters |= {"clock": clock, "kind": kind_words}
    made.globals |= {"href": site.episode_href, "MARKS": MARKS}
    return made


def csv_answer(name: str, content: bytes) -> Response:
    """A CSV to be downloaded; its name in letters, digits and what goes with them in every browser."""
    plain = "".join(mark if mark.isascii() and (mark.isalnum() or mark in "-_.") else "-" for mark in name)
    headers = {"content-disposition": f'attachment; filename="{plain}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def page_number(request: Request) -> int:
    """``?page=``, from 1."""
    text = request.query_params.get("page", "1")
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 6 and int(text) > 0):
        raise Refused(400, "No such page", "A page has a number from 1 on.")
    return int(text)


def known_at_asked(request: Request) -> datetime | None:
    """``?known_at=``; absent and empty both mean now."""
    text = request.query_params.get("known_at", "").strip()
    try:
        return parse_instant(text) if text else None
    except ValueError:
        raise Refused(
            400,
            "That is no instant",
            "“As known at” takes an instant with an offset, such as 2026-11-02T16:00Z.",
            "A bare date has no time of day.",
        ) from None
