"""What can keep a read model from being used, and what it leaves out."""

from __future__ import annotations

from msgspec import Struct

from ledger.facts.entry import UnreadableEntry
from ledger.recorders import StoreError
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


class NotViews(ViewsError):
    """The file where the read model should be is somebody else's database: it is left untouched."""
