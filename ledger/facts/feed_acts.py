"""Acts of the house about the feed: whose rows programs downstream do not have, from which position on.

They say nothing of a patient's care, and no day is judged by them. What a program has at a position follows from the
ledger alone because they stand in it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class PatientLeftOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """From here on the feed has no rows of this patient: reading them costs more than there was room for.

    The name is empty once the patient was forgotten.
    """

    at: datetime
    by: str
    patient: str
    nonce: str


class PatientTakenIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """From here on the feed has the rows of this patient again; likewise."""

    at: datetime
    by: str
    patient: str
    nonce: str


FeedAct = PatientLeftOut | PatientTakenIn
