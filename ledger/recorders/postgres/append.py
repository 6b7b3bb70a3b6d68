"""An append in PostgreSQL: a turn, the last position and seal, the sealed rows, all in the caller's transaction.

The turn is a row that stays locked to the end of the transaction, so that positions become visible in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from eventsourcing.persistence import IntegrityError, StoredEvent

from ledger.keys.cipher import WrappedKey
from ledger.proof.seals import first_seal
from ledger.recorders import StoreError
from ledger.recorders.postgres.forget import destroy, refuse_who_may_not
from ledger.recorders.postgres.hint import HINT
from ledger.recorders.postgres.schema import TAKE_TURN, Connection, refuse_unsafe
from ledger.recorders.sealing import sealed

_TAKE_TURN_AND_TELL: Final = f"WITH mine AS MATERIALIZED ({TAKE_TURN}) SELECT {HINT} FROM mine"
"""In one statement, which takes no longer than the turn alone: first the turn, then the hint, which goes out with the
commit."""
_HEAD: Final = "SELECT position, seal FROM entries ORDER BY position DESC LIMIT 1"
_INSERT: Final = (
    "INSERT INTO entries (position, originator_id, originator_version, topic, state, seal)"
    " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::bytea[])"
)
_INSERT_PATIENTS: Final = (
    "INSERT INTO patients (patient, episode) SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT DO NOTHING"
)
_INSERT_KEYS: Final = (
    "INSERT INTO keys (id, episode, wrapped) SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[])"
)


def insert_all(
    connection: Connection,
    stored_events: Sequence[StoredEvent],
    patients: Iterable[tuple[str, str]],
    keys: Sequence[WrappedKey],
    forgotten: Sequence[str],
    right_after: int | None,
) -> list[int]:
    """Insert entries, sealed, with the (patient, episode) pairs they name and the keys of episodes that begin; take out
    the keys of those that are forgotten. The entries' positions; IntegrityError if they had to follow another one.
    """
    refuse_unsafe(connection)  # settings may have been changed since the ledger was opened
    if forgotten:
        refuse_who_may_not(connection)
    take_turn(connection, _TAKE_TURN_AND_TELL)
    before, seal = _head(connection)
    if right_after not in (None, before):
        raise IntegrityError("something else was recorded meanwhile")
    if keys:
        connection.execute(_INSERT_KEYS, list(map(list, zip(*keys, strict=True))))
    columns = zip(*sealed(stored_events, before, seal), strict=True)
    positions = list(range(before + 1, before + 1 + len(stored_events)))
    connection.execute(_INSERT, [positions, *map(list, columns)])
    if pairs := list(zip(*patients, strict=True)):
        connection.execute(_INSERT_PATIENTS, list(map(list, pairs)))
    if forgotten:
        destroy(connection, forgotten)
    return positions


def take_turn(connection: Connection, statement: str = TAKE_TURN) -> None:
    """Wait until nobody else appends, nor will before the transaction ends."""
    if connection.execute(statement).fetchone() is None:
        raise StoreError("the ledger was altered: the row by which appenders take turns is gone")


def _head(connection: Connection) -> tuple[int, bytes]:
    """The position and the seal of the last entry; of an empty ledger, 0 and what its first entry is sealed to."""
    last = connection.execute(_HEAD).fetchone()
    if last:
        return last[0], last[1]
    (ledger_id,) = connection.execute("SELECT value FROM ledger WHERE key = 'id'").fetchone() or ("",)
    return 0, first_seal(ledger_id)
