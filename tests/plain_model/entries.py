"""Section 2: entries, the chains they make, and which of them are live."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from .dates import Span, a_date, instant, optional_date

HOUSE = ""
"""The episode of an act of the house: recorded under no episode."""


@dataclass(frozen=True)
class Entry:
    """One entry; of a correction that stands in, `fact` is the right fact, and `chain` is where its chain began."""

    episode: str
    version: int
    source: str
    id: str
    recorded_at: datetime
    fact: dict[str, Any]
    chain: int = 0
    chain_recorded_at: datetime | None = None

    @property
    def type(self) -> str:
        """The name of the fact."""
        return str(self.fact["type"])

    @property
    def identity(self) -> tuple[str, str]:
        """What names this entry within its episode."""
        return self.source, self.id

    @property
    def target(self) -> tuple[str, str]:
        """The identity that a retraction or correction names."""
        return self.fact["target_source"], self.fact["target_id"]

    @property
    def across(self) -> tuple[datetime, str, int]:
        """How *recorded last* goes for facts that count in every episode of the patient."""
        return self.recorded_at, self.episode, self.version

    def date(self, field: str = "date") -> date:
        """A date field of the fact."""
        return a_date(self.fact[field])

    def span(self) -> Span:
        """`from`..`to`, open where `to` is absent."""
        return Span(a_date(self.fact["from"]), optional_date(self.fact.get("to")))

    def billed_span(self) -> Span:
        """`from`..`to`, one day where `to` is absent (the two Billed facts)."""
        return Span(a_date(self.fact["from"]), a_date(self.fact.get("to", self.fact["from"])))


def known_entries(lines: list[dict[str, Any]], until: datetime | None) -> dict[str, list[Entry]]:
    """The entries by episode as the ledger stood at `until`; the version is the place within the episode."""
    known: dict[str, list[Entry]] = {}
    for line in lines:
        recorded_at = instant(line["recorded_at"])
        if until is None or recorded_at <= until:
            own = known.setdefault(line["episode"], [])
            own.append(Entry(line["episode"], len(own) + 1, line["source"], line["id"], recorded_at, line["fact"]))
    return known


def live_entries(entries: list[Entry]) -> list[Entry]:
    """The live facts and acts of one episode, in order; retractions have done their work and are left out."""
    retracted: set[tuple[str, str]] = set()
    for entry in reversed(entries):  # a retraction can only be undone by a later one, so the last ones are certain
        if entry.type == "FactRetracted" and entry.identity not in retracted:
            retracted.add(entry.target)

    began: dict[tuple[str, str], Entry] = {}
    stands: dict[int, Entry] = {}
    for entry in entries:
        if entry.type == "FactRetracted":
            continue
        first = began[entry.target] if entry.type == "FactCorrected" else entry
        began[entry.identity] = first
        if entry.identity not in retracted:
            stands[first.version] = in_chain(entry, first)  # the last one written here is the one recorded last
    return sorted(stands.values(), key=lambda entry: entry.version)


def in_chain(entry: Entry, first: Entry) -> Entry:
    """The entry at its own place in the order, with the fact it brings and the place its chain began at."""
    return replace(entry, fact=told_fact(entry), chain=first.version, chain_recorded_at=first.recorded_at)


def told_fact(entry: Entry) -> dict[str, Any]:
    """The fact itself, of a correction the right one."""
    fact: dict[str, Any] = entry.fact["fact"] if entry.type == "FactCorrected" else entry.fact
    return fact
