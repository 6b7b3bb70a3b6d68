"""What an episode has named, kept while entries come, is what its live entries name."""

from __future__ import annotations

from random import Random
from typing import Any
from unittest.mock import patch

from commands.references.doubts import KnownNames
from commands.references.named import EpisodeNames
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


def told(rng: Random) -> dict[str, Any]:
    """A fact that names something, or one that names nothing."""
    name, on = rng.choice("AB"), f"2026-03-0{rng.randint(1, 9)}"
    order = {"type": "TherapyOrdered", "order": name, "mode": "continuous", "from": on, "prescriber": "1234567893"}
    coverage = {"member": "M-1", "rank": 1, "from": on, "to": "2026-12-31"}
    return rng.choice([
        order, order | {"signed_on": on}, {"type": "CoverageVerified", "payer": name} | coverage,
        {"type": "CoverageEnded", "payer": name, "last_date": on}, {"type": "DayServed", "order": name, "date": on},
        {"type": "TherapyHeld", "hold": name, "from": on},
    ])  # fmt: skip


def mended_at_random(rng: Random, count: int) -> list[Entry]:
    """An episode in which any entry is corrected, to another type too, or retracted, any retraction likewise."""
    opening = {"type": "EpisodeOpened", "patient": "P-1", "provider": "1234567893", "zone": "America/New_York"}
    facts: list[dict[str, Any]] = [opening]
    for number in range(1, count):
        fact, earlier = told(rng), rng.randrange(number)
        mending = {"target_source": "s", "target_id": f"e{earlier}", "reason": "r"}
        kind = rng.choice(["told", "corrected", "retracted"]) if earlier else "told"
        if kind == "retracted" or (kind == "corrected" and facts[earlier]["type"] == "FactRetracted"):
            fact = mending | {"type": "FactRetracted"}  # a retraction is not corrected
        elif kind == "corrected":
            fact = mending | {"type": "FactCorrected", "fact": fact}
        facts.append(fact)
    about = {"episode": "E1", "source": "s", "by": "b", "recorded_at": "2026-04-01T00:00:00Z"}
    return typed([{**about, "id": f"e{number}", "fact": fact} for number, fact in enumerate(facts)])


def test_so_they_are_whatever_is_corrected_to_another_type_retracted_and_brought_back() -> None:
    for seed in range(150):
        kept, entries = EpisodeNames(), mended_at_random(Random(seed), 25)
        for number, entry in enumerate(entries, 1):
            kept.take(entry)
            anew = KnownNames(live.fact for live in live_entries(entries[:number]))
            assert [getattr(kept.names, each) for each in KnownNames.__slots__] == [
                getattr(anew, each) for each in KnownNames.__slots__
            ], (seed, number)


def test_nothing_is_gathered_anew_whatever_comes() -> None:
    """Else each of thousands of claims or of corrected orders would ask for all before it."""
    entries = mended_at_random(Random(7), 1_000)
    with patch.object(KnownNames, "take", autospec=True, side_effect=KnownNames.take) as took:
        kept = EpisodeNames()
        for entry in entries:
            kept.take(entry)
    assert took.call_count < 2 * len(entries)


def test_retractions_of_retractions_may_go_on_for_long() -> None:
    about = {"episode": "E1", "source": "s", "by": "b", "recorded_at": "2026-04-01T00:00:00Z"}
    held: dict[str, Any] = {"type": "TherapyHeld", "hold": "H-1", "from": "2026-03-01"}
    retract = {"type": "FactRetracted", "target_source": "s", "reason": "r"}
    facts = [held, *(retract | {"target_id": f"e{number}"} for number in range(1_500))]
    kept = EpisodeNames()
    for number, entry in enumerate(typed([{**about, "id": f"e{at}", "fact": fact} for at, fact in enumerate(facts)])):
        kept.take(entry)
        assert ("H-1" in kept.names.holds) is (number % 2 == 0)
