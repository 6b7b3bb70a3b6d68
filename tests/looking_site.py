"""The pages that are looked at, in this process and without a socket: somebody who is signed in asks for them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from commands.terminal.options import Setup
from commands.web.app import make_app
from commands.web.looking.addresses import LOOKING
from commands.web.site import Site
from tests.running_site import Answer

PORT = 8321
HOST = f"127.0.0.1:{PORT}"


class Looker:
    """Somebody at the site of a ledger; keeps the cookies that are given."""

    def __init__(self, ledger: Path, book: Path | None = None) -> None:
        self.site = Site(Setup(str(ledger), str(book) if book else None, example_book=book is None), lambda _: None)
        self.app = make_app(self.site, PORT, LOOKING)
        self.cookies = {f"episode-ledger-{PORT}": self.site.sessions.by_token(self.site.sessions.token)}

    def get(self, path: str) -> Answer:
        """A page."""
        return self._ask("GET", path, b"")

    def post(self, path: str, **fields: str) -> Answer:
        """A form that is sent."""
        return self._ask("POST", path, urlencode(fields).encode())

    def sent(self, path: str, **fields: str) -> Answer:
        """A form that is sent, and the page that it leads to."""
        answer = self.post(path, **fields)
        assert answer.status == 303, answer.text
        return self.get(answer.headers["location"])

    def episode(self, name: str) -> str:
        """The address of an episode, as a search gives it."""
        page = self.sent("/search", text=name)
        found = re.search(rf'<a href="(/episode/[a-z0-9]+)"[^>]*><bdi>{re.escape(name)}</bdi>', page.text)
        assert found, page.text
        return found[1]

    def _ask(self, method: str, path: str, body: bytes) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"host": HOST, "cookie": cookies, "origin": f"http://{HOST}"}
        answer = asyncio.run(_answered(self.app, method, path, headers, body))
        if given := answer.headers.get("set-cookie"):
            name, value = given.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer


async def _answered(app: Any, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    plain, _, query = path.partition("?")
    scope = {
        "type": "http", "method": method, "path": plain, "raw_path": plain.encode(), "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "root_path": "",
        "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", PORT), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    waiting, sent = [{"type": "http.request", "body": body, "more_body": False}], list[dict[str, Any]]()

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    got = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], got, b"".join(each.get("body", b"") for each in sent[1:]).decode())
