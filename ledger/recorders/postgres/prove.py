"""Reading a ledger in PostgreSQL to prove it: nothing in it is believed, and one that was altered is read too.

The server itself keeps the kinds of the columns and its texts as UTF-8, and with data checksums it finds damaged pages.
No number is drawn from a sequence, so that a tail which was cut off is told by a checkpoint alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from ledger.keys.cipher import MasterKey, WrappedKey
from ledger.keys.keyring import locks_of
from ledger.progress import Progress, silent
from ledger.proof.breaks import Fault, SealedRow
from ledger.proof.checkpoint import Checkpoint
from ledger.proof.consistency import Pair
from ledger.proof.merkle import proofs_of
from ledger.proof.walk import ProofReport, Walk
from ledger.recorders import NoLedger
from ledger.recorders.leaves import LeafWalk, Proven
from ledger.recorders.postgres.pool import connected
from ledger.recorders.postgres.schema import (
    KEYS_OF,
    NO_LEDGER,
    SCHEMA_VERSION,
    SCHEMAS,
    Connection,
    has_tables,
    lost_guards,
    one,
)
from ledger.recorders.postgres.url import parts_of

_PAGE_ROWS: Final = 500
_ROWS: Final = (
    "SELECT position, convert_to(originator_id, 'UTF8'), originator_version, convert_to(topic, 'UTF8'),"
    " convert_to(state, 'UTF8'), seal, true FROM entries WHERE position <= %s ORDER BY position"
)
_PATIENTS: Final = (
    "SELECT convert_to(patient, 'UTF8'), convert_to(episode, 'UTF8') FROM patients ORDER BY patient, episode"
)
_LARGEST: Final = 2**63 - 1
_DAMAGED: Final = (psycopg.errors.InternalError_, psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted)


def prove(
    url: str,
    checkpoints: Sequence[Checkpoint] = (),
    tell: Progress = silent,
    master: MasterKey | None = None,
) -> ProofReport:
    """Walk the whole ledger that a URL leads to, as it is at this moment, and say what holds."""
    with one_moment(url) as connection:
        return prove_within(connection, checkpoints, tell, master)


def prove_within(
    connection: Connection,
    checkpoints: Sequence[Checkpoint] = (),
    tell: Progress = silent,
    master: MasterKey | None = None,
) -> ProofReport:
    """Walk the whole ledger as a transaction sees it."""
    if not has_tables(connection):
        raise NoLedger(NO_LEDGER)
    page = dict(connection.execute("SELECT key, value FROM ledger").fetchall())
    others = _strange(connection, page)
    keys = _Keys(connection)
    walk = Walk(page.get("id", ""), checkpoints, locks_of(page, master, keys.of))
    whole, patients = True, list[Pair]()
    try:
        expected = one(connection, "SELECT max(position) FROM entries") or 0
        for rows in _pages(connection, _LARGEST):
            keys.look_up(rows)
            for row in rows:
                walk.take(row)
            tell(walk.last, expected)
        others += _unindexed(connection, walk.entries)
        patients = connection.execute(_PATIENTS).fetchall()
    except _DAMAGED:
        after = f"after entry {walk.last}" if walk.last else "from its beginning"
        others.append(Fault("damaged", walk.last + 1, f"the server cannot read the ledger {after}: it is damaged"))
        whole = False
    return walk.report(last_number=walk.last, patients=patients, others=others, whole=whole)


def prove_entries(url: str, ledger_id: str, size: int, wanted: Collection[int], tell: Progress = silent) -> Proven:
    """The entries at the wanted positions as they are stored, each with its proof in the tree of that size."""
    walk = LeafWalk(ledger_id, size, frozenset(wanted), tell)
    with one_moment(url) as connection:
        pages = ([row[:6] for row in rows] for rows in _pages(connection, size))
        root, proofs = proofs_of(walk.leaves(pages), [position - 1 for position in wanted])
    return Proven(root, walk.seal, walk.rows, {index + 1: proof for index, proof in proofs.items()})


@contextmanager
def one_moment(url: str) -> Iterator[Connection]:
    """A connection that cannot write and sees one moment; it takes as long as it takes."""
    with connected(parts_of(url) | {"client_encoding": "UTF8"}) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield connection


def _pages(connection: Connection, upto: int) -> Iterator[list[Any]]:
    with connection.cursor("walk", binary=True) as cursor:
        cursor.execute(_ROWS, (upto,))
        while rows := cursor.fetchmany(_PAGE_ROWS):
            yield rows


def _strange(connection: Connection, page: dict[str, str]) -> list[Fault]:
    """What of the tables and guards is not as they were created."""
    faults = []
    if lost := lost_guards(connection):
        faults.append(Fault("altered", None, f"not as it was created: {', '.join(lost)}"))
    if not page.get("id"):
        faults.append(Fault("altered", None, "the ledger does not say which one it is"))
    if page.get("format") not in SCHEMAS:
        written, knows = page.get("format", "")[:9] or "none", " and ".join(SCHEMAS)
        told = f"the ledger says that its format is {written}, this program knows {knows}"
        faults.append(Fault("altered", None, told))
    if (version := one(connection, "SELECT max(version) FROM schema_versions")) != SCHEMA_VERSION:
        told = f"its tables say that their version is {version}, this program knows {SCHEMA_VERSION}"
        faults.append(Fault("altered", None, told))
    return faults


class _Keys:
    """The keys that are kept, read for a whole page of entries at once: one by one they take most of the time.

    None where their table was taken away, which is told besides.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._there = has_tables(connection, ["keys"])
        self._of_page: dict[str, WrappedKey | None] = {}

    def look_up(self, rows: Sequence[SealedRow]) -> None:
        """Read those of a page."""
        episodes = {row[1].decode() for row in rows} if self._there else set()
        self._of_page = dict.fromkeys(episodes) | {kept.episode: kept for kept in self._read(episodes)}

    def of(self, episodes: Collection[str]) -> list[WrappedKey]:
        """Those of some episodes, as far as there are any."""
        if self._of_page.keys() >= set(episodes):
            return [kept for episode in episodes if (kept := self._of_page[episode]) is not None]
        return self._read(episodes)

    def _read(self, episodes: Collection[str]) -> list[WrappedKey]:
        if not self._there:
            return []
        return [WrappedKey(*row) for row in self._connection.execute(KEYS_OF, (list(episodes),)).fetchall()]


def _unindexed(connection: Connection, walked: int) -> list[Fault]:
    """The walk goes by the index; the table itself must have as many rows."""
    for way in ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"):
        connection.execute(f"SET LOCAL {way} = off")
    if one(connection, "SELECT count(*) FROM entries") == walked:
        return []
    return [Fault("damaged", None, "an index of the entries and their table do not agree; REINDEX mends it")]
