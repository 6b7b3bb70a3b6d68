"""A hint that something was appended to a ledger in PostgreSQL: it ends a reader's waiting sooner, and no more.

Readers go by position, which misses nothing; nobody relies on a hint, and one that fails or comes in vain changes
nothing. An append tells only while somebody listens, because NOTIFY makes the commits of all ledgers of a server wait
for each other; and not while the server's queue fills up, because a full one would refuse the append.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import socket, socketpair
from threading import Thread
from typing import Final

from psycopg.sql import SQL, Identifier

from ledger.recorders.postgres.pool import CONNECT_TIMEOUT_SECONDS, connected
from ledger.recorders.postgres.schema import Connection, one
from ledger.recorders.postgres.url import parts_of

AGAIN_SECONDS: Final = 10.0
"""How long after it failed listening is tried again; readers look by themselves meanwhile."""
CHANNEL: Final = "'episode_ledger_' || hashtext(current_schema())"
"""What the ledger of a schema is heard on; two ledgers of a database do not wake each other's readers."""
_LISTENING: Final = "hashtext('episode-ledger listening ' || current_schema())"
"""The advisory lock that listeners share: an append that can have it for itself has nobody to tell."""
HINT: Final = (
    f"CASE WHEN NOT pg_try_advisory_xact_lock({_LISTENING}) AND pg_notification_queue_usage() < 0.5"
    f" THEN pg_notify({CHANNEL}, '') END"
)
"""What an append tells: without data, and heard only once it is committed."""
_KEPT: Final = {"connect_timeout": int(CONNECT_TIMEOUT_SECONDS), "keepalives_idle": 60}
"""A connection on which mostly nothing is said must not be forgotten on its way."""


@contextmanager
def listening(url: str) -> Iterator[socket]:
    """What can be read from soon after an append to a ledger; later, or never, where listening fails."""
    reader, listener = socketpair()
    listener.setblocking(False)
    Thread(target=_listen, args=(url, listener), daemon=True).start()
    with reader:
        yield reader


def _listen(url: str, listener: socket) -> None:
    while True:
        with suppress(Exception):  # whatever it is: the reader looks by itself, and tells of a server that is gone
            _pass_on(url, listener)
        if _readable([listener], AGAIN_SECONDS):
            listener.close()
            return


def _pass_on(url: str, listener: socket) -> None:
    """Tell the reader of what is heard, until it has left."""
    with connected(_KEPT | parts_of(url)) as connection:
        connection.execute(SQL("LISTEN {}").format(Identifier(one(connection, f"SELECT {CHANNEL}"))))
        connection.execute(f"SELECT pg_advisory_lock_shared({_LISTENING})")
        _wake(listener)  # of what was appended before it could be heard
        while listener not in _readable([listener, connection]):
            if _heard(connection):
                _wake(listener)


def _heard(connection: Connection) -> bool:
    """Whether there was a hint in what the server said."""
    connection.pgconn.consume_input()
    heard = False
    while connection.pgconn.notifies():
        heard = True
    return heard


def _wake(listener: socket) -> None:
    with suppress(BlockingIOError):  # so much is unread that the reader will look anyway
        listener.send(b"!")


def _readable(many: list[socket | Connection], seconds: float | None = None) -> list[socket | Connection]:
    """Those of which there is something to read, or that the other side has left."""
    return select.select(many, [], [], seconds)[0]
