"""A book taken up for others: recorded in the ledger before anything judged by it goes out."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from datetime import datetime

from commands.outside import random_nonces
from ledger.book import Book
from ledger.facts.administration import BookAdopted
from ledger.store import EpisodeLedger, RecordConflictError


def adopt(
    ledger: EpisodeLedger, book: Book, now: datetime, taken_up: Callable[[int], None] = lambda position: None
) -> int:
    """The ledger's head with this book taken up; if another was before, or none, that it is taken up is recorded.

    ``taken_up`` gets the position of the record where another book was in force before.
    """
    while True:
        adopted = ledger.adoptions()
        if adopted and adopted[-1][1].hash == book.hash:
            return ledger.position()
        try:
            nonce = random_nonces(1)[0]
            position = ledger.record_adoption(BookAdopted(now, who_runs_this(), book.text, book.hash, nonce))
        except RecordConflictError:
            continue  # another was faster; look again what holds now
        if adopted:
            taken_up(position)


def who_runs_this() -> str:
    """The name of the account that this runs under."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
