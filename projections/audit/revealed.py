"""What was known of a claimed day before: when it was claimed, and when it came out that it is not billable so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from itertools import chain
from typing import Final, NamedTuple

from ledger.book import Book
from ledger.facts.entry import Entry
from ledger.facts.liveness import known
from ledger.judge.patients import gather
from ledger.judge.steps import judge
from ledger.judge.touched import is_inert
from projections.audit.claimed_shares import Settled, Share, billed_as
from projections.audit.known_today import Judged, Known, Stretch
from projections.audit.timeline import Moment, Timeline, publications, timeline_since
from projections.reading.as_known import book_known
from projections.reading.unjudged import Streams


class Revealed(NamedTuple):
    """What revealed that a day is not billable as claimed (no entry: newly published terms, or nothing), and when."""

    by: tuple[str, ...]
    at: datetime


class Past:
    """What was known of some patients' days before: at the instants of the claims, and at each moment since.

    They are judged as they were known at an instant where no state that was judged already says the same.
    """

    def __init__(self, streams: Streams, book: Book, today: Known, *, whole: bool = True) -> None:
        self.streams, self.book, self.today, self.whole = streams, book, today, whole
        self._judged: list[tuple[datetime, Judged]] = []

    def verdict(self, episode: str, on: int, at: datetime) -> str | None:
        """The verdict of a day as known at an instant, with the terms published by then; None if it was no day."""
        said = self._known(on, at).said(episode, on)
        return said.verdict if said else None

    def verdicts(self, episode: str, first: int, last: int, today: str, at: datetime) -> Iterator[Stretch]:
        """The verdicts of dates of which the same is said today as known at an instant, by stretches."""
        on = min(last, self.today.until(at)) + 1
        if first < on:
            yield first, on - 1, today
        on = max(first, on)
        while on <= last:
            judged = self._judged_as_at(on, at)
            upto = min(last, judged.until(at))
            yield from judged.verdicts(episode, on, upto)
            on = upto + 1

    def look_back(self, shares: Iterable[Share]) -> None:
        """Judge what has to be judged at the claims of these shares, the latest claims first: what was known at one of
        a date is often what was known of it at those before."""
        asked = {(share.claimed_at, share.date) for share in shares if share.date > self.today.until(share.claimed_at)}
        for at, on in sorted(asked, reverse=True):
            self._known(on, at)

    def _known(self, on: int, at: datetime) -> Known:
        """What was known at an instant, or later, if that says the same of a date."""
        return self.today if on <= self.today.until(at) else self._judged_as_at(on, at)

    def _judged_as_at(self, on: int, at: datetime) -> Judged:
        for then, judged in self._judged:
            if at <= then and on <= judged.until(at):
                return judged
        return self._judge(at)

    def _judge(self, at: datetime) -> Judged:
        """Everybody as judged at an instant."""
        streams, book = {name: known(entries, at) for name, entries in self.streams.items()}, book_known(self.book, at)
        then = Judged(streams, book, self.today.asked_from)
        for patient in gather(streams, whole=self.whole):
            then.take(judge(patient, book))
        self._judged.append((at, then))
        return then

    def revealed(self, episode: str, wrong: Sequence[Settled]) -> list[Revealed]:
        """For each share that is not billable as claimed, what revealed it: what it stands beside; the last moment
        since the claim at which the day ceased to be right; or what made it wrong already when it was claimed."""
        return [
            self._revealed(episode, settled.share)
            if settled.beside is None
            else Revealed((settled.beside.line.entry.label,), settled.share.claimed_at)
            for settled in wrong
        ]

    def _revealed(self, episode: str, share: Share) -> Revealed:
        """From today back, change by change: before the last one that made it wrong, the day was right."""
        after, on = self.today, share.date
        while on > after.until(share.claimed_at):
            at = after.since(on)
            before = max(share.claimed_at, at - _A_MOMENT)
            after = self._known(on, before)
            said = after.said(episode, on)
            if said and share.is_for(said.billed):
                moment = self._ceased(episode, share, before, at)
                return Revealed((moment.entry.label,) if moment.entry else (), at)
        return Revealed(after.causes(episode, on), share.claimed_at)

    def _ceased(self, episode: str, share: Share, before: datetime, at: datetime) -> Moment:
        """What made a day wrong the last time, of all that became known at an instant before which it was right."""
        moments = [
            Moment(at, entry)
            for entries in self.streams.values()
            for entry in entries
            if entry.recorded_at == at and not is_inert(entry.fact)
        ]
        if at in self._published:
            moments.append(Moment(at, None))
        return moments[0] if len(moments) == 1 else self._retold(episode, share, before, at)

    def _retold(self, episode: str, share: Share, before: datetime, at: datetime) -> Moment:
        """The same, where several things became known at once: one after the other."""
        found: Moment | None = None
        timeline = Timeline(episode, self.book, billed_as, until=share.date)
        for moment, changes in timeline_since(timeline, _in_order(self.streams), before, at):
            for change in changes:
                if (change.episode, change.date) == (episode, share.date) and share.is_for(change.before):
                    found = moment
        assert found is not None, "it was right before, and is not after it"
        return found

    @cached_property
    def _published(self) -> frozenset[datetime]:
        """When terms were published of the payers that any coverage names."""
        found = publications(chain.from_iterable(self.streams.values()), self.book)
        return frozenset(datetime.combine(on, time(), UTC) for on in found)


_A_MOMENT: Final = timedelta(microseconds=1)


def _in_order(streams: Streams) -> list[Entry]:
    """The entries in the order they were recorded; where several were at once, as the rulebook orders them."""
    entries = [entry for stream in streams.values() for entry in stream]
    return sorted(entries, key=lambda entry: (entry.recorded_at, entry.episode, entry.version))
