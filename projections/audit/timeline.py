"""The episodes of some patients as they stood after each entry, and what is said of their days before and after it.

A timeline is centred on one episode, whose patient is *at home*: a change is told for every episode at home, and only
what can change one of those is judged. What is said of a day is the caller's: its verdict, or more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Generic, NamedTuple

from ledger.book import Book
from ledger.day_set import OPEN_END
from ledger.facts import events as ev
from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry, statement_of
from ledger.facts.merges import Merges
from ledger.judge.kept_fold import KeptFold
from ledger.judge.patients import Patient, by_episode
from ledger.judge.regions import JudgedDay
from ledger.judge.steps import judge
from ledger.judge.touched import is_inert, touched_from
from projections.audit.said_of_days import ByEpisode, Change, Said, SaidOfDays, differences, no_days, said_of
from projections.reading.as_known import book_known


class Moment(NamedTuple):
    """When more became known: an entry was recorded or, without one, payers published terms on that UTC date."""

    at: datetime
    entry: Entry | None


class Timeline(Generic[Said]):
    """The episodes as they stand after the entries so far, and what is said of their patients' days.

    The number of the authorization that a day drew from is told ``by_number`` only, and nothing is told of dates after
    ``until``: what is not asked for costs nothing.
    """

    def __init__(
        self,
        episode: str,
        book: Book,
        say: Callable[[JudgedDay], Said],
        *,
        by_number: bool = False,
        until: int = OPEN_END,
    ) -> None:
        self.episode, self.book, self.say, self.by_number, self.until = episode, book, say, by_number, until
        self.folds: dict[str, KeptFold] = {}
        self.acts: list[Entry] = []
        self.merges = Merges()
        self.judged: dict[str, ByEpisode[Said]] = {}

    @property
    def home(self) -> str | None:
        """The patient of the episode; None before it is opened."""
        return self.folds[self.episode].episode.patient if self.episode in self.folds else None

    @property
    def zone(self) -> str:
        """The time zone of the episode, once it is opened."""
        return self.folds[self.episode].episode.opening[1].zone

    def days(self) -> dict[int, Said]:
        """What is said of the episode's days as they stand."""
        return self.said().by_date()

    def said(self) -> SaidOfDays[Said]:
        """The same, by what is said."""
        return self._stated({self.home}).get(self.episode, no_days())

    def begin(self, entries: Iterable[Entry]) -> None:
        """Take the first entries in all at once, and say nothing of what they changed."""
        streams = by_episode(entries)
        self.acts += streams.pop(HOUSE, ())
        self.merges = Merges(self.acts)
        for name, stream in streams.items():
            self._stand(self._owned(KeptFold(name, stream)), set())

    def add(self, entry: Entry) -> list[Change[Said]]:
        """Take the next entry in; the days it changed, of this episode and of its patient's others."""
        if entry.episode == HOUSE:
            self.acts.append(entry)
            return self._merged()
        known = self.folds.get(entry.episode)
        if known and (is_inert(entry.fact) or self._comes_after(known, entry)):
            self._stand(self._owned(known.and_(entry)), set())
            return []
        grown = known if known and known.grows_by(entry) else self._owned(_anew(known, entry))
        touched: set[str | None] = {fold.episode.patient for fold in (known, grown) if fold}
        if entry.episode != self.episode and self.home not in touched:
            self._stand(grown.and_(entry) if grown is known else grown, touched)
            return []
        before, were = self._stated(touched), self._at_home
        self._stand(grown.and_(entry) if grown is known else grown, touched)
        after = self._stated(touched)
        return list(differences(before, after, were | self._at_home, self.until))

    def _comes_after(self, known: KeptFold, entry: Entry) -> bool:
        """Whether an entry can change no date that is asked about. What stands is then as it was judged before."""
        if self.until == OPEN_END or known.episode.patient != self.home or not known.grows_by(entry):
            return False
        stated = self._stated({self.home}).get(entry.episode, no_days())
        first = touched_from(entry, known.episode, stated.calendar)
        return first is not None and first > self.until

    def _merged(self) -> list[Change[Said]]:
        """Patients were merged or parted: whose each episode is now, and the days that this changed."""
        before, were = self._stated({self.home}), self._at_home
        self.merges = Merges(self.acts)
        for fold in self.folds.values():
            self._owned(fold)
        self.judged.clear()
        at_home = were | self._at_home
        after = self._stated({self.folds[name].episode.patient for name in at_home})
        return list(differences(before, after, at_home, self.until))

    def read_by(self, book: Book) -> list[Change[Said]]:
        """Read what stands against another state of the book; the days that this changed."""
        before = self._stated({self.home})
        self.book = book
        self.judged.clear()
        return list(differences(before, self._stated({self.home}), self._at_home, self.until))

    @property
    def _at_home(self) -> set[str]:
        """The retold episode and its patient's others."""
        home = self.home
        return {name for name, fold in self.folds.items() if fold.episode.patient == home}

    def _owned(self, fold: KeptFold) -> KeptFold:
        """The fold of an episode that is the patient's under whose name they stand now."""
        fold.episode.patient = self.merges.survivor(fold.episode.opening[1].patient)
        return fold

    def _stand(self, fold: KeptFold, touched: set[str | None]) -> None:
        self.folds[fold.episode.name] = fold
        for patient in touched:
            self.judged.pop(str(patient), None)

    def _stated(self, patients: Collection[str | None]) -> ByEpisode[Said]:
        together: ByEpisode[Said] = {}
        for patient in patients:
            if patient is None:
                continue
            if patient not in self.judged:
                theirs = [fold.episode for fold in self.folds.values() if fold.episode.patient == patient]
                cases = judge(Patient(patient, theirs), self.book)
                self.judged[patient] = {
                    case.episode.name: said_of(case, self.say, by_number=self.by_number) for case in cases
                }
            together |= self.judged[patient]
        return together


