"""Every patient complete, cohort by cohort, in bounded memory.

Episodes that ever named a patient in common are one *cohort*: they are judged together. Each episode is read as one
row by the ledger's own index, a thousand entries' worth of episodes at a time, in the order in which they began:
those that ran at the same time lie side by side. An episode whose row is not as it should be is read one by one, which
says what is wrong and where. Of what the judge never reads (supplies, notes) a rebuild sees the tags alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry, UnreadableEntry
from ledger.facts.stored import JoinedEntries
from ledger.store import FEW, EpisodeLedger
from projections.reading.budget import TooCostly
from projections.reading.joined import UNREAD, as_rows, entries_seen_in
from projections.reading.size import MANY, refuse_too_large, refuse_too_large_rows
from projections.reading.turn import turn

ENTRIES_AT_ONCE: Final = 500
"""How many entries are read ahead, about, by whole cohorts: one over the wire costs more than many, many get cold. So
many of the longest take 32 MB; reading 4,000 at once is no faster."""
TOGETHER_ENTRIES: Final = 5_000
"""Cohorts with so many entries, at most, are given together."""
TOGETHER_BYTES: Final = 2**21
"""And with texts of so many bytes, which take six times as much as entries; a larger cohort is given alone."""


class Cohort(Struct, gc=False):
    """Episodes that share patients: how many entries each has, how many all have, and where they begin."""

    episodes: dict[str, int]
    patients: list[str]
    first: int
    entries: int


ByEpisode = dict[str, list[Entry]]
"""The entries of some episodes, each episode's by version."""

Extent = tuple[str, str, int, int]
"""An episode and a patient it ever named, the episode's first position and its last version."""


def cohorts_in(ledger: EpisodeLedger, upto: int) -> list[Cohort]:
    """All cohorts of a ledger up to a position."""
    extents = ledger.extents(upto)
    counted = sum({episode: versions for episode, _, _, versions in extents}.values())
    if counted + ledger.count_of_unjudged(upto) != upto:  # positions have no gaps: something is gone
        extents += _without_beginning(ledger, upto, {extent[0] for extent in extents})
    return cohorts_of(extents)


def _without_beginning(ledger: EpisodeLedger, upto: int, known: set[str]) -> Iterator[Extent]:
    """Episodes whose first entry is gone: listed all the same, so that whoever reads them stops there."""
    for episode, last in ledger.versions_since(0):
        if episode in known:
            continue
        try:
            began = bool(ledger.entries_of(episode, upto=upto))
        except UnreadableEntry:
            began = True
        if began:
            patients = ledger.patients_of(episode)
            if not patients:
                raise UnreadableEntry(episode, 1)
            yield from ((episode, patient, 1, last) for patient in patients)


def cohorts_of(extents: Iterable[Extent]) -> list[Cohort]:
    """Cohorts in the order of their first entries."""
    by_patient: dict[str, Cohort] = {}
    by_episode: dict[str, Cohort] = {}
    for episode, patient, first, versions in extents:
        one, other = by_patient.get(patient), by_episode.get(episode)
        cohort = one or other or Cohort({}, [], first, 0)
        if one and other and one is not other:
            cohort = _joined(one, other, by_patient, by_episode)
        if episode not in cohort.episodes:
            cohort.episodes[episode] = versions
            cohort.entries += versions
        if patient not in by_patient:
            cohort.patients.append(patient)
        by_patient[patient] = by_episode[episode] = cohort
    unique = {id(cohort): cohort for cohort in by_episode.values()}
    return sorted(unique.values(), key=lambda cohort: cohort.first)


def _joined(one: Cohort, other: Cohort, by_patient: dict[str, Cohort], by_episode: dict[str, Cohort]) -> Cohort:
    """Both as one; the smaller goes into the larger, so that long chains stay cheap."""
    gone, kept = sorted((one, other), key=lambda cohort: len(cohort.episodes) + len(cohort.patients))
    kept.episodes.update(gone.episodes)
    kept.patients += gone.patients
    kept.entries += gone.entries
    kept.first = min(kept.first, gone.first)
    by_patient.update(dict.fromkeys(gone.patients, kept))
    by_episode.update(dict.fromkeys(gone.episodes, kept))
    return kept


def shares(cohorts: Sequence[Cohort], count: int, ahead: int = 0) -> list[list[Cohort]]:
    """The cohorts in so many parts, each a stretch of the ledger as narrow as can be.

    They are of about equally many entries, but that the first has so many more than each of the others.
    """
    total = sum(one.entries for one in cohorts)
    first = (total + ahead * (count - 1)) // count
    parts: list[list[Cohort]] = [[] for _ in range(count)]
    seen = 0
    for one in cohorts:
        after = 1 + (seen - first) * (count - 1) // max(1, total - first)
        parts[0 if seen < first else min(count - 1, after)].append(one)
        seen += one.entries
    return parts


