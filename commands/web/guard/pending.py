"""The sign-ins that are under way at a provider: begun here, and to be ended here by the same browser, once.

A cookie of its own binds each to the browser that began it, so that nobody can be signed in by an answer that was made
for somebody else. It has to come along from another site, which the cookie of a session never does.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import Final, NamedTuple

from commands.people.vouching import Secrets
from commands.web.guard.sessions import Clock, kept_as

PENDING_SECONDS: Final = 10 * 60.0
"""How long a sign-in may take at the provider."""
MOST_PENDING: Final = 1_000
SECRET_BYTES: Final = 32


class _Begun(NamedTuple):
    secrets: Secrets
    browser: str
    at: float


class Pending:
    """What was begun and is not ended yet."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock, self._turn = clock, threading.Lock()
        self._begun: dict[str, _Begun] = {}

    def begin(self) -> tuple[Secrets, str]:
        """The secrets of a new sign-in, and the cookie for the browser that begins it."""
        state, nonce, verifier, cookie = (secrets.token_urlsafe(SECRET_BYTES) for _ in range(4))
        made = Secrets(state, nonce, verifier)
        with self._turn:
            while len(self._begun) >= MOST_PENDING:
                self._begun.pop(next(iter(self._begun)))
            self._begun[kept_as(state)] = _Begun(made, kept_as(cookie), self._clock())
        return made, cookie

    def end(self, state: str, cookie: str | None) -> Secrets | None:
        """The secrets of a sign-in that this browser began a while ago at most; each is given once."""
        with self._turn:
            found = self._begun.pop(kept_as(state), None)
        is_ours = found is not None and cookie is not None and found.browser == kept_as(cookie)
        if found is None or not is_ours or self._clock() - found.at > PENDING_SECONDS:
            return None
        return found.secrets
