"""An episode read as one row: its entries, if they are as its columns say; else it is read one by one."""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter
from typing import Final

from msgspec import MsgspecError

from ledger.facts.entry import Entry, decode_joined
from ledger.facts.stored import TAGS, JoinedEntries
from ledger.judge.fold import is_read

UNREAD: Final = frozenset(tag for kind, tag in TAGS.items() if not is_read(kind))
"""The tags of what the judge never reads: supplies, notes."""
_episode_of: Final = attrgetter("episode")
_version_of: Final = attrgetter("version")
_fact_of: Final = attrgetter("fact")


def entries_in(row: JoinedEntries, versions: int, without: Collection[str]) -> list[Entry] | None:
    """The entries of an episode that should have so many; None unless every one is what it should be.

    Of those whose texts were left out only the tags are seen. Each of the others must have the episode, version and tag
    that its columns have: a damaged text that looks like two, or like none, does not.
    """
    tags = row.tags.split(",")
    if not versions == row.versions == row.last == len(tags):
        return None
    try:
        entries = decode_joined(row.texts)
    except (MsgspecError, ValueError):  # or it is no UTF-8
        return None
    read = [version for version, tag in enumerate(tags, 1) if tag not in without]
    if list(map(_version_of, entries)) != read or {*map(_episode_of, entries)} != {row.episode}:
        return None
    found = [TAGS[kind] for kind in map(type, map(_fact_of, entries))]
    return entries if found == [tag for tag in tags if tag not in without] else None
