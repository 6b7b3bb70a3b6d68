"""The browsers that are signed in: by the link that works once, by the token, or by a user's name and password.

A session ends when nothing was asked for a while, at the end of a working day, when its user is changed, or with the
process. Its form key stands in each of its forms: a form without it, or with another session's, does nothing.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from commands.people.roles import Role
from commands.people.users import User
from commands.web.guard.security import text_of

TOKEN_BYTES: Final = 20
MOST_SESSIONS: Final = 1_000
IDLE_SECONDS: Final = 30 * 60.0
"""After how long without a request a session has ended."""
LONGEST_SECONDS: Final = 12 * 3600.0
"""After how long it has ended whatever was asked meanwhile."""
TRIES: Final = 5
"""How many wrong passwords in a row a name has within ``LOCKED_SECONDS``."""
LOCKED_SECONDS: Final = 15 * 60.0
MOST_NAMES: Final = 10_000

Clock = Callable[[], float]


class Session(Struct):
    """A browser that is signed in. ``name`` is how records know it, without its secret; ``form`` stands in its forms.

    ``changed_at`` is the state of its user; None for whoever came by the link or the token, who runs the site.
    ``is_at_provider`` is whether they signed in at the provider, and so have no password here.
    """

    name: str
    user: str
    role: Role
    form: str
    begun: float
    used: float
    changed_at: str | None = None
    must_change: bool = False
    is_at_provider: bool = False
    sees: set[str] = set()


class Sessions:
    """The token that was printed, the link that works once, and everybody who is signed in."""

    def __init__(self, user: str, clock: Clock = time.monotonic) -> None:
        self.token = text_of(secrets.token_bytes(TOKEN_BYTES))
        self.ticket: str | None = text_of(secrets.token_bytes(TOKEN_BYTES))
        self._user, self._clock = user, clock
        self._open: dict[str, Session] = {}
        self._turn = threading.Lock()

    def by_ticket(self, ticket: str) -> str | None:
        """A new session for whoever brings the link that works once; None if it was used or is another."""
        with self._turn:
            if self.ticket is None or not _is_same(ticket, self.ticket):
                return None
            self.ticket = None
        return self._begin(self._user, "operator")

    def by_token(self, token: str) -> str | None:
        """A new session for whoever brings the token; None for a wrong one."""
        return self._begin(self._user, "operator") if _is_same(token.strip().lower(), self.token) else None

    def by_user(self, user: User) -> str:
        """A new session for a user whose password was right, or for whom the provider vouches."""
        return self._begin(user.name, user.role, user)

    def _begin(self, name_of_user: str, role: Role, user: User | None = None) -> str:
        cookie, now = secrets.token_urlsafe(32), self._clock()
        name = hashlib.sha256(cookie.encode()).hexdigest()[:12]
        form = text_of(secrets.token_bytes(TOKEN_BYTES))
        with self._turn:
            self._open = {kept: each for kept, each in self._open.items() if not _is_over(each, now)}
            while len(self._open) >= MOST_SESSIONS:  # whoever signs in again and again ends sessions of their own
                (most, _), *_ = Counter(each.user for each in self._open.values()).most_common(1)
                self._open.pop(next(kept for kept, each in self._open.items() if each.user == most))
            self._open[kept_as(cookie)] = Session(
                name, name_of_user, role, form, now, now, user.changed_at if user else None,
                bool(user and user.must_change), bool(user and user.is_at_provider), set(),
            )  # fmt: skip
        return cookie

    def of(self, cookie: str | None) -> Session | None:
        """The session of a cookie, used now; None if there is none, or it has ended."""
        found = self._open.get(kept_as(cookie)) if cookie else None
        if found is None:
            return None
        now = self._clock()
        if _is_over(found, now):
            self.end(cookie)
            return None
        found.used = now
        return found

    def end(self, cookie: str | None) -> None:
        """Forget a session."""
        with self._turn:
            self._open.pop(kept_as(cookie or ""), None)

    def count(self) -> int:
        """How many are signed in."""
        now = self._clock()
        return sum(not _is_over(each, now) for each in list(self._open.values()))


def _is_over(session: Session, now: float) -> bool:
    return now - session.used > IDLE_SECONDS or now - session.begun > LONGEST_SECONDS


def kept_as(secret: str) -> str:
    """What a secret is found by: not itself, whose comparison would tell of it by the time it takes."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _is_same(given: str, known: str) -> bool:
    return secrets.compare_digest(given.encode(errors="replace"), known.encode())


class Attempts:
    """Wrong passwords by the name they were tried with, known or not; after a few the name has to wait."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock, self._turn = clock, threading.Lock()
        self._wrong: dict[str, list[float]] = {}

    def begin(self, name: str) -> bool:
        """Count a try before its password is looked at; False where the name has to wait."""
        key, now = kept_as(name.casefold()), self._clock()
        with self._turn:
            tries = [at for at in self._wrong.pop(key, []) if now - at < LOCKED_SECONDS]
            is_allowed = len(tries) < TRIES
            self._wrong[key] = [*tries, now] if is_allowed else tries
            while len(self._wrong) > MOST_NAMES:  # names that have to wait last: other names end nobody's waiting
                spared = (each for each, tried in self._wrong.items() if len(tried) < TRIES)
                self._wrong.pop(next(spared, next(iter(self._wrong))))
        return is_allowed

    def right(self, name: str) -> None:
        """The password was right: what was wrong before is forgotten."""
        with self._turn:
            self._wrong.pop(kept_as(name.casefold()), None)
