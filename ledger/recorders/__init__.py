"""Where entries are kept: one recorder per database, each a subclass of the event store library's own."""

from eventsourcing.persistence import PersistenceError


class StoreError(PersistenceError):
    """The store cannot be opened, read or written; its text is one plain sentence that names no patient."""


class WrongPath(StoreError):
    """What was named cannot be a ledger: the command line is wrong, not the store."""


class NoLedger(WrongPath):
    """There is no ledger where one was named, and none was to be made."""
