"""Connections to the site: each has a while to say what it wants, and those without a session are few.

Any program on the machine can open connections and say nothing. None of them may keep out whoever has a session: a
request must have come whole within a while, and where there are too many connections the one that has waited longest
without being answered is closed for the next.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS: Final = 10.0
"""How long a connection may take to send a whole request, from its beginning or from the last answer on."""
SIGNED_IN_SECONDS: Final = 120.0
"""How long it may take where who sends it is signed in: a spreadsheet may come over a slow line."""
MOST_STRANGERS: Final = 64
"""How many connections there may be on which no session has asked yet."""
MOST_CONNECTIONS: Final = 512
"""How many there may be in all."""
BACKLOG: Final = 64
"""How many are taken in at once, before any of them is looked at."""
_WHOLE: Final = (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)
_number: Final = count()


class BoundedConnection(H11Protocol):
    """One connection."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._number = next(_number)
        self._is_known = False
        self._may_take_longer = False
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it in, and let go of the one that has waited longest if there are too many."""
        super().connection_made(transport)
        self._wait()
        ours = [each for each in self.connections if isinstance(each, BoundedConnection)]
        _let_one_go([each for each in ours if not each._is_known], MOST_STRANGERS)
        _let_one_go(ours, MOST_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._answer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came; once it is a whole request, nothing is waited for any more."""
        super().data_received(data)
        if self.conn.their_state in _WHOLE:
            self._answer()
        elif not self._may_take_longer and self.scope and self.scope.get("session"):
            self._may_take_longer = True
            self._wait(SIGNED_IN_SECONDS)

    def on_response_complete(self) -> None:
        """It was answered; whoever had a session is known from now on."""
        self._is_known, self._may_take_longer = self._is_known or bool(self.scope.get("session")), False
        self._wait()
        super().on_response_complete()

    @property
    def _is_waited_for(self) -> bool:
        return self._patience is not None

    def _wait(self, seconds: float | None = None) -> None:
        self._answer()
        self._patience = self.loop.call_later(REQUEST_SECONDS if seconds is None else seconds, self._let_go)

    def _answer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _let_go(self) -> None:
        self._answer()
        self.connections.discard(self)
        self.transport.abort()


def _let_one_go(among: list[BoundedConnection], at_most: int) -> None:
    waiting = [each for each in among if each._is_waited_for]
    if len(among) > at_most and waiting:
        min(waiting, key=lambda each: each._number)._let_go()
