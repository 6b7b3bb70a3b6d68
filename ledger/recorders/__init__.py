"""Where entries are kept: one recorder per database, each a subclass of the event store library's own."""

from __future__ import annotations

from datetime import datetime

from eventsourcing.persistence import PersistenceError


class StoreError(PersistenceError):
    """The store cannot be opened, read or written; its text is one plain sentence that names no patient."""


class WrongPath(StoreError):
    """What was named cannot be a ledger: the command line is wrong, not the store."""


class NoLedger(WrongPath):
    """There is no ledger where one was named, and none was to be made."""


class NotRecorded(StoreError):
    """An append ended before its commit was asked for: nothing of it was recorded, and nothing ever will be."""


class Unknown(StoreError):
    """It could not be told whether an append was recorded: ask again with the same entries, which never doubles."""


class Forgotten(StoreError):
    """What was asked for was forgotten with its patient: nothing is wrong with the store."""

    def __init__(self, episode: str, at: datetime) -> None:
        super().__init__(f"episode {episode} was forgotten with its patient on {at:%Y-%m-%d}")
        self.episode, self.at = episode, at

    def __reduce__(self) -> tuple[type[Forgotten], tuple[str, datetime]]:
        """So that one process can tell another."""
        return Forgotten, (self.episode, self.at)


def without_quotes(error: BaseException) -> str:
    """What an error of SQLite says, without the text of a row that it quotes where that is no UTF-8."""
    return str(error).split(" with text ")[0]
