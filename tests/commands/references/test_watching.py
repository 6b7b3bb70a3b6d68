"""What an episode has named, kept while entries come, is what its live entries name."""

from __future__ import annotations

from random import Random

from commands.references.doubts import KnownNames
from commands.references.watching import EpisodeNames
from ledger.facts.entry import Entry
from ledger.facts.liveness import live_entries
from tests.harness import typed
from tests.histories import history


def test_names_that_are_kept_are_those_of_the_live_entries_after_each_entry() -> None:
    more = fewer = 0
    for seed in range(60):
        streams: dict[str, list[Entry]] = {}
        for entry in typed(history(Random(seed))[0]):
            streams.setdefault(entry.episode, []).append(entry)
        for entries in streams.values():
            kept, before = EpisodeNames(), 0
            for number, entry in enumerate(entries, 1):
                kept.take(entry)
                anew = KnownNames(live.fact for live in live_entries(entries[:number]))
                assert all(getattr(kept.names, each) == getattr(anew, each) for each in KnownNames.__slots__)
                count = sum(len(getattr(anew, each)) for each in KnownNames.__slots__)
                more, fewer, before = more + (count > before), fewer + (count < before), count
    assert more > 100
    assert fewer > 10
