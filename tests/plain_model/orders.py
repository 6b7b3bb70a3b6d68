"""Section 2, *Orders*: on which dates an order is in force, and which of its tellings counts."""

from __future__ import annotations

from datetime import date

from .dates import ONE_DAY, Span
from .entries import Entry


class Telling:
    """One `TherapyOrdered`, ended by every stop of its order that lies on its `from` or after."""

    def __init__(self, entry: Entry, stops: list[date]) -> None:
        self.version = entry.version
        self.mode = str(entry.fact["mode"])
        self.interval_hours = int(entry.fact.get("interval_hours", 24))
        self.signed_on = entry.date("signed_on") if "signed_on" in entry.fact else None
        self.first = entry.date("from")
        self.span: Span = entry.span()
        for stop in stops:
            if self.first <= stop:
                self.span = self.span.cut(stop)


class Orders:
    """The orders of an episode, by the name each goes by."""

    def __init__(self, ordered: list[Entry], stopped: list[Entry]) -> None:
        self.tellings: dict[str, list[Telling]] = {}
        self.known: dict[tuple[str, date], Telling | None] = {}
        for entry in ordered:
            name = entry.fact["order"]
            stops = [stop.date() for stop in stopped if stop.fact["order"] == name]
            self.tellings.setdefault(name, []).append(Telling(entry, stops))

    def froms(self) -> list[date]:
        """The `from` of every telling."""
        return [telling.first for tellings in self.tellings.values() for telling in tellings]

    def telling(self, name: str, day: date) -> Telling | None:
        """Of the tellings that cover the date and are not ended before it, the one recorded last."""
        if (name, day) not in self.known:
            covering = [telling for telling in self.tellings.get(name, []) if telling.span.covers(day)]
            self.known[name, day] = max(covering, key=lambda telling: telling.version, default=None)
        return self.known[name, day]

    def in_force(self, day: date) -> dict[str, Telling]:
        """The orders in force on the date, each with the telling that counts."""
        found = {name: self.telling(name, day) for name in self.tellings}
        return {name: telling for name, telling in found.items() if telling is not None}

    def begins(self, name: str, day: date) -> bool:
        """Is it in force on the date, but not the day before?"""
        return self.telling(name, day) is not None and self.telling(name, day - ONE_DAY) is None

    def ends(self, name: str, day: date) -> bool:
        """Is it in force on the date, but not the day after?"""
        return self.telling(name, day) is not None and self.telling(name, day + ONE_DAY) is None

    def interval_for_access(self, name: str, e: date) -> int:
        """Section 4, *access*: the hours between doses on the date of the evidence."""
        counting = self.telling(name, e)
        if counting is not None:
            return counting.interval_hours
        tellings = self.tellings.get(name, [])
        before = [telling for telling in tellings if telling.first < e]
        if before:
            return max(before, key=lambda telling: (telling.first, telling.version)).interval_hours
        if tellings:
            return min(tellings, key=lambda telling: (telling.first, -telling.version)).interval_hours
        return 24
