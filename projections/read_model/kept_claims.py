"""What the read model keeps of claims: worked out when it is first asked for, let go when the patient changes.

A table of its own, which no rebuild fills and no fingerprint covers: it is laid when something is kept, and goes with
the patient's other rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from projections.read_model.views import Views

MADE_BY = "claims"
"""The note that says which version of the program worked them out."""


class KeptClaims(NamedTuple):
    """What is kept of one patient: every claimed day, or only those that differ from the claim; and what was paid."""

    patient: str
    every: bool
    text: str
    payments: str


def kept_patients(views: Views, made_by: str, *, every: bool) -> set[str]:
    """The patients of whom something is kept that was worked out by this version; of whom every day, if asked for."""
    if views.noted().get(MADE_BY) != made_by or not views.has_claims():
        return set()
    return {name for (name,) in views.connection.execute("SELECT patient FROM claims WHERE every >= ?", (every,))}


def kept_of(views: Views, patient: str) -> str | None:
    """What is kept of a patient; None if nothing is."""
    found = views.connection.execute("SELECT text FROM claims WHERE patient = ?", (patient,)).fetchone()
    return found[0] if found else None


def payments_kept(views: Views, patient: str) -> str | None:
    """What is kept of what a patient's claimed days were paid; None if nothing is."""
    found = views.connection.execute("SELECT payments FROM claims WHERE patient = ?", (patient,)).fetchone()
    return found[0] if found else None


def patients_paid(views: Views) -> set[str]:
    """The patients of whom claimed days with money, or without an answer, are kept."""
    if not views.has_claims():
        return set()
    return {name for (name,) in views.connection.execute("SELECT patient FROM claims WHERE payments <> '[]'")}


def keep(views: Views, made_by: str, as_of: dict[str, str], found: Iterable[KeptClaims]) -> bool:
    """Keep what was worked out of a read model that noted this of itself; False, and nothing, if it notes another
    thing by now."""
    with views.writing():
        noted = views.noted()
        if not as_of.items() <= noted.items():
            return False
        if noted.get(MADE_BY) != made_by:
            views.connection.execute("DROP TABLE IF EXISTS claims")
        views.connection.execute(
            "CREATE TABLE IF NOT EXISTS claims (patient TEXT PRIMARY KEY, every INTEGER NOT NULL, text TEXT NOT NULL,"
            " payments TEXT NOT NULL) STRICT"
        )
        views.connection.executemany("INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)", found)
        views.note(**{MADE_BY: made_by})
    return True
