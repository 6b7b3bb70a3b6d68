"""The site, started for a measurement, and one browser that came in by its link."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit


class Browser:
    """One kept connection with its cookie."""

    def __init__(self, link: str) -> None:
        address = urlsplit(link)
        self.origin = f"http://{address.netloc}"
        self.connection = http.client.HTTPConnection(str(address.hostname), address.port)
        self.cookie = ""
        status, headers, _ = self.ask("GET", address.path)
        assert status == 303, "the printed link lets one browser in"
        self.cookie = headers["set-cookie"].split(";")[0]
        key = re.search(rb'name="form" value="([a-z0-9]+)"', self.ask("GET", "/password")[2])
        assert key, "every form has the key of its session"
        self.form = key[1].decode()

    def ask(self, method: str, path: str, form: str | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
        headers = {"Cookie": self.cookie, "Origin": self.origin}
        self.connection.request(method, path, form, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def address_of(self, episode: str) -> str:
        """The opaque address of an episode, as a search gives it."""
        _, headers, _ = self.ask("POST", "/search", urlencode({"form": self.form, "text": episode}))
        _, _, page = self.ask("GET", headers["location"])
        found = re.search(rb'<a href="(/episode/[a-z0-9]+)"[^>]*><bdi>' + re.escape(episode.encode()) + b"</bdi>", page)
        assert found, "every episode is found by its name"
        return found[1].decode()

    def timed(self, path: str) -> tuple[float, bytes]:
        started = time.perf_counter()
        status, _, page = self.ask("GET", path)
        took = (time.perf_counter() - started) * 1000
        assert status == 200, status
        return took, page


@contextmanager
def browsing(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Browser]:
    """A browser on a site of its own; the command is that of the program, with the ledger named."""
    words = [*command, "serve", "--port", "0"]
    site = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(environment))
    try:
        assert site.stdout is not None
        yield Browser(site.stdout.readline().strip())
    finally:
        site.send_signal(signal.SIGTERM)
        site.wait(20)