def _anew(known: KeptFold | None, entry: Entry) -> KeptFold:
    return known.and_(entry) if known else KeptFold(entry.episode, [entry])


def timeline_since(
    timeline: Timeline[Said],
    entries: Sequence[Entry],
    since: datetime,
    until: datetime | None = None,
) -> Iterator[tuple[Moment, list[Change[Said]]]]:
    """Begin a timeline as known at an instant; gives each moment after it, up to another or the last, with what it
    changed. Entries come in the order they were recorded."""
    book = timeline.book
    timeline.book = book_known(book, since)
    timeline.begin(entry for entry in entries if entry.recorded_at <= since)
    return _retold(timeline, book, _moments(entries, book, since, until, timeline.until))


def _retold(
    timeline: Timeline[Said], book: Book, moments: Iterable[Moment]
) -> Iterator[tuple[Moment, list[Change[Said]]]]:
    for moment in moments:
        if moment.entry is not None:
            yield moment, timeline.add(moment.entry)
        else:
            yield moment, timeline.read_by(book_known(book, moment.at))


def _moments(
    entries: Sequence[Entry], book: Book, since: datetime, until: datetime | None, last_date: int
) -> list[Moment]:
    """What became known in between, in order: terms are known from the start of the UTC date they were published."""
    recorded = [Moment(entry.recorded_at, entry) for entry in entries if entry.recorded_at > since]
    told = [Moment(datetime.combine(on, time(), UTC), None) for on in publications(entries, book, last_date)]
    found = sorted([*told, *recorded], key=lambda moment: moment.at)  # stable: terms first, entries as they came
    return [moment for moment in found if since < moment.at and (until is None or moment.at <= until)]


def publications(entries: Iterable[Entry], book: Book, last_date: int = OPEN_END) -> set[date]:
    """When terms were published of the payers that any coverage names, for dates up to one; others change nothing."""
    stated = map(statement_of, entries)
    payers = {fact.payer for fact in stated if isinstance(fact, ev.CoverageVerified)} & book.payers.keys()
    every = [terms for payer in payers for terms in book.payers[payer].terms]
    return {terms.published for terms in every if terms.from_.toordinal() <= last_date}
