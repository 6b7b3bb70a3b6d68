"""Files that were sent and are not recorded yet: in memory alone, bounded, and each for the session that sent it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from commands.outside import random_nonces

MOST_BYTES: Final = 20 * 2**20
"""Of one file; an export of a month has a few hundred thousand."""
MOST_BYTES_KEPT: Final = 4 * MOST_BYTES
MOST_BYTES_COMING: Final = 2 * MOST_BYTES + 2**20
"""How much of one user may be on its way at once: two tabs send a file each."""


class Upload(NamedTuple):
    """A file as it was sent: by which session, under which name, what is in it, and whose session it is."""

    session: str
    name: str
    content: bytes
    user: str


class Uploads:
    """The files of one running site; where there is no room, the oldest of whoever has sent the most goes."""

    def __init__(self) -> None:
        self._kept: dict[str, Upload] = {}
        self._turn = threading.Lock()

    def keep(self, upload: Upload) -> str:
        """Keep a file; gives what it is asked for by."""
        name = random_nonces(1)[0]
        with self._turn:
            self._kept[name] = upload
            while len(sizes := self._sizes()) and sum(sizes.values()) > MOST_BYTES_KEPT:
                (user, _), *_ = sizes.most_common(1)
                self._kept.pop(next(found for found, each in self._kept.items() if each.user == user))
        return name

    def _sizes(self) -> Counter[str]:
        """How many bytes are kept for each user."""
        sizes = Counter[str]()
        for each in self._kept.values():
            sizes[each.user] += len(each.content)
        return sizes

    def of(self, session: str, name: str) -> Upload | None:
        """A file that this session sent, if it is still kept."""
        found = self._kept.get(name)
        return found if found is not None and found.session == session else None

    def let_go(self) -> None:
        """Keep nothing: somebody was forgotten, and may be in them."""
        with self._turn:
            self._kept.clear()


class TooMuchAtOnce(Exception):
    """More of one user is on its way than there is room for."""


class Coming:
    """What is on its way to the site, by who sends it: whoever is slow about it takes nobody else's room."""

    def __init__(self) -> None:
        self._bytes = Counter[str]()
        self._turn = threading.Lock()

    @contextmanager
    def of(self, user: str) -> Iterator[Callable[[int], None]]:
        """Count what comes of a user until it is done with; TooMuchAtOnce where it is too much."""
        came = 0

        def more(count: int) -> None:
            nonlocal came
            with self._turn:
                if self._bytes[user] + count > MOST_BYTES_COMING:
                    raise TooMuchAtOnce
                self._bytes[user] += count
            came += count

        try:
            yield more
        finally:
            with self._turn:
                self._bytes[user] -= came
                if not self._bytes[user]:
                    del self._bytes[user]
