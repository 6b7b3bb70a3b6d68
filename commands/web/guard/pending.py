"""The sign-ins that are under way at a provider: begun here, and to be ended here by the same browser, once.

A cookie of its own binds each to the browser that began it, so that nobody can be signed in by an answer that was made
for somebody else. It has to come along from another site, which the cookie of a session never does.

What was begun is not kept: the secrets of a sign-in follow from its cookie by a key that this process alone has. So
whoever begins many takes nobody's place.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from typing import Final

from commands.people.vouching import Secrets
from commands.web.guard.sessions import Clock, kept_as

PENDING_SECONDS: Final = 10 * 60.0
"""How long a sign-in may take at the provider."""
MOST_ENDED: Final = 10_000
"""How many that have ended are remembered, so that they do not end again; the provider takes each code once besides."""
SECRET_BYTES: Final = 32


class Pending:
    """What was begun and is not ended yet: known by its cookie, not kept."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock, self._turn = clock, threading.Lock()
        self._key = secrets.token_bytes(SECRET_BYTES)
        self._ended: dict[str, None] = {}

    def begin(self) -> tuple[Secrets, str]:
        """The secrets of a new sign-in, and the cookie for the browser that begins it."""
        cookie = f"{self._clock():.0f}.{secrets.token_urlsafe(SECRET_BYTES)}"
        return self._secrets_of(cookie), cookie

    def end(self, state: str, cookie: str | None) -> Secrets | None:
        """The secrets of a sign-in that this browser began a while ago at most; each is given once."""
        if cookie is None:
            return None
        found = self._secrets_of(cookie)
        if not hmac.compare_digest(found.state.encode(), state.encode("utf-8", "replace")):
            return None
        if self._clock() - float(cookie.partition(".")[0]) > PENDING_SECONDS:  # it was made here: the state follows
            return None
        with self._turn:
            if (used := kept_as(state)) in self._ended:
                return None
            while len(self._ended) >= MOST_ENDED:
                del self._ended[next(iter(self._ended))]
            self._ended[used] = None
        return found

    def _secrets_of(self, cookie: str) -> Secrets:
        return Secrets(*(self._derived(name, cookie) for name in Secrets._fields))

    def _derived(self, name: str, cookie: str) -> str:
        made = hmac.digest(self._key, f"{name} {cookie}".encode("utf-8", "replace"), "sha256")
        return urlsafe_b64encode(made).decode().rstrip("=")
