"""Every patient complete, in one pass over the ledger, in bounded memory.

Entries come in the order they were recorded, those of one patient scattered among all others. Episodes that ever named
a patient in common are *kin*: they are judged together. The texts of a kin are held back as they pass and handed out as
entries as soon as the last has come, so that only what is under way is held. Where too much would be held (a ledger
whose patients all go on for ever), those that miss most are let go and read by themselves at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from ledger.entry import Entry, UnreadableEntry
from ledger.store import EpisodeLedger, read_episode

HELD_ENTRIES: Final = 200_000
"""How many stored texts one pass holds back at most, by default (about 350 bytes each)."""


class Kin(Struct, gc=False):
    """Episodes that share patients: how many entries each has, and where they begin."""

    episodes: dict[str, int]
    first: int
    missing: int


class _Stream:
    """What has passed of one episode, and how much of its kin is still to come."""

    __slots__ = ("kin", "missing", "tags", "texts")

    def __init__(self, kin: _Passed, missing: int) -> None:
        self.kin, self.missing = kin, missing
        self.tags: list[str] = []
        self.texts: list[str] = []


class _Passed:
    """A kin on its way: its streams, and how many of them are not complete."""

    __slots__ = ("incomplete", "kin", "streams")

    def __init__(self, kin: Kin) -> None:
        self.kin, self.incomplete = kin, len(kin.episodes)
        self.streams = {episode: _Stream(self, missing) for episode, missing in kin.episodes.items()}

    @property
    def held(self) -> int:
        """How many entries have passed."""
        return sum(len(stream.texts) for stream in self.streams.values())


def kin_of(extents: Iterable[tuple[str, str, int, int]]) -> list[Kin]:
    """Kin in the order of their first entries; ``extents`` are (episode, patient, first position, last version)."""
    by_patient: dict[str, Kin] = {}
    by_episode: dict[str, Kin] = {}
    for episode, patient, first, versions in extents:
        one, other = by_patient.get(patient), by_episode.get(episode)
        kin = one or other or Kin({}, first, 0)
        if one and other and one is not other:
            _join(one, other, by_patient, by_episode)
        if episode not in kin.episodes:
            kin.episodes[episode] = versions
            kin.missing += versions
        by_patient[patient] = by_episode[episode] = kin
    unique = {id(kin): kin for kin in by_episode.values()}
    return sorted(unique.values(), key=lambda kin: kin.first)


def _join(kept: Kin, gone: Kin, *tables: dict[str, Kin]) -> None:
    kept.episodes.update(gone.episodes)
    kept.missing += gone.missing
    kept.first = min(kept.first, gone.first)
    for table in tables:
        for key, kin in table.items():
            if kin is gone:
                table[key] = kept


def shares(kin: Sequence[Kin], count: int) -> list[list[Kin]]:
    """The kin in so many parts of about equally many entries, each a stretch of the ledger as narrow as can be."""
    total = sum(one.missing for one in kin)
    parts: list[list[Kin]] = [[] for _ in range(count)]
    seen = 0
    for one in kin:
        parts[min(count - 1, seen * count // max(1, total))].append(one)
        seen += one.missing
    return parts


def complete(
    ledger: EpisodeLedger,
    kin: Sequence[Kin],
    upto: int,
    held_entries: int = HELD_ENTRIES,
    unreadable: Callable[[Iterable[str], UnreadableEntry], None] | None = None,
) -> Iterator[dict[str, list[Entry]]]:
    """The entries of each kin by episode, up to a position.

    An entry that cannot be read raises UnreadableEntry; or, where ``unreadable`` is given, that is told and the kin is
    left out.
    """
    for one in _passing(ledger, kin, upto, held_entries):
        try:
            streams = _entries(ledger, one, upto)
        except UnreadableEntry as error:
            if unreadable is None:
                raise
            unreadable(one.kin.episodes, error)
            continue
        yield streams


def _passing(ledger: EpisodeLedger, kin: Sequence[Kin], upto: int, held_entries: int) -> Iterator[_Passed]:
    """Each kin when the last of its entries has passed; those let go come last, with nothing held."""
    waiting = {episode: stream for one in kin for episode, stream in _Passed(one).streams.items()}
    let_go: list[_Passed] = []
    held = 0
    for page in ledger.pages(kin[0].first - 1 if kin else upto, upto):
        for episode, tag, text in page:
            stream = waiting.get(episode)
            if stream is None:
                continue
            stream.tags.append(tag)
            stream.texts.append(text)
            held += 1
            stream.missing -= 1
            if not stream.missing:
                stream.kin.incomplete -= 1
                if not stream.kin.incomplete:
                    held -= _release(stream.kin, waiting)
                    yield stream.kin
        if held > held_entries:
            held -= _let_go(waiting, let_go, held - held_entries // 2)
        if not waiting:
            break
    yield from let_go


def _release(kin: _Passed, waiting: dict[str, _Stream]) -> int:
    for episode in kin.streams:
        del waiting[episode]
    return kin.held


def _let_go(waiting: dict[str, _Stream], let_go: list[_Passed], wanted: int) -> int:
    """Let those go that miss most, until so many entries are free; returns how many are."""
    begun = {id(stream.kin): stream.kin for stream in waiting.values() if stream.texts}
    freed = 0
    for one in sorted(begun.values(), key=lambda one: one.held - sum(one.kin.episodes.values())):
        if freed >= wanted:
            break
        freed += _release(one, waiting)
        one.streams = {}
        let_go.append(one)
    return freed


def _entries(ledger: EpisodeLedger, one: _Passed, upto: int) -> dict[str, list[Entry]]:
    streams: dict[str, list[Entry]] = {}
    for episode in one.kin.episodes:
        stream = one.streams.get(episode)
        entries = read_episode(episode, stream.tags, stream.texts) if stream else None
        streams[episode] = ledger.entries_of(episode, upto=upto) if entries is None else entries
    return streams
