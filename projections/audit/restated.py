"""What became of a closed month: its days that are something else now, each with what changed it since.

Closed is what the entries up to the closing's position said under the book it carries; now is everything, or what is
known at a later instant. An entry is later by its position: history brought in with older dates arrived later, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from typing import Final

import msgspec

from ledger.book import Book
from ledger.facts.administration import HOUSE, MonthClosed
from ledger.facts.entry import Entry, UnreadableEntry
from ledger.judge.patients import gather
from ledger.judge.regions import JudgedDay
from ledger.judge.steps import judge
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.audit.as_closed import book_of_closing, days_within, rows_as_closed
from projections.audit.between import DayState
from projections.audit.month import Month
from projections.audit.restated_row import Restated, paid_by_date, restated_row
from projections.audit.since_closing import LearnedSince, book_steps, in_order, same_terms
from projections.audit.timeline import Timeline
from projections.read_model.queries import Filters
from projections.read_model.version import code_version, differs_by_zones_alone, what_changed
from projections.read_model.views import passing_views
from projections.reading.around import read_streams
from projections.reading.as_known import book_known
from projections.reading.cohorts import Cohort, cohorts_in, complete
from projections.rows.day import day_row
from projections.words import iso, verdict_text

_ONE_BY_ONE: Final = 10
"""Where less than one in so many entries is needed, they are looked up; else the ledger is passed over once."""

Streams = Mapping[str, Sequence[Entry]]


_NO_DAY: Final = DayState("", None, None, None, None)


def _state(day: JudgedDay) -> DayState:
    return DayState(verdict_text(day), day.payer, day.code, day.rate_cents, day.authorization)


class Restatements:
    """The days of a closed month that differ, streamed by patient, episode, date; who is left out is noted."""

    def __init__(
        self, ledger: EpisodeLedger, closed: MonthClosed, book: Book, known_at: datetime | None = None
    ) -> None:
        self.ledger, self.closed, self.known_at = ledger, closed, known_at
        self.month, self.upto = Month.read(closed.month), ledger.position()
        self.was_book, self.book = book_of_closing(closed), book_known(book, known_at)
        self.books = list(book_steps(closed, self.was_book, book, self.book))
        self.versions = {episode: last for episode, _, _, last in ledger.extents(closed.position)}
        self.versions[HOUSE] = len(ledger.merge_entries(closed.position))
        self.judge = _judging_since(closed)
        self.left_out: list[Cohort] = []
        self.found = self.delta_cents = 0
        self.otherwise = False
        """Whether the days as closed cannot be judged here, and are held against what this version makes of them."""

    def rows(self, wanted: Filters, progress: Progress = silent) -> Iterator[Restated]:
        """The days that the filters choose; a day is a payer's if it was or is."""
        with closing(passing_views()) as views:  # a place to sort more rows than memory holds
            views.connection.execute("CREATE TABLE restated (patient TEXT, episode TEXT, date TEXT, row BLOB)")
            with views.writing():
                for row in filter(lambda row: _is_wanted(row, wanted), self._unsorted(wanted, progress)):
                    self.found += 1
                    self.delta_cents += row.delta_cents
                    cells = (row.patient, row.episode, row.date, msgspec.msgpack.encode(row))
                    views.connection.execute("INSERT INTO restated VALUES (?, ?, ?, ?)", cells)
            for (found,) in views.connection.execute("SELECT row FROM restated ORDER BY patient, episode, date"):
                yield msgspec.msgpack.decode(found, type=Restated)

    def _unsorted(self, wanted: Filters, progress: Progress) -> Iterator[Restated]:
        cohorts = [one for one in cohorts_in(self.ledger, self.upto) if _concerns(one, wanted)]
        if same_terms(self.was_book, self.book) and not self.judge.differs:
            touched = self.ledger.patients_since(self.closed.position, self.upto)
            cohorts = [one for one in cohorts if not touched.isdisjoint(one.patients)]
        for done, streams in enumerate(self._streams(cohorts), 1):
            yield from self._restated(streams)
            progress(done, len(cohorts))

    def _streams(self, cohorts: Sequence[Cohort]) -> Iterator[Streams]:
        if sum(one.entries for one in cohorts) * _ONE_BY_ONE > self.upto:
            return complete(self.ledger, cohorts, self.upto, unreadable=self._leave_out)
        return self._looked_up(cohorts)

    def _leave_out(self, cohort: Cohort, error: UnreadableEntry) -> None:
        self.left_out.append(cohort)

    def _looked_up(self, cohorts: Iterable[Cohort]) -> Iterator[Streams]:
        for one in cohorts:
            try:
                streams = read_streams(self.ledger, one.episodes, self.upto)
            except UnreadableEntry:
                self.left_out.append(one)
            else:
                yield streams

    def _restated(self, streams: Streams) -> Iterator[Restated]:
        begun = {name: list(stream[: self.versions.get(name, 0)]) for name, stream in streams.items()}
        added = {name: self._added(stream[len(begun[name]) :]) for name, stream in streams.items()}
        whole = {name: begun[name] + added[name] for name in streams}
        paid: _Paid = {}
        was, now = self._as_closed(begun), self._judged(whole, self.book, paid)
        read = self._judged(begun, self.was_book, {}) if self.judge.differs else was
        steps: list[LearnedSince] | None = None
        for episode in sorted(was.keys() | now.keys()):
            (patient, old), (patient_now, new) = was.get(episode, ("", {})), now.get(episode, ("", {}))
            days = [day for day in sorted(old.keys() | new.keys()) if old.get(day) != new.get(day)]
            if days:
                steps = self._steps(added) if steps is None else steps
                causes = self._causes(episode, begun, steps, days)
                _, reread = read.get(episode, ("", {}))
                for day in days:
                    if old.get(day) != reread.get(day):
                        causes[day].insert(0, self.judge)
                    place = (patient_now if new else patient, episode, iso(day))
                    yield restated_row(
                        place, day, old.get(day, _NO_DAY), new.get(day, _NO_DAY), causes[day],
                        paid.get((episode, day)),
                    )  # fmt: skip

    def _added(self, later: Sequence[Entry]) -> list[Entry]:
        return [entry for entry in later if self.known_at is None or entry.recorded_at <= self.known_at]

    def _as_closed(self, streams: Streams) -> _Judged:
        """The patient and the month's days of each episode as they were when the month was closed."""
        found: _Judged = {}
        for patient, cells in rows_as_closed(self.closed, self.was_book, self.month.span, streams):
            row = day_row(cells)
            standing = DayState(
                f"{row.status} {row.reason or row.code}", row.payer, row.code, row.rate_cents, row.authorization
            )
            found.setdefault(row.episode, (patient, {}))[1][date.fromisoformat(row.date).toordinal()] = standing
        return found

    def _judged(self, streams: Streams, book: Book, paid: _Paid) -> _Judged:
        """The same as they are read today, and into ``paid`` what was paid for them."""
        found: _Judged = {}
        for patient in gather(streams):
            for case in judge(patient, book):
                days = {day.date: _state(day) for day in days_within(case, self.month.span)}
                found[case.episode.name] = patient.name, days
                paid.update(((case.episode.name, on), cents) for on, cents in paid_by_date(case).items())
        return found

    def _steps(self, added: Streams) -> list[LearnedSince]:
        entries = [entry for stream in added.values() for entry in stream]
        positions = self.ledger.positions_of(entries)
        assert positions is not None, "what was just read stands in the ledger"
        placed = sorted(zip(positions, entries, strict=True), key=lambda pair: pair[0])
        return in_order(self.closed.closed_at, self.books, placed)

    def _causes(self, episode: str, begun: Streams, steps: Iterable[LearnedSince], days: Collection[int]) -> _Causes:
        timeline = Timeline(episode, self.was_book, _state, by_number=True)
        timeline.begin(entry for stream in begun.values() for entry in stream)
        causes: _Causes = {day: [] for day in days}
        for step in steps:
            changes = timeline.add(step.entry) if step.entry else timeline.read_by(step.book or self.book)
            for change in changes:
                if change.episode == episode and change.date in causes:
                    causes[change.date].append(step)
        return causes


_Judged = dict[str, tuple[str, dict[int, DayState]]]
_Paid = dict[tuple[str, int], int]
_Causes = dict[int, list[LearnedSince]]


def _judging_since(closed: MonthClosed) -> LearnedSince:
    """What judges otherwise here than when the month was closed, if anything does."""
    code, here = closed.code, code_version()
    differs, zones_alone = what_changed(code, here), differs_by_zones_alone(code, here)
    return LearnedSince(closed.closed_at, differs=differs, zones_alone=zones_alone)


def _concerns(cohort: Cohort, wanted: Filters) -> bool:
    return (wanted.episode is None or wanted.episode in cohort.episodes) and (
        wanted.patient is None or wanted.patient in cohort.patients
    )


def _is_wanted(row: Restated, wanted: Filters) -> bool:
    return (
        wanted.episode in (None, row.episode)
        and wanted.patient in (None, row.patient)
        and wanted.payer in (None, row.payer_before, row.payer_after)
        and (wanted.from_ or "") <= row.date <= (wanted.to or "9999-12-31")
    )
