"""The site in this process, without a socket: requests go in as they come from a server, answers are taken whole."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from commands.people.roles import Role
from commands.people.users import User
from commands.terminal.options import Setup
from commands.web.app import make_app
from commands.web.guard.security import Reach, loopback_hosts
from commands.web.guard.sessions import Attempts, Sessions
from commands.web.looking.addresses import LOOKING
from commands.web.site import Site
from ledger.keys.cipher import MasterKey
from tests import stores
from tests.running_site import Answer

Given = TypeVar("Given")

PORT = 8321
HOST = f"127.0.0.1:{PORT}"
PLAIN = Reach(loopback_hosts(PORT), PORT)
KEPT = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$"
"""A hash that no password has."""


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class InProcess:
    """A site, and what it tells the terminal."""

    def __init__(
        self, ledger: Path, book: Path | None = None, reach: Reach = PLAIN, master: MasterKey | None = None
    ) -> None:
        self.told: list[str] = []
        self.clock = Clock()
        named = iter(stores.placed(ledger))
        where = dict(zip(named, named, strict=True))
        setup = Setup(
            where["--ledger"], str(book) if book else None, where.get("--views"), lambda: master or stores.master()
        )
        self.site = Site(setup, self.told.append)
        self.site.sessions = Sessions("runs-it", self.clock)
        self.site.attempts = Attempts(self.clock)
        self.reach = reach
        self.app = make_app(self.site, reach, LOOKING)

    def visitor(self, role: Role | None = None, name: str = "") -> Visitor:
        """Somebody who is signed in: as a user of a role, or by the token."""
        visitor = Visitor(self)
        if role is None:
            cookie = self.site.sessions.by_token(self.site.sessions.token)
        else:
            user = self.user(name or role, role)
            cookie = self.site.sessions.by_user(user)
        visitor.cookie = f"{self.reach.cookie}={cookie}"
        session = self.site.sessions.of(cookie)
        assert session is not None
        visitor.form = session.form
        return visitor

    def user(self, name: str, role: Role, *, must_change: bool = False) -> User:
        """A user of that name; their password is none that can be typed."""
        if self.site.users.named(name) is None:
            self.site.users.add(name, role, KEPT, "test")
            self.site.users.change(name, must_change=must_change)
        found = self.site.users.named(name)
        assert found is not None
        return found


class Visitor:
    """A browser of a site in this process; keeps its cookie and the form key of the last page."""

    def __init__(self, at: InProcess) -> None:
        self.at, self.cookie, self.form = at, "", ""

    def get(self, path: str, **headers: str | None) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, fields: dict[str, str] | None = None, **more: str) -> Answer:
        return self.ask("POST", path, urlencode({"form": self.form} | (fields or {}) | more))

    def ask(self, method: str, path: str, body: str | bytes = "", **headers: str | None) -> Answer:
        sent: dict[str, str | None] = {"host": HOST, "cookie": self.cookie or None}
        if method == "POST":
            origin = f"{self.at.reach.scheme}://{HOST}"
            sent |= {"origin": origin, "content-type": "application/x-www-form-urlencoded"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes) else body.encode()
        answer = apart(_asked(self.at.app, method, path, sent, raw))
        if "set-cookie" in answer.headers:
            self.cookie = _with(self.cookie, answer.headers["set-cookie"].split(";")[0])
        if found := re.search(r'name="form" value="([a-z0-9]+)"', answer.text):
            self.form = found[1]
        return answer

    def sent(self, path: str, fields: dict[str, str] | None = None, **more: str) -> Answer:
        """A form that is sent, and the page that it leads to."""
        answer = self.post(path, fields, **more)
        assert answer.status == 303, answer.text
        return self.get(answer.headers["location"])

    def found(self, text: str) -> Answer:
        return self.get(self.post("/search", text=text).headers["location"])

    def address_of(self, episode: str) -> str:
        page = self.found(episode)
        found = re.search(rf'<a href="(/episode/[a-z0-9]+)"[^>]*><bdi>{re.escape(episode)}</bdi>', page.text)
        assert found, page.text
        return found[1]


def apart(asked: Coroutine[Any, Any, Given]) -> Given:
    """What a coroutine gives, run in a thread of its own: in this one a browser may have a loop under way."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asked).result()


def _with(cookies: str, given: str) -> str:
    """Cookies with one more, or with another value of one of them."""
    every = dict(cookie.split("=", 1) for cookie in [*filter(None, cookies.split("; ")), given])
    return "; ".join(f"{name}={value}" for name, value in every.items())


async def _asked(
    app: Callable[..., Any], method: str, path: str, headers: dict[str, str | None], body: bytes
) -> Answer:
    plain, _, query = path.partition("?")
    scope = {
        "type": "http", "method": method, "path": plain, "raw_path": plain.encode(), "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items() if value is not None],
        "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", PORT), "scheme": "http", "http_version": "1.1",
        "root_path": "",
    }  # fmt: skip
    sent: list[dict[str, Any]] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    got = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], got, b"".join(each.get("body", b"") for each in sent[1:]).decode())
