"""A history retold the slow and plain way: after every entry each episode is folded, and its patient judged, anew.

It is what ``projections/audit/timeline.py`` was before it kept what it had; the tests hold the two to the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from ledger.book import Book
from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry
from ledger.judge.patients import by_episode, gather
from ledger.judge.regions import JudgedDay, judged_days
from ledger.judge.steps import judge
from projections.audit.said_of_days import Change

Said = Hashable
SaidOfDays = dict[str, dict[int, Said]]


class PlainTimeline:
    """The entries so far, and what is said of the days of an episode's patient."""

    def __init__(self, episode: str, book: Book, say: Callable[[JudgedDay], Said]) -> None:
        self.episode, self.book, self.say = episode, book, say
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> list[Change[Any]]:
        """Take the next entry in; the days it changed, of this episode and of its patient's others, before or after.

        Where patients are merged, of an episode that comes home nothing is said before.
        """
        before, were = self._judged()
        if entry.episode == HOUSE:
            before = {name: said for name, said in before.items() if name in were}
        self.entries.append(entry)
        after, are = self._judged()
        return _differences(before, after, were | are)

    def read_by(self, book: Book) -> list[Change[Any]]:
        """Read what stands against another state of the book; the days that this changed."""
        before, were = self._judged()
        self.book = book
        after, _ = self._judged()
        return _differences(before, after, were)

    def _judged(self) -> tuple[SaidOfDays, set[str]]:
        """What is said of every day, and the episodes of the patient that the episode is of."""
        said: SaidOfDays = {}
        home: set[str] = set()
        for patient in gather(by_episode(self.entries)):
            names = {episode.name for episode in patient.episodes}
            home = names if self.episode in names else home
            for case in judge(patient, self.book):
                said[case.episode.name] = {day.date: self.say(day) for day in judged_days(case)}
        return said, home


def _differences(before: SaidOfDays, after: SaidOfDays, episodes: Iterable[str]) -> list[Change[Any]]:
    return [
        Change(name, day, old.get(day), new.get(day))
        for name in sorted(episodes)
        for old, new in [(before.get(name, {}), after.get(name, {}))]
        for day in sorted(old.keys() | new.keys())
        if old.get(day) != new.get(day)
    ]
