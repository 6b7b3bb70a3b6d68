"""Which entries of an episode are live, and what each states (rulebook section 2, Correction).

Nothing is edited: a retraction or a correction names an earlier entry. An entry, its corrections and their corrections
are one chain; of those not retracted, the one recorded last stands in for all, at its own place in the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ledger.facts.entry import Entry
from ledger.facts.events import FactCorrected, FactRetracted, Statement


class Live(NamedTuple):
    """An entry that counts, what it states (a correction states its inner fact), and the first entry of its chain."""

    entry: Entry
    fact: Statement
    first: Entry


Identity = tuple[str, str]


def live_entries(entries: Sequence[Entry]) -> list[Live]:
    """The live facts and acts of one episode's entries (given by version), in the order they count."""
    whole = not entries or entries[-1].version == len(entries)
    mending = [entry for entry in entries if isinstance(entry.fact, FactCorrected | FactRetracted)]
    touched = {entry.id for entry in mending} | {entry.fact.target_id for entry in mending}  # type: ignore[union-attr]
    live = [Live(entry, entry.fact, entry) for entry in entries if entry.id not in touched]  # type: ignore[arg-type]
    live += _standing([entry for entry in entries if entry.id in touched], retracted_identities(mending), whole)
    live.sort(key=lambda each: each.entry.version)
    return live


def _standing(entries: Iterable[Entry], retracted: set[Identity], whole: bool) -> Iterable[Live]:
    """What stands of each chain of these entries."""
    root: dict[Identity, Identity] = {}
    first: dict[Identity, Entry] = {}
    standing: dict[Identity, Live] = {}
    for entry in entries:
        fact, identity = entry.fact, (entry.source, entry.id)
        if isinstance(fact, FactRetracted):
            continue
        target = (fact.target_source, fact.target_id) if isinstance(fact, FactCorrected) else None
        assert target is None or target in root or not whole, "a correction names an earlier entry"
        # a target that was left out is of a kind that nobody reads: no correction, and so the root of its chain
        root[identity] = root.get(target, target) if target else identity
        begun = first.setdefault(root[identity], entry)
        if identity not in retracted:
            stated = fact.fact if isinstance(fact, FactCorrected) else fact
            standing[root[identity]] = Live(entry, stated, begun)
    return standing.values()


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
