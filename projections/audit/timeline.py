"""The episodes of some patients as they stood after each entry, and what is said of their days before and after it.

A retelling is centred on one episode, whose patient is *at home*: a change is told for every episode at home, and only
what can change one of those is judged. What is said of a day is the caller's: its verdict, or more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Final, Generic, NamedTuple, TypeVar

from ledger.book import PER_DIEM_CODES, Book
from ledger.facts import events as ev
from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry, statement_of
from ledger.facts.merges import merges_in
from ledger.judge.episode import Episode
from ledger.judge.patients import Patient, by_episode, episode_of, episodes_in
from ledger.judge.regions import JudgedDay, judged_days
from ledger.judge.steps import judge
from projections.reading.as_known import book_known

Said = TypeVar("Said")
"""What is said of a day, such as its verdict."""
SaidOfDays = dict[str, dict[int, Said]]
"""What is said of each day (ordinal), by episode."""


class Change(NamedTuple, Generic[Said]):
    """A day of which something else is said now; None where the episode has no such day."""

    episode: str
    date: int
    before: Said | None
    after: Said | None


class Moment(NamedTuple):
    """When more became known: an entry was recorded or, without one, payers published terms on that UTC date."""

    at: datetime
    entry: Entry | None


_INERT: Final = (
    ev.SupplyDispensed, ev.DrugDispensed, ev.DrugBilledSeparately, ev.ResponseNoted, ev.CoordinationNoted,
    ev.ClaimSubmitted,
)  # fmt: skip
"""What the judge never reads; a correction or retraction of one of these is another entry, and is judged."""


class Timeline(Generic[Said]):
    """The episodes as they stand after the entries so far, and what is said of their patients' days."""

    def __init__(self, episode: str, book: Book, say: Callable[[JudgedDay], Said]) -> None:
        self.episode, self.book, self.say = episode, book, say
        self.streams: dict[str, list[Entry]] = {}
        self.folded: dict[str, Episode] = {}
        self.judged: dict[str, SaidOfDays[Said]] = {}

    @property
    def home(self) -> str | None:
        """The patient of the episode; None before it is opened."""
        return self.folded[self.episode].patient if self.episode in self.folded else None

    @property
    def zone(self) -> str:
        """The time zone of the episode, once it is opened."""
        return self.folded[self.episode].opening[1].zone

    def days(self) -> dict[int, Said]:
        """What is said of the episode's days as they stand."""
        return self._stated({self.home} - {None}).get(self.episode, {})

    def begin(self, entries: Iterable[Entry]) -> None:
        """Take the first entries in all at once, and say nothing of what they changed."""
        self.streams |= by_episode(entries)
        self.folded |= episodes_in(self.streams)

    def add(self, entry: Entry) -> list[Change[Said]]:
        """Take the next entry in; the days it changed, of this episode and of its patient's others."""
        name = entry.episode
        self.streams.setdefault(name, []).append(entry)
        if name == HOUSE:
            return self._merged()
        if _is_inert(entry.fact):
            return []
        folded = episode_of(name, self.streams[name])
        assert folded is not None, "it has an entry"
        folded.patient = merges_in(self.streams).survivor(folded.patient)
        touched: set[str | None] = {folded.patient, self.folded[name].patient if name in self.folded else None}
        if name != self.episode and self.home not in touched - {None}:
            self._stand(folded, touched)
            return []
        before, were = self._stated(touched), self._at_home
        self._stand(folded, touched)
        after = self._stated(touched)
        return list(_differences(before, after, were | self._at_home))

    def _merged(self) -> list[Change[Said]]:
        """Patients were merged or parted: whose each episode is now, and the days that this changed."""
        home: set[str | None] = {self.home}
        before, were = self._stated(home), self._at_home
        merges = merges_in(self.streams)
        for folded in self.folded.values():
            folded.patient = merges.survivor(folded.opening[1].patient)
        self.judged.clear()
        at_home = were | self._at_home
        after = self._stated({self.folded[name].patient for name in at_home})
        return list(_differences(before, after, at_home))

    def read_by(self, book: Book) -> list[Change[Said]]:
        """Read what stands against another state of the book; the days that this changed."""
        home: set[str | None] = {self.home}
        before = self._stated(home)
        self.book = book
        self.judged.clear()
        return list(_differences(before, self._stated(home), self._at_home))

    @property
    def _at_home(self) -> set[str]:
        """The retold episode and its patient's others."""
        home = self.home
        return {name for name, folded in self.folded.items() if folded.patient == home}

    def _stand(self, folded: Episode, touched: set[str | None]) -> None:
        self.folded[folded.name] = folded
        for patient in touched - {None}:
            self.judged.pop(str(patient), None)

    def _stated(self, patients: set[str | None]) -> SaidOfDays[Said]:
        together: SaidOfDays[Said] = {}
        for patient in patients:
            if patient is None:
                continue
            if patient not in self.judged:
                theirs = [folded for folded in self.folded.values() if folded.patient == patient]
                self.judged[patient] = {
                    case.episode.name: {day.date: self.say(day) for day in judged_days(case)}
                    for case in judge(Patient(patient, theirs), self.book)
                }
            together |= self.judged[patient]
        return together


def _differences(before: SaidOfDays[Said], after: SaidOfDays[Said], episodes: Iterable[str]) -> Iterator[Change[Said]]:
    for name in sorted(episodes):
        old, new = before.get(name, {}), after.get(name, {})
        if old != new:
            for day in sorted(old.keys() | new.keys()):
                if old.get(day) != new.get(day):
                    yield Change(name, day, old.get(day), new.get(day))


def _is_inert(fact: ev.Event) -> bool:
    if isinstance(fact, ev.ServiceBilledSeparately):
        return fact.code not in PER_DIEM_CODES
    return isinstance(fact, _INERT)


def timeline_since(
    retelling: Timeline[Said], entries: Sequence[Entry], since: datetime, until: datetime | None = None
) -> Iterator[tuple[Moment, list[Change[Said]]]]:
    """Begin a retelling as known at an instant; gives each moment after it, up to another or the last, with what it
    changed. Entries come in the order they were recorded."""
    book = retelling.book
    retelling.book = book_known(book, since)
    retelling.begin(entry for entry in entries if entry.recorded_at <= since)
    return _retold(retelling, book, _moments(entries, book, since, until))


def _retold(
    retelling: Timeline[Said], book: Book, moments: Iterable[Moment]
) -> Iterator[tuple[Moment, list[Change[Said]]]]:
    for moment in moments:
        if moment.entry is not None:
            yield moment, retelling.add(moment.entry)
        else:
            yield moment, retelling.read_by(book_known(book, moment.at))


def _moments(entries: Sequence[Entry], book: Book, since: datetime, until: datetime | None) -> list[Moment]:
    """What became known in between, in order: terms are known from the start of the UTC date they were published."""
    recorded = [Moment(entry.recorded_at, entry) for entry in entries if entry.recorded_at > since]
    told = [Moment(datetime.combine(on, time(), UTC), None) for on in _publications(entries, book)]
    found = sorted([*told, *recorded], key=lambda moment: moment.at)  # stable: terms first, entries as they came
    return [moment for moment in found if since < moment.at and (until is None or moment.at <= until)]


def _publications(entries: Iterable[Entry], book: Book) -> set[date]:
    """When terms were published of the payers that any coverage names; other terms change nothing."""
    stated = map(statement_of, entries)
    payers = {fact.payer for fact in stated if isinstance(fact, ev.CoverageVerified)} & book.payers.keys()
    return {terms.published for payer in payers for terms in book.payers[payer].terms}
