"""Acts of the house at its desk: what colleagues decide about open work, and seals of who looked at what.

They say nothing of a patient's care, and no day is judged by them.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class WorkAssigned(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """A piece of open work was given to ``owner`` to see to; an empty owner is nobody.

    ``work`` is what is to be done in the episode: the rule of a finding, the reason of a hold, or ``to_bill``.
    """

    at: datetime
    by: str
    episode: str
    work: str
    owner: str
    nonce: str


class WorkNoted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """A note for colleagues on a piece of open work; empty once the patient was forgotten."""

    at: datetime
    by: str
    episode: str
    work: str
    note: str
    nonce: str


class WorkDone(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """A piece of open work needs nobody before the date ``until``, on which it is open again if it is still there."""

    at: datetime
    by: str
    episode: str
    work: str
    until: date
    nonce: str


class LooksSealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """The first ``lines`` access records of the site, up to some day's end, had this SHA-256, in hex.

    The records are kept in a file of their own; by this nobody can change them afterwards without its being seen.
    """

    at: datetime
    by: str
    lines: int
    sha256: str
    nonce: str


WorkAct = WorkAssigned | WorkNoted | WorkDone
"""What colleagues decided about a piece of open work."""
