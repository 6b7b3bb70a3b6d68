"""Why a consumer of the feed cannot go on from the position they have."""

from __future__ import annotations


class NoResuming(Exception):
    """Changes since that position cannot be told, or would not fit to what the consumer has."""


class ReloadFirst(NoResuming):
    """What they have is of another ledger, of one that was put back, or of another judge: they load everything anew."""


class ForgottenSince(NoResuming):
    """Somebody was forgotten since: they remove what they have, and load everything anew."""
