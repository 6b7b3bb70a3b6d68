"""The live read model, held still to be compared with, if it can be: its file may be damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Final, NamedTuple

import msgspec

from ledger.store import EpisodeLedger
from projections.read_model.catch_up import of_this_ledger
from projections.read_model.generations import Places
from projections.read_model.trouble import DamagedViews, damage_of
from projections.read_model.views import Views, open_views
from projections.rebuild.read_back import has_comparable_rows

UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError, msgspec.MsgspecError, DamagedViews)
"""What reading a damaged read model ends with."""


class Live(NamedTuple):
    """The live read model to compare with; None, and why not, if there is none that can be; whether it is damaged."""

    views: Views | None = None
    not_compared: str | None = None
    damaged: bool = False


@contextmanager
def held_still(places: Places, ledger: EpisodeLedger, check: bool) -> Iterator[Live]:
    """The live read model in one snapshot, if there is one of this ledger with anything in it."""
    with ExitStack() as stack:
        try:
            live = _opened(stack, places, ledger)
        except UNREADABLE as error:
            live = damaged_live(error, check)
        yield live


def _opened(stack: ExitStack, places: Places, ledger: EpisodeLedger) -> Live:
    if places.current() is None:
        return Live()
    views = stack.enter_context(closing(open_views(places.live)))
    stack.enter_context(views.reading())
    noted = views.noted()
    if "book_text" not in noted:
        return Live()
    if because := of_this_ledger(noted, ledger):
        return Live(not_compared=because)
    if not has_comparable_rows(views.connection):
        return Live(not_compared="its rows are of a shape that cannot be compared")
    return Live(views)


def damaged_live(error: Exception, check: bool) -> Live:
    """A live read model that this says to be damaged; the error itself if it says otherwise, or only comparing is
    wanted."""
    damage = damage_of(error)
    if isinstance(error, msgspec.MsgspecError):
        damage = "the file of the read model is damaged: the book in it is none"
    if damage is None:
        raise error
    if check:
        raise DamagedViews(damage) from error
    return Live(not_compared=damage, damaged=True)
