"""The site as a process of its own, and a plain browser that sends exactly what it is told to."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from tests import stores
from tests.command_line import LIVE


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    def hrefs(self) -> list[str]:
        return [href.replace("&amp;", "&") for href in re.findall(r'(?:href|action|src)="([^"]*)"', self.text)]


class Browser:
    """Sends requests to one site; keeps the cookie it is given."""

    def __init__(self, port: int) -> None:
        self.port, self.origin, self.cookie, self.form = port, f"http://127.0.0.1:{port}", "", ""

    def ask(self, method: str, path: str, body: str | None = None, **headers: str | None) -> Answer:
        sent: dict[str, str | None] = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie or None}
        if method == "POST":
            sent |= {"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded"}
        sent |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {name: value for name, value in sent.items() if value is not None})
            answer = connection.getresponse()
            got = {name.lower(): value for name, value in answer.getheaders()}
            if "set-cookie" in got:
                self.cookie = got["set-cookie"].split(";")[0]
            text = answer.read().decode()
            if found := re.search(r'name="form" value="([a-z0-9]+)"', text):
                self.form = found[1]
            return Answer(answer.status, got, text)
        finally:
            connection.close()

    def get(self, path: str, **headers: str | None) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, **fields: str) -> Answer:
        """A form as the last page had it."""
        return self.ask("POST", path, urlencode({"form": self.form} | fields))

    def found(self, text: str) -> Answer:
        """The page of a search."""
        answer = self.post("/search", text=text)
        assert answer.status == 303
        return self.get(answer.headers["location"])

    def address_of(self, episode: str) -> str:
        """The opaque address of an episode, as a search gives it."""
        page = self.found(episode)
        found = re.search(rf'<a href="(/episode/[a-z0-9]+)"[^>]*><bdi>{re.escape(episode)}</bdi>', page.text)
        assert found, page.text
        return found[1]


class Running(NamedTuple):
    """A site under way."""

    process: subprocess.Popen[str]
    link: str
    token: str
    port: int

    @property
    def home(self) -> str:
        """Its first page."""
        return f"http://127.0.0.1:{self.port}/"

    def stranger(self) -> Browser:
        return Browser(self.port)

    def visitor(self) -> Browser:
        """A browser that came in by the token."""
        browser = self.stranger()
        assert browser.post("/enter", token=self.token).status == 303
        browser.get("/password")
        return browser

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@contextmanager
def running(ledger: Path, book: Path | None = None, *options: str, program: Sequence[str] = LIVE) -> Iterator[Running]:
    """The site on a free port, stopped at the end."""
    command = [
        *program,
        *stores.placed(ledger),
        *(["--book", str(book)] if book else []),
        "serve",
        *(() if "--port" in options else ("--port", "0")),
        *options,
    ]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("EPISODE_")}
    plain |= stores.told_of_the_key()
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=plain) as process:
        try:
            assert process.stdout is not None
            link, _, token = (process.stdout.readline().strip() for _ in range(3))
            found = re.fullmatch(r"https?://127\.0\.0\.1:(\d+)/enter/[a-z0-9]+", link)
            assert found, process.communicate(timeout=10)
            yield Running(process, link, token, int(found[1]))
        finally:
            if process.poll() is None:
                process.kill()
