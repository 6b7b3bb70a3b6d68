"""A site whose every answer is held against its access records: who is shown is who is named there."""

from __future__ import annotations

import html
import json
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl

from starlette.routing import Match, Route

from ledger.book import load_book
from ledger.store import EpisodeLedger
from projections.reading.as_known import AsKnown
from tests.in_process_site import InProcess, Visitor
from tests.running_site import Answer

_TELLING: Final = ("as", "table", "all", "anew", "tick", "day", "known_at", "reason")
"""What in a query makes another page of it; by everything else some of its rows are chosen, or put in another order."""
SAYS: Final = "The ledger was put back to an earlier state: position"
TO_DO: Final = "episode-ledger verify --accept-rollback REASON"
_LINK: Final = re.compile(r'href="(/[^"#]*|\?[^"#]*)')


class WatchedSite(InProcess):
    """A site, and whom each of its answers shows."""

    _whose: tuple[int, Mapping[str, str]] = (0, {})

    def watched(self, role: str = "operator", name: str = "") -> Watched:
        """Somebody who is signed in."""
        found = self.visitor(role, name)  # type: ignore[arg-type]
        watched = Watched(self)
        watched.cookie, watched.form = found.cookie, found.form
        return watched

    @cached_property
    def routes(self) -> list[Route]:
        """Every address of the site, as the program has them."""
        return list(self.app._routes)  # type: ignore[attr-defined]

    def route_of(self, method: str, path: str) -> Route | None:
        """The address that a path means."""
        scope = {"type": "http", "method": method, "path": path.partition("?")[0]}
        return next((route for route in self.routes if route.matches(scope)[0] is Match.FULL), None)

    def records(self) -> list[list[str]]:
        """Whom each access record names, in order."""
        path = self.site.access.path
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [json.loads(line)["patients"] for line in lines]

    def shown_in(self, text: str) -> set[str]:
        """Every patient of whom a text says something: by their name, or by an episode of theirs."""
        with self.site.reader.setup.open() as ledger:
            if ledger.position() != self._whose[0]:
                self._whose = ledger.position(), _whose(ledger)
        whose = self._whose[1]
        words = set(re.findall(r"(?<![\w-])[\w-]+(?![\w-])", html.unescape(text)))
        return {whose[word] for word in words & whose.keys()}

    def same_person(self, names: Iterable[str]) -> set[str]:
        """Names, with those that are one patient with them: whoever asks for one is told of all."""
        with self.site.reader.setup.open() as ledger:
            return {other for name in names for other in ledger.names_of(name)}


def _whose(ledger: EpisodeLedger) -> Mapping[str, str]:
    """Every patient's name, and every episode's, with whose it is now."""
    pairs = {(episode, patient) for episode, patient, _, _ in ledger.extents(ledger.position())}
    past = AsKnown(ledger, load_book(None))
    return {patient: patient for _, patient in pairs} | {
        episode: past.owner(episode) or patient for episode, patient in pairs
    }


class Watched(Visitor):
    """A browser of which each answer is held against what was recorded of it."""

    at: WatchedSite

    def __init__(self, at: WatchedSite) -> None:
        super().__init__(at)
        self.unrecorded: list[tuple[str, int, frozenset[str]]] = []
        """The answers that showed somebody whom no record names."""
        self.answered: Counter[tuple[str, str]] = Counter()
        """How often each method and address gave what it is there for."""
        self.showing: set[tuple[str, str]] = set()
        """The methods and addresses that showed somebody."""
        self.said: list[str] = []
        """The pages that said the ledger was put back, and what to do."""
        self.silent: list[str] = []
        """The pages that did not."""

    def ask(self, method: str, path: str, body: str | bytes = "", **headers: str | None) -> Answer:
        before = len(self.at.records())
        answer = super().ask(method, path, body, **headers)
        named = {name for each in self.at.records()[before:] for name in each}
        shown, route = self.at.shown_in(answer.text), self.at.route_of(method, path)
        asked = method, route.path if route else ""
        self.answered[asked] += answer.status in (200, 303)
        self.showing |= {asked} if shown else set()
        if answer.headers.get("content-type", "").startswith("text/html"):
            (self.said if SAYS in answer.text and TO_DO in answer.text else self.silent).append(path)
        if (missing := shown - named) and (missing := missing - self.at.same_person(named)):
            self.unrecorded.append((f"{method} {path}", answer.status, frozenset(missing)))
        return answer

    def walk(self, *begun: str, until: Callable[[], object] = bool) -> None:
        """Ask for every page and download that links lead to; of those that are alike, for one."""
        waiting = deque([*begun, *(each.path for each in self.at.routes if "{" not in each.path)])
        seen = set[object]([None])
        while waiting and not until():
            path = waiting.popleft()
            if (kind := self._kind(path)) in seen:
                continue
            seen.add(kind)
            page = self.get(path)
            own = path.partition("?")[0]
            links = (html.unescape(each) for each in _LINK.findall(page.text))
            waiting += [own + each if each.startswith("?") else each for each in links]

    def _kind(self, path: str) -> object:
        """What is the same of pages that are alike; None for what is not to be asked for."""
        plain, _, query = path.partition("?")
        route = self.at.route_of("GET", path)
        if route is None or "GET" not in (route.methods or ()) or route.path.startswith(("/enter", "/sign-in")):
            return None
        _, scope = route.matches({"type": "http", "method": "GET", "path": plain})
        parts = {name: value for name, value in scope["path_params"].items() if name not in ("id", "version")}
        asked = dict(parse_qsl(query))
        return route.path, tuple(sorted(parts.items())), tuple(name in asked for name in _TELLING), asked.get("table")
