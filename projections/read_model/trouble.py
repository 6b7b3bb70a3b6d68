"""What can keep a read model from being used, and what it leaves out."""

from __future__ import annotations

from msgspec import Struct

from ledger.recorders import StoreError


class SetAside(Struct, frozen=True):
    """A patient who is left out of every report because an entry cannot be read."""

    patient: str
    episode: str
    version: int
    position: int | None


class ViewsError(Exception):
    """The read model cannot be used; it can be deleted without loss, and is built anew at the next read."""


class NotNow(ViewsError, StoreError):
    """It could not be done now; nothing was half done, and it can be tried again."""


class NotViews(ViewsError):
    """The file where the read model should be is somebody else's database: it is left untouched."""
