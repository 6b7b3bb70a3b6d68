"""Facts, lines and entries as values, for tests that need a few of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from commands.door.intake import Line
from ledger.facts.administration import MonthClosed
from ledger.facts.entry import Entry
from ledger.facts.events import (
    DayServed,
    EpisodeOpened,
    Event,
    FactCorrected,
    FactRetracted,
    ServiceBilledSeparately,
)
from ledger.facts.upcasts import SCHEMA
from tests.histories import NORTHSIDE

DAY = date(2026, 11, 2)

SERVED = DayServed(order="RX-1", date=DAY)


def opened(provider: str = NORTHSIDE, patient: str = "P-1") -> EpisodeOpened:
    return EpisodeOpened(patient=patient, provider=provider, zone="America/Chicago")


OPENING = opened()


def retract(id: str, source: str = "chart") -> FactRetracted:
    return FactRetracted(target_source=source, target_id=id, reason="mistaken")


def correct(id: str, fact: Any, source: str = "chart") -> FactCorrected:
    return FactCorrected(target_source=source, target_id=id, reason="mistaken", fact=fact)


def per_diem(billed_by: Any = msgspec.UNSET, code: str = "S9326") -> ServiceBilledSeparately:
    return ServiceBilledSeparately(code=code, from_=DAY, to=DAY, billed_by=billed_by)


def line(id: str, fact: Event, episode: str = "EP-1", number: int = 7, **changes: Any) -> Line:
    said = {"source": "chart", "by": "rn-1", "recorded_at": None} | changes
    return Line(number=number, episode=episode, id=id, fact=fact, **said)


def recorded_before(lines: Iterable[dict[str, Any]]) -> tuple[list[Entry], list[tuple[str, str]]]:
    """Lines as the ledger holds them that were recorded under forms of old; and the patients they name."""
    entries: list[Entry] = []
    for number, told in enumerate(lines, 1):
        fact = msgspec.convert(told["fact"], Event)
        version = 1 + sum(each.episode == told["episode"] for each in entries)
        at = NOON + timedelta(minutes=number)
        identity = told["episode"], version, told["source"], told["id"], told["by"]
        entries.append(Entry(*identity, at, f"{number:032x}", fact, SCHEMA))
    return entries, [(each.fact.patient, each.episode) for each in entries if isinstance(each.fact, EpisodeOpened)]


NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def entry(version: int, episode: str = "EP-1", fact: Event | None = None) -> Entry:
    said = fact or (OPENING if version == 1 else SERVED)
    at = NOON + timedelta(minutes=version)
    return Entry(episode, version, "pump", f"{episode}-{version}", "rn-1", at, f"{version:032x}", said, SCHEMA)


OCTOBER = MonthClosed(
    "2026-10", datetime(2026, 11, 3, 9, tzinfo=UTC), "controller-1", 2, "the book", "0.1.0", "0" * 64, "1" * 32
)
