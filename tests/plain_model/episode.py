"""Section 2: one episode as its live entries tell it, with the orders, holds and claims that count."""

from __future__ import annotations

from datetime import date
from typing import Any

from .dates import ONE_DAY, Span, local_date, zone_named
from .entries import Entry, live_entries
from .orders import Orders
from .pairs import alternating

CLAIM = "ClaimSubmitted"


class Episode:
    """What counts of one episode. Of a voided one nothing counts but its claims."""

    def __init__(self, name: str, entries: list[Entry], names: dict[str, str]) -> None:
        self.name = name
        self.entries = entries
        self.live = live_entries(entries)
        opening = next(entry for entry in self.live if entry.type == "EpisodeOpened").fact
        self.patient = names.get(opening["patient"], opening["patient"])
        self.zone = zone_named(opening["zone"])
        self.opened_by: str = opening["provider"]
        self.opened_at_place: str = opening.get("place_of_service", "12")
        self.voided = any(entry.type == "EpisodeVoided" for entry in self.live)
        self.counting = [entry for entry in self.live if not self.voided or entry.type == CLAIM]
        self.orders = Orders(self.all("TherapyOrdered"), self.all("TherapyStopped"))
        self.resolutions = {entry.date(): entry for entry in self.all("ConflictResolved")}

    def all(self, fact_type: str) -> list[Entry]:
        """All entries of a type that count, in the order recorded."""
        return [entry for entry in self.counting if entry.type == fact_type]

    def resolution(self, day: date) -> Entry | None:
        """The `ConflictResolved` for the date that was recorded last."""
        return self.resolutions.get(day)

    def provider(self, day: date) -> str:
        """Of the `ProviderChanged` up to the date the latest `from`, then recorded last; else the opening's."""
        changed = [entry for entry in self.all("ProviderChanged") if entry.date("from") <= day]
        if not changed:
            return self.opened_by
        return str(max(changed, key=lambda entry: (entry.date("from"), entry.version)).fact["provider"])

    def place(self, day: date) -> str:
        """The place a `DayServed` of the date names, recorded last; else a `DaysServed`; else the episode's."""
        single = [entry for entry in self.all("DayServed") if entry.date() == day]
        spans = [entry for entry in self.all("DaysServed") if entry.span().covers(day)]
        for served in (single, spans):
            places = [entry.fact["place_of_service"] for entry in served if "place_of_service" in entry.fact]
            if places:
                return str(places[-1])
        return self.opened_at_place

    def told_rank(self, day: date) -> int | None:
        """The rank of the `TherapyRanked` recorded last of those that cover the date."""
        ranks = [int(entry.fact["rank"]) for entry in self.all("TherapyRanked") if entry.span().covers(day)]
        return ranks[-1] if ranks else None

    def holds(self) -> list[Span]:
        """Held dates: from a group's earliest `from` up to but not including its latest `date`."""
        spans = []
        for held, resumed in self.hold_groups()[0]:
            last = max((entry.date() for entry in resumed), default=None)
            spans.append(Span(min(entry.date("from") for entry in held), None if last is None else last - ONE_DAY))
        return spans

    def unmatched_resumptions(self) -> list[Entry]:
        """Every `TherapyResumed` that belongs to no hold."""
        return self.hold_groups()[1]

    def hold_groups(self) -> tuple[list[tuple[list[Entry], list[Entry]]], list[Entry]]:
        """The holds and resumptions of each number, read in turn by date, and the resumptions left over."""
        return alternating(
            [(entry.fact["hold"], entry.date("from"), entry) for entry in self.all("TherapyHeld")],
            [(entry.fact["hold"], entry.date(), entry) for entry in self.all("TherapyResumed")],
        )

    def claims_that_count(self) -> dict[str, Entry]:
        """Of several claims of one number the one recorded last, by the first entry of its chain."""
        in_order = sorted(self.all(CLAIM), key=lambda entry: entry.chain)
        return {entry.fact["claim"]: entry for entry in in_order}

    def live_claims(self) -> list[Entry]:
        """Section 5: the claims that were neither replaced nor voided, nor told a second time as a replacement."""
        counting = list(self.claims_that_count().values())
        changing = [entry for entry in counting if entry.fact["frequency"] in ("7", "8")]
        return [claim for claim in counting if claim.fact["frequency"] != "8" and not any_takes(changing, claim)]

    def claim_date(self, claim: Entry) -> date:
        """`sent_on`, else the local date on which the first entry of its chain was recorded."""
        if "sent_on" in claim.fact:
            return claim.date("sent_on")
        assert claim.chain_recorded_at is not None
        return local_date(claim.chain_recorded_at, self.zone)


def any_takes(changing: list[Entry], claim: Entry) -> bool:
    """Does a replacement or void name the claim, or a later one the same claim as this replacement does?"""
    named: dict[str, Any] = claim.fact
    for other in changing:
        if other.fact["claim"] == named["claim"]:
            continue
        if other.fact.get("replaces") == named["claim"]:
            return True
        again = named["frequency"] == "7" and "replaces" in named and other.fact.get("replaces") == named["replaces"]
        if again and other.chain > claim.chain:
            return True
    return False