def complete(
    ledger: EpisodeLedger,
    cohorts: Iterable[Cohort],
    upto: int,
    unreadable: Callable[[Cohort, UnreadableEntry], None] | None = None,
    *,
    whole: bool = True,
    without: Collection[str] = UNREAD,
) -> Iterator[ByEpisode]:
    """The entries of each cohort by episode, up to a position; where not ``whole``, without those nobody judges by, or
    without others.

    An entry that cannot be read raises UnreadableEntry, and a cohort that is too large to be read TooCostly, which is
    one; or, where ``unreadable`` is given, that is told and the cohort is left out.
    """
    return (streams for streams, _ in _read(ledger, cohorts, upto, unreadable, frozenset() if whole else without))


def complete_together(
    ledger: EpisodeLedger,
    cohorts: Iterable[Cohort],
    upto: int,
    unreadable: Callable[[Cohort, UnreadableEntry], None],
) -> Iterator[list[ByEpisode]]:
    """What ``complete`` gives without what nobody judges by, several cohorts at a time as far as they are small."""
    return together(_read(ledger, cohorts, upto, unreadable, UNREAD))


def together(cohorts: Iterable[tuple[ByEpisode, int]]) -> Iterator[list[ByEpisode]]:
    """The entries of several cohorts at a time, each given with how many bytes its texts have."""
    some: list[ByEpisode] = []
    entries = size = 0
    for streams, text_bytes in cohorts:
        own = sum([len(theirs) for name, theirs in streams.items() if name != HOUSE])
        if some and (entries + own > TOGETHER_ENTRIES or size + text_bytes > TOGETHER_BYTES):
            yield some
            some, entries, size = [], 0, 0
        some.append(streams)
        entries, size = entries + own, size + text_bytes
    if some:
        yield some


def _read(
    ledger: EpisodeLedger,
    cohorts: Iterable[Cohort],
    upto: int,
    unreadable: Callable[[Cohort, UnreadableEntry], None] | None,
    without: Collection[str],
) -> Iterator[tuple[ByEpisode, int]]:
    """What ``complete`` gives, with how many bytes the texts of each cohort have as they were read."""
    merges = ledger.merge_entries(upto)
    acts = {HOUSE: merges} if merges else {}
    for handful in handfuls(_not_too_large(ledger, cohorts, upto, unreadable), ENTRIES_AT_ONCE):
        turn.take()
        rows = as_rows(ledger, [episode for one in handful for episode in one.episodes], upto, without)
        for one in handful:
            found = [(rows.pop(episode, None), episode, versions) for episode, versions in one.episodes.items()]
            try:
                if FEW < one.entries <= MANY:
                    refuse_too_large_rows(ledger, list(one.episodes), [row for row, *_ in found], upto, without)
                streams, size = _entries(ledger, found, upto, without)
            except UnreadableEntry as error:
                if unreadable is None:
                    raise
                unreadable(one, error)
                continue
            del found
            yield streams | acts, size
        turn.give_back()


def _entries(
    ledger: EpisodeLedger,
    found: Iterable[tuple[JoinedEntries | None, str, int]],
    upto: int,
    without: Collection[str],
) -> tuple[ByEpisode, int]:
    """The entries of a cohort, and how many bytes their texts have; enough for it to be given alone, where they were
    read one by one."""
    streams: ByEpisode = {}
    size = 0
    for row, episode, versions in found:
        seen = entries_seen_in(row, versions, without) if row else None
        streams[episode] = ledger.entries_of(episode, upto=upto) if seen is None else seen
        size += len(row.texts) if row and seen is not None else TOGETHER_BYTES
    return streams, size


def _not_too_large(
    ledger: EpisodeLedger,
    cohorts: Iterable[Cohort],
    upto: int,
    unreadable: Callable[[Cohort, UnreadableEntry], None] | None,
) -> Iterator[Cohort]:
    """Those whose entries there is memory for, as far as that has to be known before they are read."""
    for one in cohorts:
        try:
            if one.entries > MANY:
                refuse_too_large(ledger, list(one.episodes), upto)
        except TooCostly as error:
            if unreadable is None:
                raise
            unreadable(one, error)
            continue
        yield one


def handfuls(
    cohorts: Iterable[Cohort], most: int, wanted_of: Callable[[Cohort], int] = lambda one: one.entries
) -> Iterator[list[Cohort]]:
    """The cohorts, as many at a time as have so many entries that are wanted of them; or one that has more."""
    handful: list[Cohort] = []
    entries = 0
    for one in cohorts:
        wanted = wanted_of(one)
        if handful and entries + wanted > most:
            yield handful
            handful, entries = [], 0
        handful.append(one)
        entries += wanted
    if handful:
        yield handful
