"""One patient at a time: the threads of a site that hold entries take turns, so that what two hold never adds up.

A site answers several visitors, and makes its report beside them. What one patient may take in memory has a budget; a
process that worked on several at once would need that many budgets.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PATIENCE_SECONDS: Final = 30.0
"""Who waited so long goes on all the same: memory is saved, but nobody waits for ever."""
_LARGE_PIECES: Final = -3
"""What the C library calls M_MMAP_THRESHOLD."""
_ARENAS: Final = -8
"""And M_ARENA_MAX."""


class Turn:
    """Whose turn it is to hold entries: in the order in which they came. Who takes no part in turns never waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: list[int] = []
        self._takes_part: set[int] = set()

    @contextmanager
    def taking_part(self) -> Iterator[None]:
        """This thread takes turns with others; at the end it holds nothing any more."""
        me = threading.get_ident()
        if me in self._takes_part:
            yield
            return
        self._takes_part.add(me)
        try:
            yield
        finally:
            self._takes_part.discard(me)
            self.give_back()

    def take(self) -> None:
        """Wait for one's turn; whoever has it goes on."""
        me = threading.get_ident()
        if me not in self._takes_part:
            return
        with self._changed:
            if me not in self._line:
                self._line.append(me)
            self._changed.wait_for(lambda: self._line[0] == me, PATIENCE_SECONDS)

    def give_back(self) -> None:
        """Nothing is held any more; or nothing was."""
        me = threading.get_ident()
        with self._changed:
            if me in self._line:
                self._line.remove(me)
                self._changed.notify_all()


turn: Final = Turn()


def let_go_at_once() -> None:
    """From now on what is not needed any more goes back to the system, as far as the C library can be told so: it
    would keep large pieces, and some for each thread, for when they are needed again."""
    if tell := getattr(ctypes.CDLL(None), "mallopt", None):
        for option, value in ((_LARGE_PIECES, 2**17), (_ARENAS, 1)):
            tell(option, value)
