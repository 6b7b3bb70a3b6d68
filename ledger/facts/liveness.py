"""Which entries of an episode are live, and what each states (rulebook section 2, Correction).

Nothing is edited: a retraction or a correction names an earlier entry. An entry, its corrections and their corrections
are one chain; of those not retracted, the one recorded last stands in for all, at its own place in the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final, NamedTuple

from ledger.facts.entry import Entry
from ledger.facts.events import FactCorrected, FactRetracted, Statement


class Live(NamedTuple):
    """An entry that counts, what it states (a correction states its inner fact), and the first entry of its chain."""

    entry: Entry
    fact: Statement
    first: Entry


Identity = tuple[str, str]


_MENDING: Final = frozenset({FactCorrected, FactRetracted})


class Taken(NamedTuple):
    """What an entry stated and no longer counts for, and the live entries that took it back: retractions of it, the
    correction that stands in for it."""

    entry: Entry
    fact: Statement
    by: tuple[Entry, ...]


class Mended(NamedTuple):
    """What became of the entries that retractions and corrections concern; all others of the episode are live."""

    named: Set[str]
    """The ids of the entries concerned. One of another source may bear such an id, too: it stands by itself."""
    standing: Mapping[int, Live]
    """Those of them that are live, by version."""
    taken: list[Taken]
    """What was taken back, by version."""


def live_entries(entries: Sequence[Entry]) -> list[Live]:
    """The live facts and acts of one episode's entries (given by version), in the order they count."""
    found = mended(entries)
    live = (
        found.standing.get(entry.version) if entry.id in found.named else Live(entry, _stated(entry), entry)
        for entry in entries
    )
    return [each for each in live if each is not None]


def taken_back(entries: Sequence[Entry]) -> list[Taken]:
    """What was taken back of one episode's entries, by version."""
    return mended(entries).taken


def mended(entries: Sequence[Entry]) -> Mended:
    """What the retractions and corrections of one episode's entries, given by version, make of these."""
    mending = [entry for entry in entries if type(entry.fact) in _MENDING]
    named = {id_ for entry in mending for id_ in (entry.id, entry.fact.target_id)}  # type: ignore[union-attr]
    retracted, taken, live = retractions(mending), list[Taken](), dict[int, Live]()
    is_whole = not entries or entries[-1].version == len(entries)
    for chain in _chains([entry for entry in entries if entry.id in named], is_whole):
        standing = next((entry for entry in reversed(chain) if (entry.source, entry.id) not in retracted), None)
        if standing is not None:
            live[standing.version] = Live(standing, _stated(standing), chain[0])
        for entry in chain:
            after = (standing,) if standing is not None and standing.version > entry.version else ()
            if by := (*retracted.get((entry.source, entry.id), ()), *after):
                taken.append(Taken(entry, _stated(entry), by))
    taken.sort(key=lambda each: each.entry.version)
    return Mended(named, live, taken)


def _stated(entry: Entry) -> Statement:
    return entry.fact.fact if isinstance(entry.fact, FactCorrected) else entry.fact  # type: ignore[return-value]


def _chains(entries: Iterable[Entry], whole: bool) -> Iterable[list[Entry]]:
    """These entries by chains; retractions are in none."""
    root: dict[Identity, Identity] = {}
    chains: dict[Identity, list[Entry]] = {}
    for entry in entries:
        fact, identity = entry.fact, (entry.source, entry.id)
        if isinstance(fact, FactRetracted):
            continue
        target = (fact.target_source, fact.target_id) if isinstance(fact, FactCorrected) else None
        assert target is None or target in root or not whole, "a correction names an earlier entry"
        # a target left out is of a kind that nobody judges by; whoever wants to know how old the chain is reads it, too
        root[identity] = root.get(target, target) if target else identity
        chains.setdefault(root[identity], []).append(entry)
    return chains.values()


def retractions(entries: Sequence[Entry]) -> dict[Identity, list[Entry]]:
    """The identities that are retracted, with the live retractions that name them. Later entries settle earlier ones,
    so it reads backwards."""
    retracted: dict[Identity, list[Entry]] = {}
    for entry in reversed(entries):
        if isinstance(entry.fact, FactRetracted) and (entry.source, entry.id) not in retracted:
            retracted.setdefault((entry.fact.target_source, entry.fact.target_id), []).append(entry)
    return retracted


def known(entries: Iterable[Entry], at: object) -> list[Entry]:
    """The entries recorded at or before an instant; all of them without one."""
    if at is None:
        return list(entries)
    return [entry for entry in entries if entry.recorded_at <= at]  # type: ignore[operator]
