"""What became of an append that ended with an error: it is asked for by its very bytes, within one deadline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eventsourcing.persistence import StoredEvent

from ledger.recorders import NotRecorded, StoreError, Unknown
from ledger.recorders.protocol import Entries

DEADLINE_SECONDS: Final = 10.0


def read_back(entries: Entries, stored_events: Sequence[StoredEvent], error: StoreError) -> list[int]:
    """The positions if it was recorded all the same; else the error, as nothing was; ``Unknown`` if nobody can tell.

    No other append has the same bytes: each holds random ones. All of an append was recorded, or nothing.
    """
    if isinstance(error, NotRecorded) or not stored_events:
        raise error
    wanted = {(str(each.originator_id), each.originator_version): each for each in stored_events}
    try:
        rows = entries.rows_at(wanted, settled_within=DEADLINE_SECONDS)
    except StoreError as silence:
        raise Unknown(str(error)) from silence
    found = {
        (row[1], row[2]): row[0]
        for row in rows
        if row[4].encode("utf-8", "surrogateescape") == wanted[row[1], row[2]].state
    }
    if len(found) < len(wanted):
        raise error
    return [found[place] for place in wanted]
