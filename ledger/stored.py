"""Entries out of stored rows: the columns and the text must agree, or whoever reads stops there and says where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

import msgspec

from ledger.entry import Entry, UnreadableEntry, decode, decode_all
from ledger.events import Event

Row = tuple[int, str, int, str, str]
"""One stored entry: position, episode, version, tag, text."""

TAGS: Final = {kind: str(kind.__struct_config__.tag) for kind in get_args(Event)}
"""The closed table of what an entry can be: nothing in the database names code."""


def read_stored(episode: str, version: int, tag: str, text: bytes | str, position: int | None = None) -> Entry:
    """The entry of a stored text, which must agree with its columns."""
    try:
        entry = decode(text)
        agrees = entry.episode == episode and entry.version == version and TAGS[type(entry.fact)] == tag
    except Exception as error:  # whatever is wrong with the text, its reader must stop and say where
        raise UnreadableEntry(episode, version, position) from error
    if not agrees:
        raise UnreadableEntry(episode, version, position)
    return entry


def read_row(row: Row) -> Entry:
    """The entry of a row as ``scan`` gives it."""
    position, episode, version, tag, text = row
    return read_stored(episode, version, tag, text, position)


def read_episode(episode: str, tags: Sequence[str], texts: Sequence[str]) -> list[Entry] | None:
    """All entries of an episode from their stored texts, from the first version on; None if one is not as it should be.

    What is wrong, and where, is for ``entries_of`` to say, which reads one by one.
    """
    try:
        entries = decode_all(texts)
    except msgspec.MsgspecError:
        return None
    if [TAGS[type(entry.fact)] for entry in entries] != tags:
        return None
    for version, entry in enumerate(entries, 1):
        if entry.version != version or entry.episode != episode:
            return None
    return entries
