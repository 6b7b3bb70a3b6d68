"""What was known of a claimed day before: when it was claimed, and when it came out that it is not billable so."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import accumulate, groupby
from operator import attrgetter
from typing import Final, NamedTuple

from ledger.book import Book
from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry
from ledger.facts.liveness import known
from ledger.facts.merges import Merges
from ledger.judge.case import Case
from ledger.judge.causes import causes
from ledger.judge.episode import Episode
from ledger.judge.kept_fold import KeptFold
from ledger.judge.patients import Patient
from ledger.judge.steps import judge
from projections.audit.claimed_shares import Settled, Share, billed_as
from projections.audit.known_today import KnownToday, Streams
from projections.audit.said_of_days import Change, SaidOfDays, said_of
from projections.audit.timeline import Moment, Timeline, timeline_since
from projections.reading.as_known import JudgedPatient, book_known, everyone_judged
from projections.words import verdict_text

MomentChanges = tuple[Moment, list[Change[tuple[str, str] | None]]]


class Revealed(NamedTuple):
    """What revealed that a day is not billable as claimed (no entry: newly published terms, or nothing), and when."""

    by: tuple[str, ...]
    at: datetime


class _Growing:
    """Episodes as known at one instant after another: each entry is taken into the folds once."""

    def __init__(self, streams: Streams) -> None:
        self.streams = {name: entries for name, entries in streams.items() if name != HOUSE}
        self.acts = streams.get(HOUSE, ())
        self.folds: dict[str, KeptFold] = {}
        self.at: datetime | None = None

    def patients(self, at: datetime) -> list[Patient]:
        """The patients as known at an instant, none of which comes before the last; they change with the next."""
        self.at = at
        merges, theirs = Merges(known(self.acts, at)), dict[str, list[Episode]]()
        for name, entries in self.streams.items():
            fold = self._grown(name, entries[: bisect_right(entries, at, key=_recorded_at)])
            if fold is not None:
                fold.episode.patient = merges.survivor(fold.episode.opening[1].patient)
                theirs.setdefault(fold.episode.patient, []).append(fold.episode)
        return [Patient(name, episodes) for name, episodes in theirs.items()]

    def _grown(self, name: str, entries: Sequence[Entry]) -> KeptFold | None:
        fold = self.folds.get(name)
        new = entries[len(fold.entries) :] if fold else entries
        if fold and all(map(fold.grows_by, new)):
            for entry in new:
                fold.and_(entry)
        elif new:
            self.folds[name] = fold = KeptFold(name, entries)
        return fold


_recorded_at: Final = attrgetter("recorded_at")


class Past:
    """What was known of a patient's days before: at the instants of the claims, and at each moment since."""

    def __init__(self, streams: Streams, book: Book, known_at: datetime | None, *, whole: bool = True) -> None:
        self.streams, self.book, self.known_at, self.whole = streams, book, known_at, whole
        self._judged: dict[datetime, dict[str, JudgedPatient]] = {}
        self._verdicts: dict[datetime, dict[str, SaidOfDays[str]]] = {}
        self._growing = _Growing(streams)
        self.today = KnownToday(streams, book)

    def verdict(self, episode: str, on: int, at: datetime) -> str | None:
        """The verdict of a day as known at an instant, with the terms published by then; None if it was no day."""
        if on <= self.today.until(at):
            return self.today.verdict(episode, on)
        if at not in self._verdicts:
            self._verdicts[at] = {
                case.episode.name: said_of(case, verdict_text, by_number=False) for case in self._cases(at)
            }
        then = self._verdicts[at].get(episode)
        return then.on(on) if then else None

    def _cases(self, at: datetime) -> Iterable[Case]:
        """All episodes as judged at an instant; good until the next is asked for, unless the instant is looked at."""
        if at in self._judged or (self._growing.at is not None and at < self._growing.at):
            return [judged.case(name) for name, judged in self._then(at).items()]
        book = book_known(self.book, at)
        return [case for patient in self._growing.patients(at) for case in judge(patient, book)]

    def _then(self, at: datetime) -> dict[str, JudgedPatient]:
        """Everybody as judged at an instant, to be looked at: each is judged once."""
        if at not in self._judged:
            self._judged[at] = everyone_judged(self.streams, self.book, at, whole=self.whole)
        return self._judged[at]

    def revealed(self, episode: str, wrong: Sequence[Settled]) -> list[Revealed]:
        """For each share that is not billable as claimed, what revealed it: what it stands beside; the last moment
        since the claim at which the day ceased to be right; or what made it wrong already when it was claimed."""
        shares = [settled.share for settled in wrong if settled.beside is None]
        moments = iter(self._moments(episode, [share for share in shares if not self.today.has_been(share)]))
        return [
            Revealed((settled.beside.line.entry.label,), settled.share.claimed_at)
            if settled.beside is not None
            else self._revealed(episode, settled.share, moments)
            for settled in wrong
        ]

    def _revealed(self, episode: str, share: Share, moments: Iterator[Moment | None]) -> Revealed:
        if self.today.has_been(share):
            return Revealed(self.today.causes(episode, share.date), share.claimed_at)
        moment = next(moments)
        if moment is None:
            return self._when_claimed(episode, share)
        return Revealed((moment.entry.label,) if moment.entry else (), moment.at)

    def _when_claimed(self, episode: str, share: Share) -> Revealed:
        then = self._then(share.claimed_at).get(episode)
        case = then.case(episode) if then else None
        verdict = case.verdict_on(share.date) if case else None
        because = causes(case, then.others(case), share.date, verdict) if then and case and verdict else ()
        return Revealed(tuple(because), share.claimed_at)

    def _moments(self, episode: str, shares: Sequence[Share]) -> list[Moment | None]:
        """For each share the last moment after its claim at which its day ceased to be billable as claimed."""
        found: list[Moment | None] = [None] * len(shares)
        if not shares:
            return found
        on_date: dict[int, list[int]] = {}
        for place, share in enumerate(shares):
            on_date.setdefault(share.date, []).append(place)
        since = min(share.claimed_at for share in shares)
        retelling = Timeline(episode, self.book, billed_as, until=max(on_date))
        told = timeline_since(retelling, _in_order(self.streams), since, self.known_at, _last_claimed(shares))
        for at, at_once in groupby(told, lambda pair: pair[0].at):
            for place, moment in _ceased(at_once, episode, shares, on_date):
                if at > shares[place].claimed_at:
                    found[place] = moment
        return found


