"""The entries of a ledger in the order of an archive: by bucket, patient, episode and version.

They are read as a rebuild reads them, by the ledger's own index, a few episodes at a time: nothing has to be put in
order in memory but who is where, and each bucket lies together in one file, or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from ledger.facts.stored import StoredRow
from ledger.recorders.protocol import Entries
from ledger.store import EpisodeLedger
from projections.archive.reading import bucket_of

ENTRIES_AT_ONCE: Final = 320
"""How many entries are read at once, about; of the longest that the door takes so many have 21 MB."""


class Place(NamedTuple):
    """Where an episode's entries stand in an archive, under one of its patients; and how many they should be."""

    bucket: int
    mark: str
    episode: str
    versions: int


class NotAsCounted(Exception):
    """The ledger has other entries than its episodes say: they are to be looked through one by one."""


def places_in(ledger: EpisodeLedger, upto: int, buckets: int, mark: Callable[[str], str]) -> list[Place]:
    """Where every entry up to a position stands, in order."""
    marks: dict[str, tuple[int, str]] = {}
    found: list[Place] = []
    for episode, patient, _, versions in ledger.extents(upto):
        if patient not in marks:
            theirs = mark(patient)
            marks[patient] = bucket_of(theirs, buckets), theirs
        found.append(Place(*marks[patient], episode, versions))
    found.sort()
    return [place for place, _ in groupby(found)]  # merged patients' episodes come more than once


def check_counted(ledger: EpisodeLedger, places: Iterable[Place], upto: int) -> None:
    """NotAsCounted unless every position up to one is an entry of these episodes, an act of the house or forgotten."""
    counted = sum({place.episode: place.versions for place in places}.values())
    if counted + ledger.count_of_unjudged(upto) != upto:  # positions have no gaps
        raise NotAsCounted


def rows_by_place(stored: Entries, places: Iterable[Place], upto: int) -> Iterator[tuple[Place, Iterable[StoredRow]]]:
    """The entries of each place; NotAsCounted where they are not as many as they should be."""
    for handful in _handfuls(places):
        if handful[0].versions > ENTRIES_AT_ONCE:
            yield handful[0], _stretch_by_stretch(stored, handful[0], upto)
            continue
        by_episode: dict[str, list[StoredRow]] = {place.episode: [] for place in handful}
        for row in stored.rows_of(by_episode, 0, upto):
            by_episode[row[1]].append(row)
        for place in handful:
            if len(by_episode[place.episode]) != place.versions:
                raise NotAsCounted
            yield place, by_episode[place.episode]


def _stretch_by_stretch(stored: Entries, place: Place, upto: int) -> Iterator[StoredRow]:
    """The entries of one episode, a stretch of versions at a time."""
    for first in range(1, place.versions + 1, ENTRIES_AT_ONCE):
        versions = range(first, min(first + ENTRIES_AT_ONCE, place.versions + 1))
        found = [row for row in stored.rows_at([(place.episode, version) for version in versions]) if row[0] <= upto]
        if len(found) != len(versions):
            raise NotAsCounted
        yield from sorted(found, key=itemgetter(2))


def _handfuls(places: Iterable[Place]) -> Iterator[list[Place]]:
    handful: list[Place] = []
    entries = 0
    for place in places:
        if handful and entries + place.versions > ENTRIES_AT_ONCE:
            yield handful
            handful, entries = [], 0
        handful.append(place)
        entries += place.versions
    if handful:
        yield handful
