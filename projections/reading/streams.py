"""Entries on their way: held back by episode, or looked at and let pass, until all of an episode have come."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from msgspec import MsgspecError, Struct

from ledger.facts.entry import Entry, decode_all
from ledger.facts.stored import TAGS
from ledger.judge.fold import is_read

PassingRow = tuple[str, str, str]
"""Episode, tag and text of a stored entry."""

UNREAD: Final = frozenset(tag for kind, tag in TAGS.items() if not is_read(kind))
"""The tags of what the judge never reads: supplies, dispensed drugs, notes."""
_SAME: Final = {tag: tag for tag in TAGS.values()}
_episode_of: Final = attrgetter("episode")
_version_of: Final = attrgetter("version")
_fact_of: Final = attrgetter("fact")


class Stream(Struct, gc=False):
    """What has passed of an episode: tag and text of each entry by turns; of those not held, the versions."""

    cohort: Cohort
    held: list[str]
    unread: list[int]
    complete_at: int
    """How long ``held`` is when all entries have passed."""


class Cohort(Struct, gc=False):
    """Episodes that share patients: how many entries each has, where they begin, and what has passed of them."""

    episodes: dict[str, int]
    patients: list[str]
    first: int
    missing: int
    streams: dict[str, Stream]

    @property
    def held(self) -> int:
        """How many entries are held."""
        return sum(len(stream.held) for stream in self.streams.values()) // 2


def hold(
    page: Sequence[PassingRow], waiting: dict[str, Stream], left_out: frozenset[str]
) -> tuple[list[PassingRow], list[Stream], int]:
    """Hold a page's entries back: those that need not be, the streams that the others end, and how many these are."""
    unread: list[PassingRow] = []
    ended: list[Stream] = []
    strangers = 0
    for row in page:
        episode, tag, text = row
        stream = waiting.get(episode)
        if stream is None:
            strangers += 1
            continue
        tag = _SAME.get(tag, tag)  # one string for all
        if tag in left_out:
            unread.append(row)
        else:
            passed = stream.held
            passed += (tag, text)
            if len(passed) == stream.complete_at:
                ended.append(stream)
    return unread, ended, len(page) - len(unread) - strangers


def look_at(rows: Sequence[PassingRow], waiting: dict[str, Stream]) -> list[Stream]:
    """Read entries that need not be held; tells which streams they end. One that is damaged leaves its stream open."""
    entries = _read(rows)
    if entries is None:
        entries = [entry for row in rows for entry in _read([row]) or ()]
    ended = []
    for entry in entries:
        stream = waiting[entry.episode]
        stream.unread.append(entry.version)
        stream.complete_at -= 2
        if len(stream.held) == stream.complete_at:
            ended.append(stream)
    return ended


def _read(rows: Sequence[PassingRow]) -> list[Entry] | None:
    """The entries of some rows, which must agree with their columns; None if one cannot be read or does not."""
    episodes, tags, texts = zip(*rows, strict=True) if rows else ((), (), ())
    entries = _decoded(texts, tags)
    return entries if entries is not None and tuple(map(_episode_of, entries)) == episodes else None


def _decoded(texts: Sequence[str], tags: Sequence[str]) -> list[Entry] | None:
    try:
        entries = decode_all(texts)
    except (MsgspecError, ValueError):  # or it is no UTF-8
        return None
    return entries if [TAGS[kind] for kind in map(type, map(_fact_of, entries))] == list(tags) else None


def held_entries_of(episode: str, stream: Stream) -> list[Entry] | None:
    """The entries of a stream that is complete; None if one is not as it should be."""
    entries = _decoded(stream.held[1::2], stream.held[::2])
    if entries is None or [entry for entry in entries if entry.episode != episode]:
        return None
    versions = list(map(_version_of, entries))
    every = list(range(1, len(versions) + len(stream.unread) + 1))
    return entries if sorted(versions) == versions and sorted(versions + stream.unread) == every else None
