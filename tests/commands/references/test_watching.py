"""What an episode has named, kept while entries come, is what its live entries name."""

from __future__ import annotations

from random import Random
from unittest.mock import patch

from commands.references import watching
from commands.references.doubts import KnownNames
from commands.references.watching import EpisodeNames
from ledger.facts.entry import Entry
from ledger.facts.events import FactCorrected, FactRetracted
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


def test_names_are_gathered_anew_only_where_something_is_mended() -> None:
    """Else each of thousands of claims would ask for those of all before it."""
    mended = 0
    for seed in range(20):
        entries = [entry for entry in typed(history(Random(seed))[0]) if entry.episode == "E1"]
        mending = sum(isinstance(entry.fact, FactCorrected | FactRetracted) for entry in entries)
        with patch.object(watching, "KnownNames", side_effect=KnownNames) as gathered:
            kept = EpisodeNames()
            for entry in entries:
                kept.take(entry)
                assert kept.names is not None
        assert gathered.call_count <= 1 + mending < len(entries)
        mended += gathered.call_count - 1
    assert mended
