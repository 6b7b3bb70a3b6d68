"""Whether this machine's clock can be right, held against the clock that stamped the ledger's newest entry.

``recorded_at`` is never corrected and never runs backwards within an episode: an entry recorded under a wrong clock
stays, and gives its time to all later entries of its episode. So a clock that cannot be right stamps nothing, unless
somebody says that it is: then it was the other one that was wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from ledger.facts.entry import Entry, UnreadableEntry
from ledger.facts.stored import read_row
from ledger.store import EpisodeLedger

MAY_BE_BEHIND: Final = timedelta(hours=1)
MAY_BE_AHEAD: Final = timedelta(days=366)
ENTRIES_LOOKED_AT: Final = 1_000


def why_doubtful(now: datetime, newest: datetime | None) -> str | None:
    """Why this clock and the one that stamped the newest entry cannot both be right, in words; None if they can."""
    if newest is None:
        return None
    if now < newest - MAY_BE_BEHIND:
        return f"this machine's clock ({to_the_second(now)}) is before the newest entry ({to_the_second(newest)})"
    if now > newest + MAY_BE_AHEAD:
        return (
            f"this machine's clock ({to_the_second(now)}) is more than a year after the newest entry"
            f" ({to_the_second(newest)})"
        )
    return None


def newest_stamp(ledger: EpisodeLedger) -> datetime | None:
    """What the clock said that stamped the last entry; None in an empty ledger.

    An entry with the very time of the entry before it in its episode may only have inherited that: it is passed over,
    else one wrong stamp would speak for the clock again whenever its episode goes on.
    """
    head = ledger.position()
    found = list(_readable(ledger, max(0, head - ENTRIES_LOOKED_AT), head))
    before = {(entry.episode, entry.version): entry.recorded_at for entry in found}
    for entry in reversed(found):
        place = (entry.episode, entry.version - 1)
        if place[1] and place not in before:
            before |= {(each.episode, each.version): each.recorded_at for each in _readable_at(ledger, place)}
        if before.get(place) != entry.recorded_at:
            return entry.recorded_at
    return found[-1].recorded_at if found else None


def _readable(ledger: EpisodeLedger, after: int, head: int) -> Iterable[Entry]:
    """The entries that can be read; the others are told by whoever needs them."""
    while after < head:
        try:
            for row in ledger.scan(after, head):
                after = row[0]
                yield read_row(row)
            return
        except UnreadableEntry as error:
            after = max(after, error.position or head)


def _readable_at(ledger: EpisodeLedger, place: tuple[str, int]) -> Iterable[Entry]:
    try:
        return ledger.entries_at([place]).values()
    except UnreadableEntry:
        return ()


def to_the_second(at: datetime) -> str:
    """An instant in UTC, as people are told it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