def _last_claimed(shares: Sequence[Share]) -> Callable[[datetime], int]:
    """What an instant has to be asked about: the last date that some share had claimed before it; 0 if none had.

    Whatever happens to later dates is no share's moment, and most of what is recorded after a claim is about these.
    """
    by_claim = sorted({(share.claimed_at, share.date) for share in shares})
    instants = [claimed_at for claimed_at, _ in by_claim]
    dates = [0, *accumulate((date for _, date in by_claim), max)]
    return lambda at: dates[bisect_left(instants, at)]


def _in_order(streams: Streams) -> list[Entry]:
    """The entries in the order they were recorded; where several were at once, as the rulebook orders them."""
    entries = [entry for stream in streams.values() for entry in stream]
    return sorted(entries, key=lambda entry: (entry.recorded_at, entry.episode, entry.version))


def _ceased(
    at_once: Iterable[MomentChanges], episode: str, shares: Sequence[Share], on_date: dict[int, list[int]]
) -> list[tuple[int, Moment]]:
    """The shares that were right before an instant and ceased to be at it, each with what made it wrong the last
    time. What stood only in the midst of an instant was never known."""
    were_right: dict[int, bool] = {}
    ceased: dict[int, Moment] = {}
    for moment, changes in at_once:
        for change in changes:
            for place in on_date.get(change.date, ()) if change.episode == episode else ():
                share = shares[place]
                were_right.setdefault(place, share.is_for(change.before))
                if share.is_for(change.before):
                    ceased[place] = moment
    return [(place, moment) for place, moment in ceased.items() if were_right[place]]
