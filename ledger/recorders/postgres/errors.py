"""What goes wrong with a PostgreSQL server, in plain words: never the server's own, which may hold a patient's data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from eventsourcing.persistence import IntegrityError
from psycopg_pool import PoolClosed, PoolTimeout

from ledger.recorders import StoreError

LOCK_TIMEOUT_SECONDS: Final = 60

_UNREACHABLE: Final = "the ledger's server cannot be reached; check the URL and that it runs"
_SENTENCES: Final = {
    "08": "the connection to the ledger's server was lost",
    "22": "the ledger's server cannot keep a value of these entries",
    "28": "the ledger's server refused the user or the password",
    "3D": "there is no such database on the ledger's server",
    "3F": "there is no such schema in the ledger's database",
    "23001": "the ledger's guards refused to change what is recorded",
    "25006": "the ledger's server is read-only now: it is a standby, or was told so",
    "25P03": "the ledger's server ended the work, for this program let it wait too long in its midst, as on a machine"
    " with too much to do; nothing of that is recorded; try again",
    "42501": "this user may not do that in the ledger's database;"
    " its owner makes a ledger with 'migrate' and lets others record with 'migrate --runtime-role ROLE'",
    "42704": "there is no such role on the ledger's server",
    "42P07": "tables of these names are there already and are no ledger; name another schema or database",
    "53": "the ledger's server is out of room or of connections",
    "55P03": f"the ledger was kept locked by others for {LOCK_TIMEOUT_SECONDS} seconds; try again later",
    "57": "the ledger's server stopped the work, or is stopping itself; try again later",
    "58": "the ledger's server could not read or write its files",
    "XX": "the ledger's server found its own data damaged; its log says more",
}
"""By the server's code, or its class."""
_CLUES: Final = {"password": "28", "role": "28", "no pg_hba": "28", "does not exist": "3D"}
"""What an error of connecting says that bears no code."""


def explain(error: BaseException) -> str:
    """One plain sentence for an error of the server, or of the connection to it."""
    if isinstance(error, PoolTimeout | PoolClosed):
        return _UNREACHABLE
    state = getattr(error, "sqlstate", None) or ""
    if not state and isinstance(error, psycopg.OperationalError):
        return _SENTENCES["08"]
    found = _SENTENCES.get(state) or _SENTENCES.get(state[:2])
    return found or f"the ledger's server reported error {state or type(error).__name__}"


def explain_connecting(error: psycopg.Error) -> str:
    """One plain sentence for a connection that could not be made."""
    if getattr(error, "sqlstate", None):
        return explain(error)
    state = next((state for clue, state in _CLUES.items() if clue in str(error)), None)
    return _SENTENCES[state] if state else _UNREACHABLE


@contextmanager
def plain_errors() -> Iterator[None]:
    """Whatever the server says, as a ``StoreError``, or as a conflict between writers."""
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        raise IntegrityError("another writer recorded that version") from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise IntegrityError("an episode was forgotten meanwhile") from error
    except (psycopg.Error, PoolTimeout, PoolClosed) as error:
        raise StoreError(explain(error)) from error
