"""Every episode of a ledger as some kinds of fact alone tell it: to look through all of them without judging any.

Where the entries of these kinds are is found out in one walk through the ledger; then only they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from ledger.facts.entry import Entry, UnreadableEntry
from ledger.facts.liveness import known
from ledger.facts.merges import Merges
from ledger.judge.episode import Episode
from ledger.judge.patients import episode_of
from ledger.store import FEW, EpisodeLedger
from projections.reading.budget import TooCostly
from projections.reading.cohorts import Cohort, cohorts_in, handfuls
from projections.reading.joined import corrects_what_was_left_out, without_all_but
from projections.reading.size import refuse_too_large
from projections.reading.turn import turn


def episodes_by_kinds(
    ledger: EpisodeLedger,
    upto: int,
    known_at: datetime | None,
    kinds: Collection[type[Any]],
    without: Collection[str],
) -> Iterator[list[Episode]]:
    """The episodes as known at an instant, merged patients under the name that stands, cohort by cohort.

    ``kinds`` has what opens an episode. Left out is who has to do with the patients ``without``, and who cannot be
    read: who judges them tells why.
    """
    merges = Merges(known(ledger.merge_entries(upto), known_at))
    without_tags = without_all_but(kinds)
    places = ledger.versions_without(without_tags, upto)
    wanted = (one for one in cohorts_in(ledger, upto) if set(one.patients).isdisjoint(without))

    def wanted_of(one: Cohort) -> int:
        return sum(len(places.get(name, ())) for name in one.episodes)

    for handful in handfuls(_not_too_large(ledger, wanted, upto, wanted_of), FEW, wanted_of):
        turn.take()
        for streams in _read(ledger, handful, places, upto, without_tags):
            folded = (episode_of(name, known(entries, known_at), whole=False) for name, entries in streams)
            episodes = [episode for episode in folded if episode is not None]
            for episode in episodes:
                episode.patient = merges.survivor(episode.patient)
            yield episodes
        turn.give_back()


def _not_too_large(
    ledger: EpisodeLedger, cohorts: Iterable[Cohort], upto: int, wanted_of: Callable[[Cohort], int]
) -> Iterator[Cohort]:
    """Those whose entries there is memory for: who judges the others sets them aside."""
    for one in cohorts:
        try:
            if wanted_of(one) > FEW:
                refuse_too_large(ledger, list(one.episodes), upto)
        except TooCostly:
            continue
        yield one


def _read(
    ledger: EpisodeLedger,
    cohorts: Sequence[Cohort],
    places: Mapping[str, Sequence[int]],
    upto: int,
    without: Collection[str],
) -> Iterator[list[tuple[str, list[Entry]]]]:
    """The entries at some places by episode, of those cohorts that can be read."""
    try:
        found = ledger.entries_at(at for one in cohorts for name in one.episodes for at in _at(name, places))
        read = [
            [(name, _begun(name, [found[at] for at in _at(name, places) if at in found])) for name in one.episodes]
            for one in cohorts
        ]
        for name, entries in chain(*read):
            if corrects_what_was_left_out(entries, without):
                entries[:] = ledger.entries_of(name, upto=upto)
    except UnreadableEntry:
        for one in cohorts if len(cohorts) > 1 else ():
            yield from _read(ledger, [one], places, upto, without)
        return
    yield from read


def _at(episode: str, places: Mapping[str, Sequence[int]]) -> list[tuple[str, int]]:
    return [(episode, version) for version in places.get(episode, ())]


def _begun(episode: str, entries: list[Entry]) -> list[Entry]:
    if entries and entries[0].version > 1:
        raise UnreadableEntry(episode, 1)
    return entries
