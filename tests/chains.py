"""Entries of one episode, an hour apart, with their corrections and retractions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ledger.facts.entry import Entry
from ledger.facts.events import (
    DayServed,
    EpisodeOpened,
    Event,
    FactCorrected,
    FactRetracted,
    Statement,
)
from ledger.facts.upcasts import SCHEMA

START = datetime(2026, 11, 2, 12, tzinfo=UTC)


OPENING = EpisodeOpened(patient="P-1", provider="1234567893", zone="America/Chicago")


def served(day: int) -> DayServed:
    return DayServed(order="RX-1", date=date(2026, 11, day))


def retracts(target: str) -> FactRetracted:
    return FactRetracted(target_source="s", target_id=target, reason="it never happened")


def corrects(target: str, fact: Statement) -> FactCorrected:
    return FactCorrected(target_source="s", target_id=target, reason="it was otherwise", fact=fact)


def stream(**facts: Event) -> list[Entry]:
    """Entries an hour apart, by their ids."""
    return [
        Entry("EP-1", version, "s", id, "rn-1", START + timedelta(hours=version), "0" * 32, fact, SCHEMA)
        for version, (id, fact) in enumerate(facts.items(), 1)
    ]
