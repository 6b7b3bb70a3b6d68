"""What undoes or rights an earlier entry, found by the name reports give it: ``source:id``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any

import msgspec

from ledger.facts.entry import Entry, statement_of, tag_of
from ledger.facts.events import ConflictResolved, Event, FactCorrected, FactRetracted
from ledger.facts.liveness import live_entries, retractions


class NoSuchEntry(Exception):
    """The episode has no entry of that name that could be mended so; the message says why, without the name."""


def entry_named(entries: Sequence[Entry], label: str) -> Entry:
    """The episode's entry that reports name so; NoSuchEntry if there is none, or more than one."""
    found = [entry for entry in entries if entry.label == label]
    if not found:
        raise NoSuchEntry("the episode has no such entry: 'replay EPISODE' names each as source:id")
    if len(found) > 1:  # sources of edition 1 may have a colon
        raise NoSuchEntry("two entries of the episode are named so: send a line of JSON, where source and id are apart")
    return found[0]


def opening_of(entries: Sequence[Entry]) -> Entry:
    """The episode's first entry; NoSuchEntry if it has none."""
    if not entries:
        raise NoSuchEntry("the ledger knows no such episode; 'episode-ledger days' lists those it knows")
    return entries[0]


def stated_now(entries: Sequence[Entry], entry: Entry) -> dict[str, Any]:
    """What stands of an entry, as JSON has it: what it was corrected to, or else what it stated itself."""
    if isinstance(entry.fact, FactRetracted):
        raise NoSuchEntry("a retraction is not corrected; 'unretract' takes it back")
    first = _first_of_chain(entries, entry)
    standing = next((live.fact for live in live_entries(entries) if live.first is first), None)
    fact = standing or (entry.fact.fact if isinstance(entry.fact, FactCorrected) else entry.fact)
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(fact))
    return told


def _first_of_chain(entries: Sequence[Entry], entry: Entry) -> Entry:
    by_identity = {(each.source, each.id): each for each in entries}
    while isinstance(entry.fact, FactCorrected):
        entry = by_identity[entry.fact.target_source, entry.fact.target_id]
    return entry


def correction(entry: Entry, fact: dict[str, Any], reason: str) -> dict[str, Any]:
    """The correction of an entry by a fact."""
    return {"type": "FactCorrected", **_target(entry), "reason": reason, "fact": fact}


def retraction(entry: Entry, reason: str) -> dict[str, Any]:
    """The retraction of an entry."""
    return {"type": "FactRetracted", **_target(entry), "reason": reason}


def restorations(entries: Sequence[Entry], entry: Entry, reason: str) -> list[dict[str, Any]]:
    """What takes back every live retraction of an entry, or the entry itself, if it is one."""
    found = retractions(entries)
    if isinstance(entry.fact, FactRetracted):
        named = [] if (entry.source, entry.id) in found else [entry]
    else:
        named = found.get((entry.source, entry.id), [])
    if not named:
        raise NoSuchEntry("it is not retracted as things are: there is nothing to take back")
    return [retraction(each, reason) for each in named]


def kinds_about(entries: Sequence[Entry], entry: Entry) -> set[str]:
    """The kinds of fact that an entry is about: what was told at first, and whatever it was corrected to."""
    return {tag_of(statement_of(each)) for each in _all_about(entries, {_root_of(entries, _name(entry))})}


def last_about(entries: Sequence[Entry], fact: Event) -> Entry | None:
    """The last entry that has a say in what a fact decides or takes back: what it mends with all that mends it, or the
    decisions of its date; None if there is none, as for every fact that stands by itself."""
    if isinstance(fact, ConflictResolved):
        about = {_name(each) for each in entries if _decides(each, fact.date)}
    elif isinstance(fact, FactCorrected | FactRetracted):
        about = {_root_of(entries, (fact.target_source, fact.target_id))}
    else:
        return None
    return next(reversed([*_all_about(entries, about)]), None)


def _all_about(entries: Sequence[Entry], names: Collection[tuple[str, str]]) -> Iterator[Entry]:
    """The entries of these names, with all that mends them."""
    about = set(names)
    for entry in entries:
        if _name(entry) in about or _target_of(entry) in about:
            about.add(_name(entry))
            yield entry


def _name(entry: Entry) -> tuple[str, str]:
    return entry.source, entry.id


def _decides(entry: Entry, on: date) -> bool:
    stated = statement_of(entry)
    return isinstance(stated, ConflictResolved) and stated.date == on


def _target_of(entry: Entry) -> tuple[str, str] | None:
    fact = entry.fact
    return (fact.target_source, fact.target_id) if isinstance(fact, FactCorrected | FactRetracted) else None


def _root_of(entries: Sequence[Entry], name: tuple[str, str]) -> tuple[str, str]:
    """What was told at first, behind all that corrects or retracts it."""
    targets = {_name(entry): _target_of(entry) for entry in entries}
    while target := targets.get(name):
        name = target
    return name


def _target(entry: Entry) -> dict[str, str]:
    return {"target_source": entry.source, "target_id": entry.id}
