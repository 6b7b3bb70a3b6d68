"""The rows of some days of a patient as they were after each entry, and each book, of a stretch of the ledger.

What an entry cannot change is not judged, and of what it can change only the days that are asked about are written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import Any

from ledger.book import Book
from ledger.day_set import Calendar
from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry
from ledger.facts.merges import Merges
from ledger.judge.case import Case
from ledger.judge.episode import Episode
from ledger.judge.kept_fold import KeptFold
from ledger.judge.patients import Patient
from ledger.judge.steps import judge
from ledger.judge.touched import is_inert, touched_from
from projections.rows.day_run import DayRun, cells_within, day_runs
from projections.rows.day_run import days_of as by_runs

Key = tuple[str, str]
"""An episode and a date."""
DayRows = dict[Key, Any]


class DayWalk:
    """One patient's days, entry by entry; of the days asked about, the rows as they stand."""

    def __init__(
        self, patient: str, before: Mapping[str, Sequence[Entry]], book: Book, asked: Collection[Key], rows: DayRows
    ) -> None:
        self.patient, self.book, self.rows = patient, book, rows
        self.acts = list(before.get(HOUSE, ()))
        self.merges = Merges(self.acts)
        self.folds = {name: KeptFold(name, entries) for name, entries in before.items() if entries and name != HOUSE}
        self._own_all()
        self.asked: dict[str, list[int]] = {}
        for name, day in asked:
            self.asked.setdefault(name, []).append(date.fromisoformat(day).toordinal())
        self.last = max(on for dates in self.asked.values() for on in dates)
        self.calendars = {case.episode.name: case.calendar for case in self._judged()}

    def after(self, moment: Entry | Book) -> list[Key]:
        """Go on by an entry, or a book taken up; the days asked about whose rows it changed."""
        first = self._take(moment)
        if first is None or first > self.last:
            return []
        now = self._rows_from(first)
        before = {key: row for key, row in self.rows.items() if date.fromisoformat(key[1]).toordinal() >= first}
        changed = [key for key in before.keys() | now.keys() if before.get(key) != now.get(key)]
        for key in before:
            del self.rows[key]
        self.rows |= now
        return changed

    def _take(self, moment: Entry | Book) -> int | None:
        """Take it in; the first date it can change, None if there is none."""
        if isinstance(moment, Book):
            self.book = moment
            return 0
        if moment.episode == HOUSE:
            self.acts.append(moment)
            self.merges = Merges(self.acts)
            self._own_all()
            return 0
        known = self.folds.get(moment.episode)
        first: int | None = 0
        if known and known.grows_by(moment):
            calendar = self.calendars.get(moment.episode, Calendar(0, -1))
            first = None if is_inert(moment.fact) else touched_from(moment, known.episode, calendar) or 0
        was = known.episode.patient if known else None
        grown = known.and_(moment) if known else KeptFold(moment.episode, [moment])
        self.folds[moment.episode] = self._owned(grown)
        return first if self.patient in (was, grown.episode.patient) else None

    def _own_all(self) -> None:
        for fold in self.folds.values():
            self._owned(fold)

    def _owned(self, fold: KeptFold) -> KeptFold:
        fold.episode.patient = self.merges.survivor(fold.episode.opening[1].patient)
        return fold

    def _judged(self) -> list[Case]:
        theirs = [fold.episode for fold in self.folds.values() if fold.episode.patient == self.patient]
        return judge(Patient(self.patient, theirs), self.book)

    def _rows_from(self, first: int) -> DayRows:
        cases = self._judged()
        self.calendars |= {case.episode.name: case.calendar for case in cases}
        rows: list[Any] = []
        for case in cases:
            asked = 0
            for on in self.asked.get(case.episode.name, ()):
                asked |= case.calendar.day(on) if on >= first else 0
            rows += cells_within(case, [other for other in cases if other is not case], asked) if asked else ()
        return {(row.episode, row.date): row for row in rows}


class PatientDays:
    """A patient's days, in those episodes whose opening names them now; rows are made when an episode is asked for."""

    def __init__(self, name: str, episodes: Iterable[Episode], book: Book) -> None:
        cases = judge(Patient(name, [episode for episode in episodes if episode.patient == name]), book)
        self._cases = {case.episode.name: case for case in cases}

    def episodes(self) -> list[str]:
        """The names of the episodes, in order."""
        return sorted(self._cases)

    def runs(self, episode: str) -> list[DayRun]:
        """The runs of days of an episode, by date; none of one that is not theirs."""
        case = self._cases.get(episode)
        if case is None:
            return []
        found = day_runs(case, [other for other in self._cases.values() if other is not case])
        case.causes.clear()  # of every date, and the next episode has as many
        return found

    def in_order(self) -> Iterator[Any]:
        """All rows by episode and date."""
        return by_runs(chain.from_iterable(map(self.runs, self.episodes())))
