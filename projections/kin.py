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
    """Episodes that share patients: how many entries each has, where they begin, and what has passed of them."""

    episodes: dict[str, int]
    first: int
    missing: int
    tags: dict[str, list[str]]
    texts: dict[str, list[str]]

    @property
    def held(self) -> int:
        """How many entries have passed."""
        return sum(map(len, self.tags.values()))


def kin_of(extents: Iterable[tuple[str, str, int, int]]) -> list[Kin]:
    """Kin in the order of their first entries; ``extents`` are (episode, patient, first position, last version)."""
    by_patient: dict[str, Kin] = {}
    by_episode: dict[str, Kin] = {}
    for episode, patient, first, versions in extents:
        one, other = by_patient.get(patient), by_episode.get(episode)
        kin = one or other or Kin({}, first, 0, {}, {})
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
            unreadable(one.episodes, error)
            continue
        yield streams


def _passing(ledger: EpisodeLedger, kin: Sequence[Kin], upto: int, held_entries: int) -> Iterator[Kin]:
    """Each kin when the last of its entries has passed; those let go come last, with nothing held."""
    waiting = {episode: one for one in kin for episode in one.episodes}
    let_go: list[Kin] = []
    held = 0
    for page in ledger.pages(kin[0].first - 1 if kin else upto, upto):
        for episode, tag, text in page:
            one = waiting.get(episode)
            if one is None:
                continue
            if episode in one.texts:
                one.texts[episode].append(text)
                one.tags[episode].append(tag)
            else:
                one.texts[episode], one.tags[episode] = [text], [tag]
            one.missing -= 1
            held += 1
            if not one.missing:
                held -= _release(one, waiting)
                yield one
        if held > held_entries:
            held -= _let_go(waiting, let_go, held - held_entries // 2)
        if not waiting:
            break
    yield from let_go


def _release(kin: Kin, waiting: dict[str, Kin]) -> int:
    for episode in kin.episodes:
        del waiting[episode]
    return kin.held


def _let_go(waiting: dict[str, Kin], let_go: list[Kin], wanted: int) -> int:
    """Let those go that miss most, until so many entries are free; returns how many are."""
    begun = {id(kin): kin for kin in waiting.values() if kin.texts}
    freed = 0
    for kin in sorted(begun.values(), key=lambda kin: -kin.missing):
        if freed >= wanted:
            break
        freed += _release(kin, waiting)
        kin.texts, kin.tags = {}, {}
        let_go.append(kin)
    return freed


def _entries(ledger: EpisodeLedger, kin: Kin, upto: int) -> dict[str, list[Entry]]:
    streams: dict[str, list[Entry]] = {}
    for episode in kin.episodes:
        entries = read_episode(episode, kin.tags[episode], kin.texts[episode]) if kin.texts else None
        streams[episode] = ledger.entries_of(episode, upto=upto) if entries is None else entries
    kin.texts, kin.tags = {}, {}
    return streams
