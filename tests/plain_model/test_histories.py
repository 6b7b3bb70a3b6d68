"""The random histories: the door would take every entry, and together they reach every verdict and every finding."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.histories import LAKESIDE, NORTHSIDE, history
from tests.histories.teller import LOOKING_BACK
from tests.plain_model.reach import expected, reached_by
from tests.tiers import many

AN_HOUR = timedelta(hours=1)


def fact_of(entry: dict[str, Any]) -> dict[str, Any]:
    """The fact itself, of a correction the right one."""
    found: dict[str, Any] = entry["fact"].get("fact", entry["fact"])
    return found


def told_ahead(entry: dict[str, Any], zones: set[str]) -> bool:
    """Does the fact lie ahead of its recording, in one of the zones the episode ever had?"""
    fact, at = fact_of(entry), datetime.fromisoformat(entry["recorded_at"])
    names = ["signed_on", "sent_on", LOOKING_BACK.get(fact["type"])]
    said = [fact[name] for name in names if name in fact]
    today = min(at.astimezone(ZoneInfo(zone)).date() for zone in zones)
    return any(datetime.fromisoformat(text) > at + AN_HOUR if "T" in text else text > str(today) for text in said)


def too_long(span: dict[str, Any]) -> bool:
    """Is it a span of more than 366 days, or one that ends before it begins?"""
    last = date.fromisoformat(span.get("to", span["from"]))
    return not 0 <= (last - date.fromisoformat(span["from"])).days <= 365


@pytest.mark.parametrize("seed", range(200))
def test_the_door_would_take_every_entry_of_a_history(seed: int) -> None:
    entries, _ = history(Random(seed), house=True)
    assert [entry["recorded_at"] for entry in entries] == sorted(entry["recorded_at"] for entry in entries)
    earlier: dict[str, dict[tuple[str, str], Any]] = {}
    zones: dict[str, set[str]] = {}
    for entry in entries:
        fact, own = fact_of(entry), earlier.setdefault(entry["episode"], {})
        if entry["episode"]:
            assert ("zone" in fact and entry["fact"] is fact) == (not own)
            zones.setdefault(entry["episode"], set()).update({fact["zone"]} if "zone" in fact else ())
            assert not told_ahead(entry, zones[entry["episode"]]), entry
        if "target_id" in entry["fact"]:
            target = own[entry["fact"]["target_source"], entry["fact"]["target_id"]]
            assert entry["fact"]["type"] == "FactRetracted" or target["type"] != "FactRetracted"
        if fact["type"] in ("DaysServed", "DrugBilledSeparately", "ServiceBilledSeparately"):
            assert not too_long(fact)
        assert not any(too_long(line) for line in fact.get("lines", []))
        if fact["type"] == "ServiceBilledSeparately" and "S9325" <= fact["code"] <= "S9328":
            assert fact["billed_by"] not in (NORTHSIDE, LAKESIDE)
        assert (entry["source"], entry["id"]) not in own
        own[entry["source"], entry["id"]] = entry["fact"]


def test_the_house_merges_only_what_it_may() -> None:
    acts = 0
    for seed in range(100):
        into: dict[str, str] = {}
        for entry in history(Random(seed), house=True)[0]:
            fact = entry["fact"]
            if fact["type"] == "PatientsMerged":
                name = fact["into"]
                while name in into:
                    name = into[name]
                assert name != fact["patient"]
                assert fact["patient"] not in into
                into[fact["patient"]] = fact["into"]
                acts += 1
            elif fact["type"] == "PatientsParted":
                del into[fact["patient"]]
                acts += 1
    assert acts > 50


def test_without_the_house_every_entry_has_an_episode() -> None:
    assert all(entry["episode"] for seed in range(50) for entry in history(Random(seed))[0])


def test_every_verdict_and_every_finding_is_reached() -> None:
    """`python -m tests.plain_model.reach --seeds 3000` prints how often."""
    reached = reached_by(range(many(250, 1000)))
    assert [key for key in expected() if not reached[key]] == []
    assert reached.keys() <= set(expected())
