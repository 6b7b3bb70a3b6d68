"""When entries of some episodes were recorded that change days, and from which date on they do."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ledger.day_set import OPEN_END, Calendar
from ledger.facts import events as ev
from ledger.facts.entry import Entry
from ledger.judge.episode import Episode
from ledger.judge.fold import MENDING
from ledger.judge.touched import (
    SPEAKS_FROM,
    Chains,
    chains_of,
    first_dates_of_runs,
    first_of_hospital,
    is_inert,
    touched_from,
)
from projections.reading.unjudged import Streams


class Changes(NamedTuple):
    """Of an episode's entries that change days when each was recorded, and the first date that any from there on can
    change. The first of them can change any date, or nothing is asked of what was before it; or else the episode never
    told anything of any date until one."""

    since: list[datetime]
    first: list[int]
    silent_until: int


class Touches:
    """What entries of some episodes change, found from the last one back, once for each episode."""

    def __init__(self, streams: Streams, asked_from: datetime | None) -> None:
        self.streams, self.asked_from = streams, asked_from
        self._episodes: dict[str, tuple[Episode, Calendar]] = {}
        self._changes: dict[str, Changes] = {}
        self._chains: dict[str, Chains] = {}
        self._runs: dict[str, dict[int, int]] = {}
        self._hospital_from: int | None = None

    def take(self, episode: Episode, calendar: Calendar) -> None:
        """Take an episode in, as it is known."""
        self._episodes[episode.name] = episode, calendar
        self._changes.clear()
        self._hospital_from = None

    def changes_of(self, name: str) -> Changes:
        """What the entries of an episode change."""
        if name not in self._changes:
            known = self._episodes.get(name)
            self._changes[name] = self._found(name, *known) if known else self._unknown(name)
        return self._changes[name]

    def _found(self, name: str, episode: Episode, calendar: Calendar) -> Changes:
        since, firsts, silent_until = list[datetime](), list[int](), 0
        first, speaks_from = (calendar.last + 1, SPEAKS_FROM) if calendar.every else (OPEN_END, {})
        for entry in reversed(self.streams[name]):
            if not first or (self.asked_from and entry.recorded_at <= self.asked_from):
                break
            fact = entry.fact
            if speaks := speaks_from.get(type(fact)):
                first = min(first, speaks(fact))
            elif entry.version == 1:
                silent_until = first - 1  # its opening, which adds no day
                break
            elif is_inert(fact):
                continue
            else:
                first = min(first, self._touched_from(entry, episode, calendar) or 0)
            since.append(entry.recorded_at)
            firsts.append(first)
        return Changes(since[::-1], firsts[::-1], silent_until)

    def _unknown(self, name: str) -> Changes:
        """What is no episode, or none of those that are asked about, can change any date."""
        since = [entry.recorded_at for entry in self.streams[name] if not is_inert(entry.fact)]
        return Changes(since[-1:], [0] * len(since[-1:]), 0)

    def _touched_from(self, entry: Entry, episode: Episode, calendar: Calendar) -> int | None:
        fact, name = entry.fact, episode.name
        if isinstance(fact, ev.InfusionLogged):
            if name not in self._runs:
                self._runs[name] = first_dates_of_runs(episode)
            if calendar.every and (first := self._runs[name].get(entry.version)):
                return first
        elif isinstance(fact, ev.HospitalAdmitted | ev.HospitalDischarged):
            if self._hospital_from is None:
                self._hospital_from = first_of_hospital([episode for episode, _ in self._episodes.values()])
        elif type(fact) in MENDING and name not in self._chains:
            self._chains[name] = chains_of(self.streams[name])
        return touched_from(entry, episode, calendar, self._hospital_from, self._chains.get(name))
