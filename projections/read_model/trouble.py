"""What can keep a read model from being used, and what it leaves out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from ledger.facts.entry import UnreadableEntry
from ledger.recorders import StoreError, without_quotes
from projections.reading.budget import budget, in_words


class SetAside(Struct, frozen=True):
    """A patient who is left out of every report because an entry cannot be read, or because they cost too much to read.

    Then ``version`` is 0, which no entry has, and ``episode`` is one of theirs.
    """

    patient: str
    episode: str
    version: int
    position: int | None

    @classmethod
    def after(cls, patient: str, error: UnreadableEntry) -> SetAside:
        """The patient for whom this error stood in the way."""
        return cls(patient, error.episode, error.version, error.position)

    @property
    def because(self) -> str:
        """Why, in words that stand after a colon."""
        if not self.version:
            return f"with {self.episode} they cost more than the budget of {in_words(budget())} allows"
        at = f" at position {self.position}" if self.position else ""
        return f"version {self.version} of {self.episode}{at} cannot be read"


class ViewsError(Exception):
    """The read model cannot be used; it can be deleted without loss, and is built anew at the next read."""


class NotNow(ViewsError, StoreError):
    """It could not be done now; nothing was half done, and it can be tried again."""


class DamagedViews(ViewsError):
    """The file of the read model is damaged: ``rebuild`` builds another from the ledger."""


_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT: "what is in it is malformed", sqlite3.SQLITE_NOTADB: "it is no database"}


def damage_of(error: BaseException) -> str | None:
    """What is wrong with the file of a read model, if that is why reading it failed; None if it failed otherwise.

    SQLite's own words are not told: they quote what they stumbled over.
    """
    if isinstance(error, DamagedViews):
        return damage_of(error.__cause__) if error.__cause__ else str(error)
    if isinstance(error, UnicodeDecodeError) or "Could not decode" in str(error):
        because = "some of its text is no text"
    elif isinstance(error, sqlite3.Error) and "no such column" in str(error):
        because = "a table has lost a column"
    else:
        because = _DAMAGE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")
    return f"the file of the read model is damaged: {because}" if because else None


@contextmanager
def views_errors() -> Iterator[None]:
    """What SQLite says of a read model that fails, as a ViewsError."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if damage := damage_of(error):
            raise DamagedViews(damage) from error
        raise ViewsError(f"the read model failed ({without_quotes(error)})") from error


class NotViews(ViewsError):
    """The file where the read model should be is somebody else's database: it is left untouched."""
