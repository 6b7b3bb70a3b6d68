"""A ledger's entries as they are stored, for whoever looks at it from outside: nothing is opened, no key is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment

from ledger.recorders.by_name.naming import in_postgres, postgres_module
from ledger.recorders.protocol import Entries
from ledger.recorders.sqlite.recorder import LedgerFactory


@contextmanager
def as_stored(name: str) -> Iterator[Entries]:
    """The entries of the ledger so named, envelopes and hidden names as they are; StoreError if it cannot be used."""
    kind = {LedgerFactory.ORIGINATOR_ID_TYPE: "text"}
    factory: InfrastructureFactory[Any]
    if in_postgres(name):
        theirs = postgres_module("recorder").LedgerFactory
        factory = theirs(Environment("EpisodeLedger", kind | {theirs.URL: name}))
    else:
        where = {LedgerFactory.SQLITE_DBNAME: name, LedgerFactory.CREATE_TABLE: "no"}
        factory = LedgerFactory(Environment("EpisodeLedger", kind | where))
    try:
        entries: Any = factory.application_recorder()
        yield entries
    finally:
        factory.close()
