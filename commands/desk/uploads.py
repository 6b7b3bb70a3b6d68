"""Files that were sent and are not recorded yet: in memory alone, bounded, and each for the session that sent it."""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

from commands.outside import random_nonces

MOST_BYTES: Final = 20 * 2**20
"""Of one file; an export of a month has a few hundred thousand."""
MOST_BYTES_KEPT: Final = 4 * MOST_BYTES


class Upload(NamedTuple):
    """A file as it was sent: by which session, under which name, and what is in it."""

    session: str
    name: str
    content: bytes


class Uploads:
    """The files of one running site; the oldest goes first."""

    def __init__(self) -> None:
        self._kept: dict[str, Upload] = {}
        self._turn = threading.Lock()

    def keep(self, upload: Upload) -> str:
        """Keep a file; gives what it is asked for by."""
        name = random_nonces(1)[0]
        with self._turn:
            self._kept[name] = upload
            while sum(len(each.content) for each in self._kept.values()) > MOST_BYTES_KEPT:
                self._kept.pop(next(iter(self._kept)))
        return name

    def of(self, session: str, name: str) -> Upload | None:
        """A file that this session sent, if it is still kept."""
        found = self._kept.get(name)
        return found if found is not None and found.session == session else None

    def let_go(self) -> None:
        """Keep nothing: somebody was forgotten, and may be in them."""
        with self._turn:
            self._kept.clear()
