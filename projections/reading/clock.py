"""Whether this machine's clock can be right, held against the clock that stamped the ledger's newest entry.

``recorded_at`` is never corrected and never runs backwards within an episode: an entry recorded under a wrong clock
stays, and gives its time to all later entries of its episode. So a clock that cannot be right stamps nothing, unless
somebody says that it is: then it was the other one that was wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from ledger.facts.entry import UnreadableEntry
from ledger.facts.stored import read_row
from ledger.store import EpisodeLedger

MAY_BE_BEHIND: Final = timedelta(hours=1)
MAY_BE_AHEAD: Final = timedelta(days=366)
MAY_COME_AFTER: Final = timedelta(days=3653)
"""How long after the newest entry what is there may be claimed, answered, merged or closed: years later, when a history
was brought over or an appeal is decided."""
ENTRIES_LOOKED_AT: Final = 1_000


def why_doubtful(now: datetime, newest: datetime | None, ahead: timedelta = MAY_BE_AHEAD) -> str | None:
    """Why this clock and the one that stamped the newest entry cannot both be right, in words; None if they can."""
    if newest is None:
        return None
    if now < newest - MAY_BE_BEHIND:
        return f"this machine's clock ({to_the_second(now)}) is before the newest entry ({to_the_second(newest)})"
    if now > newest + ahead:
        span = "a year" if ahead == MAY_BE_AHEAD else "ten years"
        return (
            f"this machine's clock ({to_the_second(now)}) is more than {span} after the newest entry"
            f" ({to_the_second(newest)})"
        )
    return None


def newest_stamp(ledger: EpisodeLedger) -> datetime | None:
    """What the clock said that stamped the last entry; None in an empty ledger.

    An entry with the very time of the entry before it in its episode may only have inherited that: it is passed over,
    else one wrong stamp would speak for the clock again whenever its episode goes on.
    """
    head = ledger.position()
    found = list(_stamps(ledger, max(0, head - ENTRIES_LOOKED_AT), head))
    before = dict(found)
    for (episode, version), stamp in reversed(found):
        place = (episode, version - 1)
        if place[1] and place not in before:
            before |= _stamp_at(ledger, place)
        if before.get(place) != stamp:
            return stamp
    return found[-1][1] if found else None


_Place = tuple[str, int]
"""An episode and a version in it."""


def _stamps(ledger: EpisodeLedger, after: int, head: int) -> Iterable[tuple[_Place, datetime]]:
    """When each entry that can be read was stamped, and nothing else of it: a thousand of the longest are much. Those
    that cannot be read are told by whoever needs them."""
    while after < head:
        try:
            for row in ledger.scan(after, head):
                after = row[0]
                entry = read_row(row)
                yield (entry.episode, entry.version), entry.recorded_at
            return
        except UnreadableEntry as error:
            after = max(after, error.position or head)


def _stamp_at(ledger: EpisodeLedger, place: _Place) -> dict[_Place, datetime]:
    try:
        return {(entry.episode, entry.version): entry.recorded_at for entry in ledger.entries_at([place]).values()}
    except UnreadableEntry:
        return {}


def to_the_second(at: datetime) -> str:
    """An instant in UTC, as people are told it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
