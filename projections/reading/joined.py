"""An episode read as one row: its entries, if they are as its columns say; else it is read one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from msgspec import MsgspecError

from ledger.facts.entry import Entry, decode_joined
from ledger.facts.events import EpisodeOpened, FactCorrected, FactRetracted
from ledger.facts.stored import TAGS, JoinedEntries, names_unknown_zone
from ledger.judge.fold import is_read
from ledger.store import EpisodeLedger, StoreError
from projections.reading.size import refuse_too_large_row

UNREAD: Final = frozenset(tag for kind, tag in TAGS.items() if not is_read(kind))
"""The tags of what the judge never reads: supplies, notes."""
EPISODES_AT_ONCE: Final = 2
"""So many of the longest that nobody asks for take 20 MB as they are read; each is decoded by itself."""
_CORRECTION: Final = TAGS[FactCorrected]
_OPENING: Final = TAGS[EpisodeOpened]


def as_rows(
    ledger: EpisodeLedger, episodes: Sequence[str], upto: int | None, without: Collection[str]
) -> dict[str, JoinedEntries]:
    """Episodes as rows, by name; none where that fails: reading one by one says what it is, if it meets it, too."""
    try:
        return {row.episode: row for row in ledger.joined(episodes, upto, without)}
    except StoreError:
        return {}


def entries_or_one_by_one(
    ledger: EpisodeLedger,
    row: JoinedEntries | None,
    episode: str,
    versions: int,
    upto: int | None,
    without: Collection[str],
) -> list[Entry]:
    """The entries of an episode that should have so many, out of its row, or read one by one.

    UnreadableEntry where one cannot be read. Where a chain begins with an entry that was left out, all are read: how
    old the chain is, only that one tells.
    """
    entries = entries_seen_in(row, versions, without) if row else None
    return ledger.entries_of(episode, upto=upto) if entries is None else entries


def entries_seen_in(row: JoinedEntries, versions: int, without: Collection[str]) -> list[Entry] | None:
    """The entries of an episode that should have so many; None unless they can be had from its row alone."""
    entries = entries_in(row, versions, without)
    if entries is None or (_CORRECTION in row.tags and corrects_what_was_left_out(entries, without)):
        return None
    return entries


def corrects_what_was_left_out(entries: Sequence[Entry], without: Collection[str]) -> bool:
    """Whether a chain that states what is wanted may begin with an entry that was left out."""
    corrections = [(_target(entry.fact), entry.fact) for entry in entries if isinstance(entry.fact, FactCorrected)]
    if not corrections or {target for target, _ in corrections} <= {(entry.source, entry.id) for entry in entries}:
        return False
    first = {(entry.source, entry.id) for entry in entries if not isinstance(entry.fact, FactCorrected)}
    return any(target not in first and TAGS[type(fact.fact)] not in without for target, fact in corrections)


def _target(fact: FactCorrected) -> tuple[str, str]:
    return fact.target_source, fact.target_id


def without_all_but(kinds: Collection[type[Any]]) -> frozenset[str]:
    """The tags of all but some kinds of fact, and of what mends others."""
    return frozenset(tag for kind, tag in TAGS.items() if kind not in (*kinds, FactCorrected, FactRetracted))


def entries_of_kinds(
    ledger: EpisodeLedger, episodes: Sequence[str], upto: int, kinds: Collection[type[Any]]
) -> Iterator[tuple[str, list[Entry]]]:
    """Of each episode the entries of some kinds of fact up to a position, and those that mend others; or all of it.

    TooCostly at an episode that has too many of them.
    """
    without = without_all_but(kinds)
    for start in range(0, len(episodes), EPISODES_AT_ONCE):
        names = episodes[start : start + EPISODES_AT_ONCE]
        rows = as_rows(ledger, names, upto, without)
        for name in names:
            row = rows.pop(name, None)
            versions = row.versions if row else 0
            if row:
                refuse_too_large_row(row)
            yield name, entries_or_one_by_one(ledger, row, name, versions, upto, without)


def entries_in(row: JoinedEntries, versions: int, without: Collection[str]) -> list[Entry] | None:
    """The entries of an episode that should have so many; None unless every one is what it should be.

    Of those whose texts were left out only the tags are seen. Each of the others must have the episode, version and tag
    that its columns have: a damaged text that looks like two, or like none, does not. And no zone may be unknown.
    """
    tags = row.tags.split(",")
    if not versions == row.versions == row.last == len(tags):
        return None
    try:
        entries = decode_joined(row.texts)
    except (MsgspecError, ValueError):  # or it is no UTF-8
        return None
    if len(entries) != versions - sum([tag in without for tag in tags]):
        return None
    episode, before = row.episode, 0
    for entry in entries:
        version = entry.version
        if not before < version <= versions or TAGS[type(entry.fact)] != tags[version - 1] or entry.episode != episode:
            return None
        before = version
    may_name_zones = entries if _CORRECTION in tags or _OPENING in tags[1:] else entries[:1]
    return None if any(map(names_unknown_zone, may_name_zones)) else entries
