"""Which entries of an episode are live, and what each states (rulebook section 2, Correction).

Nothing is edited: a retraction or a correction names an earlier entry. An entry, its corrections and their corrections
are one chain; of those not retracted, the one recorded last stands in for all, at its own place in the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ledger.entry import Entry
from ledger.events import FactCorrected, FactRetracted, Statement

Live = tuple[Entry, Statement]
"""An entry that counts, and what it states (a correction states its inner fact)."""

Identity = tuple[str, str]


def live_entries(entries: Sequence[Entry]) -> list[Live]:
    """The live facts and acts of one episode's entries (given by version), in the order they count."""
    retracted = retracted_identities(entries)
    root: dict[Identity, Identity] = {}
    standing: dict[Identity, Live] = {}
    for entry in entries:
        fact, identity = entry.fact, (entry.source, entry.id)
        if isinstance(fact, FactRetracted):
            continue
        target = (fact.target_source, fact.target_id) if isinstance(fact, FactCorrected) else None
        assert target is None or target in root, "a correction names an earlier entry"
        root[identity] = root[target] if target else identity
        if identity not in retracted:
            standing[root[identity]] = (entry, fact.fact if isinstance(fact, FactCorrected) else fact)
    return sorted(standing.values(), key=lambda live: live[0].version)


def retracted_identities(entries: Sequence[Entry]) -> set[Identity]:
    """The identities that a live retraction names. Later entries settle earlier ones, so it reads backwards."""
    retracted: set[Identity] = set()
    for entry in reversed(entries):
        if isinstance(entry.fact, FactRetracted) and (entry.source, entry.id) not in retracted:
            retracted.add((entry.fact.target_source, entry.fact.target_id))
    return retracted


def known(entries: Iterable[Entry], at: object) -> list[Entry]:
    """The entries recorded at or before an instant; all of them without one."""
    if at is None:
        return list(entries)
    return [entry for entry in entries if entry.recorded_at <= at]  # type: ignore[operator]
