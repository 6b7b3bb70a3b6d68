"""Users of a site who read and write, a feed beside them, and clients that are slow or say nothing."""

from __future__ import annotations

import http.client
import json
import random
import re
import socket
import subprocess
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from html import unescape
from typing import NamedTuple
from urllib.parse import urlencode

PASSWORD = "a quite long password of "
THINK_SECONDS = (0.2, 1.8)
"""How long a user looks at a page before the next request: at random between these."""
TIMEOUT_SECONDS = 60
READS = {
    "work list": 25, "work list, chosen": 10, "search": 10, "calendar": 20, "a day beside it": 10, "why": 4,
    "entries": 4, "days as a table": 3, "findings": 4, "pictures": 2, "history": 2,
}  # fmt: skip
"""What users look at, and how often of each hundred requests or so; the rest are what they record."""
WRITES = {"record a fact": 4, "note on work": 2, "decide on ticked rows": 1}
SECOND_CLICKS = 0.3
"""How often what was recorded is sent once more, as by a second click."""


class Written(NamedTuple):
    """What the site said it recorded: a fact by its id, or a note by its text, which no other note has."""

    kind: str
    name: str


class Seen:
    """What happened, of all users together."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self.times: dict[str, list[float]] = defaultdict(list)
        self.wrong: Counter[str] = Counter()
        self.written: list[Written] = []
        self.refused: Counter[str] = Counter()
        self.again = 0

    def took(self, kind: str, seconds: float, status: int) -> None:
        with self._turn:
            self.times[kind].append(seconds * 1000)
            if status >= 500 or status in (403, 404, 405, 413, 421):
                self.wrong[f"{kind}: {status}"] += 1

    def failed(self, kind: str, error: Exception) -> None:
        with self._turn:
            self.wrong[f"{kind}: {type(error).__name__}"] += 1

    def recorded(self, written: Written) -> None:
        with self._turn:
            self.written.append(written)

    def not_recorded(self, why: str) -> None:
        with self._turn:
            self.refused[why] += 1

    def clicked_again(self) -> None:
        with self._turn:
            self.again += 1


class User(threading.Thread):
    """One user with one browser: signs in, and then goes on as the dice say until it is time."""

    def __init__(
        self, name: str, first_password: str, port: int, episodes: list[str], until: threading.Event, seen: Seen
    ) -> None:
        super().__init__(daemon=True)
        self.user, self.port, self.until, self.seen = name, port, until, seen
        self._first, self._episodes = first_password, episodes
        self._dice = random.Random(name)
        self._cookie = self._form = ""
        self._connection: http.client.HTTPConnection | None = None
        self._addresses: list[str] = []
        self.signed_in = threading.Event()

    def run(self) -> None:
        try:
            self._sign_in()
            self.signed_in.set()
            kinds = READS | WRITES
            while not self.until.wait(self._dice.uniform(*THINK_SECONDS)):
                (kind,) = self._dice.choices(list(kinds), list(kinds.values()))
                self._do(kind)
        except Exception as error:
            self.seen.failed("a user gave up", error)
            raise
        finally:
            self.signed_in.set()

    def _sign_in(self) -> None:
        password = PASSWORD + str(sum(map(ord, self.user)))
        status, headers, _ = self._ask("sign in", "POST", "/sign-in", {"name": self.user, "password": self._first})
        assert (status, headers["location"]) == (303, "/password"), status
        self._ask("sign in", "GET", "/password")
        told = {"old": self._first, "new": password, "again": password}
        status, headers, _ = self._ask("sign in", "POST", "/password", told)
        assert (status, headers["location"]) == (303, "/"), status
        self._ask("work list", "GET", "/")  # the first page of a session has the key of its forms
        for episode in self._dice.sample(self._episodes, min(4, len(self._episodes))):
            self._search(episode)

    def _do(self, kind: str) -> None:
        if kind == "work list":
            self._ask(kind, "GET", "/")
        elif kind == "work list, chosen":
            chosen = ("?kind=to_bill&sort=dollars", "?kind=hold", "?owner=nobody", "?due=month", "?done=any&page=2")
            self._ask(kind, "GET", f"/{self._dice.choice(chosen)}")
        elif kind == "search":
            self._search(self._dice.choice(self._episodes))
        elif kind in ("findings", "pictures"):
            self._ask(kind, "GET", f"/{kind}")
        elif kind == "record a fact":
            self._record()
        elif kind == "note on work":
            self._note()
        elif kind == "decide on ticked rows":
            self._decide()
        else:
            self._look_at_episode(kind)

    def _look_at_episode(self, kind: str) -> None:
        address = self._dice.choice(self._addresses)
        tails = {"calendar": "", "entries": "/entries", "history": "/history", "days as a table": "/table/calendar"}
        if kind in tails:
            self._ask(kind, "GET", address + tails[kind])
            return
        days = re.findall(rf'href="({address}\?day=[0-9-]+)', self._ask("calendar", "GET", address)[2])
        if days:
            day = self._dice.choice(days)
            self._ask(kind, "GET", day if kind == "a day beside it" else day.replace("?", "/why?"))

    def _search(self, text: str) -> None:
        _, headers, _ = self._ask("search", "POST", "/search", {"text": text})
        found = re.findall(r'<a href="(/episode/[a-z0-9]+)"', self._ask("search", "GET", headers["location"])[2])
        self._addresses = list(dict.fromkeys([*found, *self._addresses]))[:20]

    def _record(self) -> None:
        path = f"{self._dice.choice(self._addresses)}/record/PainAssessed"
        status, _, page = self._ask("form of a fact", "GET", path)
        if status != 200:
            return
        told = _hidden(page) | {"score": str(self._dice.randint(0, 10)), "date": f"2026-0{self._dice.randint(1, 9)}-11"}
        self._ask("effect of a fact", "POST", path, told | {"step": "show"})
        self._sent(path, told, Written("fact", told["id"]), "Recorded as desk:")

    def _decide(self) -> None:
        page = self._ask("work list", "GET", "/?sort=episode")[2]
        boxes = self._dice.sample(re.findall(r'name="(pick\.[a-z0-9]+)"', page) or [""], 1)
        if not boxes[0]:
            return
        status, _, page = self._ask("form of ticked rows", "POST", "/open-work", dict.fromkeys(boxes, "1"))
        if status != 200:
            return
        note = f"{self.user} {self._dice.random()}"
        told = _hidden(page) | {"owner": self.user, "note": note}
        self._ask("effect of ticked rows", "POST", "/open-work", told | {"step": "show"})
        self._sent("/open-work", told, Written("note", note), "Recorded for")

    def _sent(self, path: str, told: dict[str, str], written: Written, said: str) -> None:
        """Record it, and now and then once more; whoever was overtaken by somebody else recorded nothing."""
        kind = "record a fact" if written.kind == "fact" else "decide on ticked rows"
        status, _, page = self._ask(kind, "POST", path, told | {"step": "record"})
        if said in page:
            self.seen.recorded(written)
        elif status == 409:
            self.seen.not_recorded("somebody else was first, or nothing would have changed")
        if self._dice.random() < SECOND_CLICKS:
            self.seen.clicked_again()
            self._ask("second click", "POST", path, told | {"step": "record"})

    def _note(self) -> None:
        works = re.findall(r'href="(/open-work/[a-z0-9]+)"', self._ask("work list", "GET", "/")[2])
        if works:
            note, path = f"{self.user} {self._dice.random()}", self._dice.choice(works)
            page = self._ask("piece of work", "GET", path)[2]
            told = _hidden(page, f'action="{path}/note"') | {"note": note}
            status, *_ = self._ask("note on work", "POST", f"{path}/note", told)
            if status == 303:
                self.seen.recorded(Written("note", note))
            elif status == 409:
                self.seen.not_recorded("somebody else was first, or nothing would have changed")

    def _ask(
        self, kind: str, method: str, path: str, fields: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """One request, as a browser sends it; a connection that the site closed meanwhile is opened again."""
        body = None if fields is None else urlencode({"form": self._form} | fields)
        headers = {"Cookie": self._cookie}
        if body is not None:
            origin = f"http://127.0.0.1:{self.port}"
            headers |= {"Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}
        began = time.perf_counter()
        try:
            answer = self._answered(method, path, body, headers)
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._connection = None
            self.seen.failed(kind, error)
            return 0, http.client.HTTPMessage(), ""
        self.seen.took(kind, time.perf_counter() - began, answer.status)
        if cookie := answer.headers["set-cookie"]:
            self._cookie = cookie.split(";")[0]
        if key := re.search(r'name="form" value="([a-z0-9]+)"', text):
            self._form = key[1]
        return answer.status, answer.headers, text

    def _answered(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        for is_last in (self._connection is None, True):
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
            try:
                self._connection.request(method, path, body, headers)
                return self._connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionError):
                self._connection = None
                if is_last:
                    raise
        raise AssertionError("the second try returns or raises")


def _hidden(page: str, form: str = '<form class="act"') -> dict[str, str]:
    """What a form carries unseen."""
    inside = page[page.find(form) :].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inside)
    return {name: unescape(value) for name, value in found if name != "form"}


class Feed(threading.Thread):
    """A feed that records lines one by one through the command line, as from another system, until it is time."""

    def __init__(
        self, command: list[str], environment: dict[str, str], episodes: list[str], a_second: float,
        until: threading.Event,
    ) -> None:  # fmt: skip
        super().__init__(daemon=True)
        self._command, self._environment, self._episodes = command, environment, episodes
        self._a_second, self.until = a_second, until
        self.sent: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.recorded: list[str] = []

    def run(self) -> None:
        words = [*self._command, "record", "--no-effect", "-"]
        feed = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=self._environment,
        )  # fmt: skip
        reading = threading.Thread(target=self._read, args=(feed,), daemon=True)
        reading.start()
        assert feed.stdin is not None
        dice, number = random.Random("feed"), 0
        while not self.until.wait(1 / self._a_second):
            number += 1
            fact = {"type": "PainAssessed", "date": f"2026-0{dice.randint(1, 9)}-12", "score": dice.randint(0, 10)}
            line = {"episode": dice.choice(self._episodes), "source": "feed", "id": f"f-{number}", "by": "feed"}
            self.sent.append(f"f-{number}")
            feed.stdin.write(json.dumps(line | {"fact": fact}) + "\n")
            feed.stdin.flush()
        feed.stdin.close()
        reading.join()
        feed.wait()

    def _read(self, feed: subprocess.Popen[str]) -> None:
        assert feed.stdout is not None
        for line in feed.stdout:
            said = json.loads(line)
            self.outcomes[said["outcome"]] += 1
            if said["outcome"] == "recorded":
                self.recorded.append(self.sent[said["line"] - 1])


class Nuisance(threading.Thread):
    """A client that opens connections and says nothing, or says it byte by byte; each is opened anew when closed."""

    def __init__(self, port: int, until: threading.Event, *, is_slow: bool) -> None:
        super().__init__(daemon=True)
        self.port, self.until, self.is_slow = port, until, is_slow
        self.closed = 0

    def run(self) -> None:
        while not self.until.is_set():
            with suppress(ConnectionError):
                self._once()
            self.closed += not self.until.is_set()

    def _once(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            said = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nX-Slow: {'x' * 1000}".encode()
            for place in range(len(said)):
                if self.until.wait(0.5):
                    return
                if self.is_slow:
                    connection.sendall(said[place : place + 1])
                try:
                    if connection.recv(1) == b"":
                        return
                except TimeoutError:
                    pass
