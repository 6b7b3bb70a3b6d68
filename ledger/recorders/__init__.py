"""Where entries are kept: one recorder per database, each a subclass of the event store library's own."""

from eventsourcing.persistence import PersistenceError


class StoreError(PersistenceError):
    """The store cannot be opened, read or written; its text is one plain sentence that names no patient."""


class NoLedger(StoreError):
    """There is no ledger where one was named, and none was to be made."""
