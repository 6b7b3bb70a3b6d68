"""Entries out of stored rows: the columns and the text must agree, or whoever reads stops there and says where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, get_args

from ledger.facts.entry import Entry, NewerEntry, UnreadableEntry, decode, is_newer, statement_of
from ledger.facts.events import EpisodeOpened, Event, FactCorrected
from ledger.facts.zones import zone

StoredRow = tuple[int, str, int, str, str]
"""One stored entry: position, episode, version, tag, text."""


class JoinedEntries(NamedTuple):
    """An episode's stored entries as one row: how many versions there are, the last one, every tag and every text.

    Tags and texts are joined by commas, in the order of versions; who asks for it may have texts of some tags left out.
    """

    episode: str
    versions: int
    last: int
    tags: str
    texts: bytes | str


TAGS: Final = {kind: str(kind.__struct_config__.tag) for kind in get_args(Event)}
"""The closed table of what an entry can be: nothing in the database names code."""


def read_stored(episode: str, version: int, tag: str, text: bytes | str, position: int | None = None) -> Entry:
    """The entry of a stored text, which must agree with its columns."""
    try:
        entry = decode(text)
        agrees = entry.episode == episode and entry.version == version and TAGS[type(entry.fact)] == tag
        if type(entry.fact) in (EpisodeOpened, FactCorrected):
            _look_up_zone(statement_of(entry))
    except Exception as error:  # whatever is wrong with the text, its reader must stop and say where
        kind = NewerEntry if is_newer(text) else UnreadableEntry
        raise kind(episode, version, position) from error
    if not agrees:
        raise UnreadableEntry(episode, version, position)
    return entry


def names_unknown_zone(entry: Entry) -> bool:
    """Whether an opening, or what corrects one, names a zone that the database does not have."""
    try:
        _look_up_zone(statement_of(entry))
    except LookupError:
        return True
    return False


def _look_up_zone(fact: Event) -> None:
    """A zone that nobody knows would stop the judge later, without saying where it stands."""
    if isinstance(fact, EpisodeOpened):
        zone(fact.zone)


def read_row(row: StoredRow) -> Entry:
    """The entry of a row as ``scan`` gives it."""
    position, episode, version, tag, text = row
    return read_stored(episode, version, tag, text, position)


def in_order(entries: Iterable[Entry], after_version: int = 0) -> Iterator[Entry]:
    """Episode by episode, without a gap and with no instant before the last; else the file was changed."""
    version, before = after_version, None
    for entry in entries:
        version = version + 1 if before is None or entry.episode == before.episode else after_version + 1
        late = before is not None and version > after_version + 1 and entry.recorded_at < before.recorded_at
        if entry.version != version or late:
            raise UnreadableEntry(entry.episode, version)
        yield entry
        before = entry
